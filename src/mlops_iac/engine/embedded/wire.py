"""Property values between our form, Pulumi's JSON form and protobuf structs.

The signatures are those of `sdk/go/common/resource/sig`; an asset has `path` or `text` and a
`hash`, an archive the same with another signature, a secret `value` (or `ciphertext` in a state).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from mlops_iac.emulators import wire
from mlops_iac.errors import MlopsError
from mlops_iac.values import UNKNOWN, Asset, Properties, Secret, Unknown, Value

SIGNATURE: Final = wire.SIGNATURE_KEY
SECRET: Final = wire.SECRET
ASSET: Final = wire.ASSET
ARCHIVE: Final = wire.ARCHIVE
RESOURCE: Final = wire.RESOURCE
OUTPUT: Final = wire.OUTPUT
UNKNOWN_TEXT: Final = wire.UNKNOWN_SENTINEL

Seal = Callable[[Any], dict[str, Any]]
Unseal = Callable[[Mapping[str, Any]], Any]
ReadAsset = Callable[[Mapping[str, Any], bool], Asset]


def to_json(value: Value, seal: Seal | None = None) -> Any:
    """`value` in Pulumi's JSON form. `seal` turns a secret's JSON form into its stored form."""
    match value:
        case Unknown():
            return UNKNOWN_TEXT
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


def from_json(
    data: Any, *, unseal: Unseal | None = None, read_asset: ReadAsset | None = None
) -> Value:
    """The inverse of `to_json`. Raises MlopsError for what the engine does not implement."""
    match data:
        case str():
            return UNKNOWN if data == UNKNOWN_TEXT else data
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


def _special(data: dict[str, Any], unseal: Unseal | None, read_asset: ReadAsset | None) -> Value:
    match data[SIGNATURE]:
        case "1b47061264138c4ac30d75fd1eb44270":
            plain = unseal(data) if "ciphertext" in data and unseal else data.get("value")
            inner = from_json(plain, unseal=unseal, read_asset=read_asset)
            return inner if isinstance(inner, Secret) else Secret(inner)
        case ("c44067f5952c0a294b673a41bacd8c17" | "0def7320c3a5731c473e5ecbe6d01bc7") as kind:
            if read_asset is not None:
                return read_asset(data, kind == ARCHIVE)
            return Asset(
                data.get("hash", ""), data.get("path"), data.get("text"), archive=kind == ARCHIVE
            )
        case "5cf8f73096256a8f31e491e813e4eb8e":
            raise MlopsError("a resource passed as a property value is not implemented")
        case other:
            raise MlopsError(f"a property value with the signature {other} is not implemented")


def from_struct(struct: Any, read_asset: ReadAsset | None = None) -> dict[str, Value]:
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


class AssetReader:
    """Hashes the assets of one run; paths are taken relative to the program's folder.

    `absolute` decides how paths are handed on: providers open the file, a lock file compares it.
    """

    def __init__(self, program: Path, *, absolute: bool) -> None:
        self._program = program
        self._absolute = absolute

    def __call__(self, data: Mapping[str, Any], archive: bool) -> Asset:
        """Raises MlopsError for a missing file, a directory, a URI or an archive of assets."""
        what = "archive" if archive else "asset"
        if (text := data.get("text")) is not None:
            return Asset(sha256(text.encode()).hexdigest(), text=text, archive=archive)
        if data.get("path") is None:
            kind = "an archive made of assets" if "assets" in data else f"a remote {what}"
            raise MlopsError(
                f"{kind} is not implemented by the embedded engine",
                hint="pack the files into one archive and pass its path",
            )
        path = self._program / data["path"]
        if path.is_dir():
            raise MlopsError(
                f"the {what} {data['path']} is a directory, which the embedded engine refuses",
                hint="pack it into one archive and pass its path",
            )
        try:
            digest = sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise MlopsError(f"cannot read the {what} {path}: {error.strerror}") from error
        shown = str(path.resolve()) if self._absolute else data["path"]
        return Asset(digest, path=shown, archive=archive)


def mark_like(value: Value, pattern: Value) -> Value:
    """`value` with a secret wherever `pattern` has one; what is of another shape, as a whole."""
    from mlops_iac.values import contains_secret, reveal

    match pattern:
        case Secret():
            return value if isinstance(value, Secret) else Secret(reveal(value))
        case Mapping() if isinstance(value, Mapping):
            # What is secret and has no place of that name may have come back under another.
            if any(contains_secret(item) for key, item in pattern.items() if key not in value):
                return Secret(reveal(value))
            return {
                key: mark_like(item, pattern[key]) if key in pattern else item
                for key, item in value.items()
            }
        case list() | tuple() if isinstance(value, list | tuple):
            if len(value) == len(pattern):
                return [mark_like(a, b) for a, b in zip(value, pattern, strict=True)]
            return Secret(reveal(value)) if contains_secret(pattern) else value
        case _ if contains_secret(pattern) and not isinstance(value, Secret):
            return Secret(reveal(value))
    return value
