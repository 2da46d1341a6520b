"""Property values between our form, Pulumi's JSON form and protobuf `Struct`s.

Signatures and sentinels are Pulumi's own (sdk/go/common/resource/properties.go and
sdk/python/lib/pulumi/runtime/rpc.py): an asset has `path` or `text` and a `hash`, an archive the
same with another signature, a secret `value` (or `ciphertext` in a state). Importing this module
imports neither protobuf nor pulumi; `to_struct` does when called.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from mlops_iac.errors import MlopsError
from mlops_iac.values import UNKNOWN, Asset, Properties, Secret, Unknown, Value

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (a public signature)
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"

UNKNOWN_SENTINEL: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWN_SENTINELS: Final = frozenset(
    {
        UNKNOWN_SENTINEL,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


Seal = Callable[[Any], dict[str, Any]]
Unseal = Callable[[Mapping[str, Any]], Any]
# Data with a signature, and whether that is an archive's.
ReadAsset = Callable[[Mapping[str, Any], bool], Asset]


class WireError(MlopsError):
    """A value of the wire format that is not supported; the message names what it is."""


def to_json(value: Value, seal: Seal | None = None) -> Any:
    """`value` in Pulumi's JSON form. `seal` turns a secret's JSON form into its stored form."""
    match value:
        case Unknown():
            return UNKNOWN_SENTINEL
        case Secret(inner):
            plain = to_json(inner)
            return seal(plain) if seal else {SIGNATURE: SECRET, "value": plain}
        case Asset():
            form: dict[str, Any] = {SIGNATURE: ARCHIVE if value.archive else ASSET}
            form["hash"] = value.hash
            if value.path is not None:
                form["path"] = value.path
            if value.text is not None:
                form["text"] = value.text
            return form
        case Mapping():
            return {str(key): to_json(item, seal) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item, seal) for item in value]
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"a property value cannot be a {type(value).__name__}")


def as_written(data: Mapping[str, Any], archive: bool) -> Asset:
    """An asset as the data has it; nothing is looked at."""
    return Asset(data.get("hash", ""), data.get("path"), data.get("text"), archive=archive)


def from_json(
    data: Any, *, unseal: Unseal | None = None, read_asset: ReadAsset = as_written
) -> Value:
    """The inverse of `to_json`. Raises WireError for what is not implemented."""
    match data:
        case str():
            return UNKNOWN if data in UNKNOWN_SENTINELS else data
        case float():
            return int(data) if data.is_integer() else data
        case list():
            return [from_json(item, unseal=unseal, read_asset=read_asset) for item in data]
        case dict():
            if SIGNATURE in data:
                return _special(data, unseal, read_asset)
            return {
                key: from_json(item, unseal=unseal, read_asset=read_asset)
                for key, item in data.items()
            }
        case _:
            return data


def _special(data: dict[str, Any], unseal: Unseal | None, read_asset: ReadAsset) -> Value:
    kind = data[SIGNATURE]
    if kind == SECRET:
        plain = unseal(data) if "ciphertext" in data and unseal else data.get("value")
        inner = from_json(plain, unseal=unseal, read_asset=read_asset)
        return inner if isinstance(inner, Secret) else Secret(inner)
    if kind == OUTPUT:
        inner = from_json(data.get("value", UNKNOWN_SENTINEL), read_asset=read_asset)
        return Secret(inner) if data.get("secret") else inner
    if kind in (ASSET, ARCHIVE):
        return read_asset(data, kind == ARCHIVE)
    if kind == RESOURCE:
        raise WireError("a resource passed as a property value is not implemented")
    raise WireError(f"a property value with the signature {kind} is not implemented")


def hashed(data: Mapping[str, Any], archive: bool) -> Asset:
    """An asset with its hash, worked out where the data has none. Raises WireError.

    The engine keeps no more than the hash of an asset in its state.
    """
    path, text, digest = data.get("path") or None, data.get("text"), data.get("hash") or ""
    if data.get("uri"):
        raise WireError("remote assets are not supported; download the file first")
    if path is not None:
        if archive and Path(str(path)).is_dir():
            raise WireError("only archives that are one packed file (.zip, .tar.gz) are supported")
        return Asset(digest or file_hash(path), str(path), archive=archive)
    if text is not None and not archive:
        return Asset(digest or text_hash(str(text)), text=str(text))
    if not digest:
        raise WireError("an asset needs a path or a text, and an archive one packed file")
    return Asset(digest, archive=archive)


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file in hex, as Pulumi hashes a file asset. Raises WireError."""
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WireError(f"cannot read the asset {path}: {error.strerror}") from error


def text_hash(text: str) -> str:
    """SHA-256 of a text in hex, as Pulumi hashes a string asset."""
    return hashlib.sha256(text.encode()).hexdigest()


def from_struct(struct: Any, read_asset: ReadAsset = as_written) -> dict[str, Value]:
    """A protobuf `Struct` in our form."""
    return {
        key: from_json(_plain(item), read_asset=read_asset)
        for key, item in sorted(struct.fields.items())
    }


def _plain(value: Any) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            return value.number_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return {key: _plain(item) for key, item in sorted(value.struct_value.fields.items())}
        case "list_value":
            return [_plain(item) for item in value.list_value.values]
        case _:
            return None


def to_struct(properties: Properties) -> Any:
    """Our form as a protobuf `Struct`, secrets in clear beside their signature, as the SDK wants."""
    from google.protobuf import struct_pb2

    struct = struct_pb2.Struct()
    for key, item in properties.items():
        _fill(struct.fields[key], to_json(item))
    return struct


def _fill(target: Any, plain: Any) -> None:
    match plain:
        case None:
            target.null_value = 0
        case bool():
            target.bool_value = plain
        case int() | float():
            target.number_value = plain
        case str():
            target.string_value = plain
        case dict():
            target.struct_value.SetInParent()
            for key, item in plain.items():
                _fill(target.struct_value.fields[key], item)
        case _:
            target.list_value.SetInParent()
            for item in plain:
                _fill(target.list_value.values.add(), item)
