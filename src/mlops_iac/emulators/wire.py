"""Pulumi's wire format: protobuf `Struct`s to and from `mlops_iac.values`.

Signatures and sentinels are Pulumi's own (sdk/go/common/resource/properties.go and
sdk/python/lib/pulumi/runtime/rpc.py). Importing this module imports neither protobuf nor pulumi;
`to_struct` does when called.

Accepted: unknowns (all seven sentinels), secrets, first-class outputs, file and text assets, and
archives that are one packed file.
Refused with `WireError`: archives of folders or of assets, remote assets, resource references.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mlops_iac.values import UNKNOWN, Asset, Properties, Secret, Unknown, Value

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
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


class WireError(ValueError):
    """A value of the wire format that is not supported; the message names what it is."""


def from_struct(struct: Any) -> dict[str, Value]:
    """A `google.protobuf.Struct` as properties. Raises WireError."""
    return {key: _from_pb(item) for key, item in struct.fields.items()}


def _from_pb(value: Any) -> Value:
    match value.WhichOneof("kind"):
        case "string_value":
            text: str = value.string_value
            return UNKNOWN if text in UNKNOWN_SENTINELS else text
        case "number_value":
            number: float = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return bool(value.bool_value)
        case "struct_value":
            return _marked({k: _from_pb(v) for k, v in value.struct_value.fields.items()})
        case "list_value":
            return [_from_pb(item) for item in value.list_value.values]
        case _:
            return None


def from_json(value: Any) -> Value:
    """The same for plain JSON that carries Pulumi's signatures (checkpoint files)."""
    match value:
        case str():
            return UNKNOWN if value in UNKNOWN_SENTINELS else value
        case float() if value.is_integer():
            return int(value)
        case Mapping():
            return _marked({key: from_json(item) for key, item in value.items()})
        case list() | tuple():
            return [from_json(item) for item in value]
        case _:
            return value


def _marked(fields: dict[str, Any]) -> Value:
    """A plain dict, or the marker that its signature stands for."""
    match fields.get(SIGNATURE_KEY):
        case None:
            return fields
        case str(signature) if signature == SECRET:
            return Secret(fields.get("value"))
        case str(signature) if signature == OUTPUT:
            inner = fields.get("value", UNKNOWN)
            return Secret(inner) if fields.get("secret") else inner
        case str(signature) if signature == ASSET:
            return _asset(fields)
        case str(signature) if signature == ARCHIVE:
            return _archive(fields)
        case str(signature) if signature == RESOURCE:
            raise WireError("resource references are not supported; pass the id")
        case other:
            raise WireError(f"unknown signature {other!r}")


def _asset(fields: Mapping[str, Any]) -> Asset:
    path, text = fields.get("path") or None, fields.get("text")
    if fields.get("uri"):
        raise WireError("remote assets are not supported; download the file first")
    digest = fields.get("hash") or ""
    if path is not None:
        return Asset(hash=digest or file_hash(path), path=str(path))
    if text is None and not digest:
        raise WireError("an asset needs a path or a text")
    if text is None:  # the engine keeps no more than the hash of an asset in its state
        return Asset(hash=digest)
    return Asset(hash=digest or text_hash(str(text)), text=str(text))


def _archive(fields: Mapping[str, Any]) -> Asset:
    path = fields.get("path")
    if not path and fields.get("hash"):
        return Asset(hash=fields["hash"], archive=True)
    if not path or Path(str(path)).is_dir():
        raise WireError("only archives that are one packed file (.zip, .tar.gz) are supported")
    return Asset(hash=fields.get("hash") or file_hash(path), path=str(path), archive=True)


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


def to_json(value: Value, *, secrets: bool = True) -> Any:
    """`value` as JSON with Pulumi's signatures. `secrets=False` sends them unwrapped."""
    match value:
        case Unknown():
            return UNKNOWN_SENTINEL
        case Secret(inner):
            plain = to_json(inner, secrets=secrets)
            return {SIGNATURE_KEY: SECRET, "value": plain} if secrets else plain
        case Asset(hash=digest, path=path, archive=True):
            packed = {SIGNATURE_KEY: ARCHIVE, "hash": digest}
            return packed if path is None else {**packed, "path": path}
        case Asset(hash=digest, path=path, text=text):
            body = {} if text is None else {"text": text}
            return {
                SIGNATURE_KEY: ASSET,
                "hash": digest,
                **(body if path is None else {"path": path}),
            }
        case Mapping():
            return {key: to_json(item, secrets=secrets) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item, secrets=secrets) for item in value]
        case _:
            return value


def to_struct(properties: Properties, *, secrets: bool = True) -> Any:
    """Properties as a `google.protobuf.Struct`. Nulls inside are kept, as Pulumi keeps them."""
    from google.protobuf import struct_pb2

    struct = struct_pb2.Struct()
    struct.update(to_json(properties, secrets=secrets))
    return struct
