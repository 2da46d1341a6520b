"""Property values in Pulumi's forms and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_iac.emulators import wire
from mlops_iac.engine.embedded.assets import AssetReader
from mlops_iac.engine.embedded.marks import mark_like
from mlops_iac.errors import MlopsError
from mlops_iac.values import UNKNOWN, Asset, Secret, Value

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
).filter(lambda value: value != wire.UNKNOWN_SENTINEL)
values = plain | plain.map(Secret) | st.lists(plain.map(Secret), max_size=2)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_structs_round_trip(properties: dict[str, Value]) -> None:
    assert wire.from_struct(wire.to_struct(properties)) == properties


def test_the_published_signatures() -> None:
    assert wire.to_json(Secret("x")) == {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "value": "x",
    }
    assert wire.to_json(UNKNOWN) == "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def test_the_signatures_are_the_sdks() -> None:
    from pulumi.runtime import rpc

    assert rpc._special_sig_key == wire.SIGNATURE
    assert rpc._special_secret_sig == wire.SECRET
    assert rpc._special_asset_sig == wire.ASSET
    assert rpc._special_archive_sig == wire.ARCHIVE
    assert rpc._special_resource_sig == wire.RESOURCE
    assert wire.UNKNOWN_SENTINEL == rpc.UNKNOWN


def test_whole_numbers_are_int() -> None:
    assert wire.from_json([1.0, 1.5]) == [1, 1.5]
    assert isinstance(wire.from_json(1.0), int)


def test_assets_round_trip_and_are_hashed(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("one")
    relative = AssetReader(tmp_path, absolute=False)
    absolute = AssetReader(tmp_path, absolute=True)
    asset = relative({"path": "f"}, False)
    assert asset.path == "f"
    assert asset.hash == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    assert absolute({"path": "f"}, True) == Asset(
        asset.hash, str((tmp_path / "f").resolve()), archive=True
    )
    text = relative({"text": "one"}, False)
    assert (text.hash, text.text) == (asset.hash, "one")
    for value in (asset, text):
        assert wire.from_json(wire.to_json(value)) == value
    with pytest.raises(MlopsError, match="remote asset"):
        relative({"uri": "http://x"}, False)


@pytest.mark.parametrize("signature", [wire.RESOURCE, "0" * 32])
def test_other_signatures_are_refused(signature: str) -> None:
    with pytest.raises(MlopsError, match="not implemented"):
        wire.from_json({wire.SIGNATURE: signature})


@pytest.mark.parametrize(
    ("value", "pattern", "marked"),
    [
        ({"a": 1, "b": 2}, {"a": Secret(0)}, {"a": Secret(1), "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": Secret(0)}}, {"a": {"b": Secret(1), "c": 2}}),
        ([1, 2], [Secret(0), 0], [Secret(1), 2]),
        ([1, 2, 3], [Secret(0)], Secret([1, 2, 3])),
        ("text", {"a": Secret(0)}, Secret("text")),
        (Secret(1), Secret(0), Secret(1)),
        ({"a": 1}, {"a": 2}, {"a": 1}),
    ],
)
def test_secrets_are_marked_again(value: Value, pattern: Value, marked: Value) -> None:
    assert mark_like(value, pattern) == marked
