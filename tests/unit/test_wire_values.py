"""Structs to values and back."""

from __future__ import annotations

import pytest
from google.protobuf import struct_pb2

from mlops_iac.emulators import wire
from mlops_iac.values import UNKNOWN, Asset, Secret


def test_everything_survives_the_round_trip():
    properties = {
        "unknown": UNKNOWN,
        "secret": Secret({"inner": [1, 2.5]}),
        "asset": Asset(hash=wire.text_hash("x"), text="x"),
        "nested": {"list": [True, None, "a", {"b": 3}]},
        "empty": {"list": [], "map": {}},
    }
    assert wire.from_struct(wire.to_struct(properties)) == properties


def test_whole_numbers_become_int():
    struct = struct_pb2.Struct()
    struct.update({"a": 3.0, "b": 3.5})
    values = wire.from_struct(struct)
    assert type(values["a"]) is int
    assert values == {"a": 3, "b": 3.5}


def test_first_class_outputs_are_unwrapped():
    out = {wire.SIGNATURE: wire.OUTPUT, "value": "v", "secret": True, "dependencies": []}
    assert wire.from_json({"x": out}) == {"x": Secret("v")}
    assert wire.from_json({"x": {wire.SIGNATURE: wire.OUTPUT}}) == {"x": UNKNOWN}


@pytest.mark.parametrize(
    "value",
    [
        {wire.SIGNATURE: wire.ARCHIVE, "assets": {}},
        {wire.SIGNATURE: wire.ARCHIVE, "path": "."},
        {wire.SIGNATURE: wire.ARCHIVE, "path": "no/such/file"},
        {wire.SIGNATURE: wire.RESOURCE, "urn": "x"},
        {wire.SIGNATURE: wire.ASSET, "uri": "https://example.com"},
        {wire.SIGNATURE: wire.ASSET, "path": "no/such/file"},
        {wire.SIGNATURE: wire.ASSET},
        {wire.SIGNATURE: "something new"},
    ],
)
def test_what_is_not_supported_is_refused(value):
    with pytest.raises(wire.WireError):
        wire.from_json({"x": value}, read_asset=wire.hashed)


def test_a_packed_file_is_an_archive_there_and_back(tmp_path):
    path = tmp_path / "code.zip"
    path.write_bytes(b"zip")
    found = wire.from_json(
        {wire.SIGNATURE: wire.ARCHIVE, "path": str(path)}, read_asset=wire.hashed
    )
    assert found == Asset(hash=wire.file_hash(path), path=str(path), archive=True)
    assert wire.from_json(wire.to_json(found)) == found


@pytest.mark.parametrize("archive", [False, True])
def test_of_an_old_asset_only_the_hash_is_known(archive):
    signature = wire.ARCHIVE if archive else wire.ASSET
    raw = {wire.SIGNATURE: signature, "hash": "00ff"}
    found = wire.from_json(raw, read_asset=wire.hashed)
    assert found == Asset(hash="00ff", archive=archive)
    assert wire.to_json(found) == raw
