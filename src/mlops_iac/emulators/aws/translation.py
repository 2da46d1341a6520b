"""Pulumi's properties to API parameters and back, guided by botocore's service models.

One mapper finds each camelCase property in the operation's own shape, whatever the API's spelling
(`kmsMasterKeyId` → `KMSMasterKeyID`, `rules` → `Rule`), flattens and wraps lists of one, and writes
tag maps in the API's style. Only exceptions are told to it, as `renames` by dotted path. A
property without a member is an error: nothing is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.common.schema import Spec
from mlops_iac.emulators.provider import ProviderError
from mlops_iac.values import Asset, Properties, Secret, Value

Renames = Mapping[str, str]
_NONE: Renames = {}


def to_api(
    shape: Any, properties: Properties, renames: Renames = _NONE, *, path: str = ""
) -> dict[str, Any]:
    """Parameters of `shape` (a botocore structure) from `properties`.

    `renames` maps dotted property paths to member names. Null values are left out. Raises
    ProviderError for a property that the shape has no member for.
    """
    result: dict[str, Any] = {}
    for name, value in properties.items():
        value = value.value if isinstance(value, Secret) else value
        if value is None or name.startswith("__"):
            continue
        here = f"{path}.{name}" if path else name
        member = find_member(shape, name, here, renames)
        if member is None:
            raise ProviderError(
                f"{here}: {shape.name} of the AWS API has no such member"
                f" (it has {', '.join(shape.members)})"
            )
        result[member] = _to(shape.members[member], value, renames, here)
    return result


def find_member(shape: Any, name: str, path: str, renames: Renames) -> str | None:
    """The member of `shape` that a property stands for, or None."""
    renamed = renames.get(path)
    if renamed is not None:
        return renamed if renamed in shape.members else None
    folded: dict[str, str] = {member.lower(): member for member in shape.members}
    for candidate in _spellings(name.lower()):
        if candidate in folded:
            return folded[candidate]
    return None


def _spellings(name: str) -> list[str]:
    """A name as it is, in the plural and in the singular."""
    spellings = [name, name + "s"]
    if name.endswith("y"):
        spellings.append(name[:-1] + "ies")
    if name.endswith("ies"):
        spellings.append(name[:-3] + "y")
    if name.endswith("s"):
        spellings.append(name[:-1])
    return spellings


def _to(shape: Any, value: Value, renames: Renames, path: str) -> Any:
    value = value.value if isinstance(value, Secret) else value
    kind = shape.type_name
    if kind == "structure":
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        if not isinstance(value, Mapping):
            raise ProviderError(f"{path}: the AWS API takes an object ({shape.name}) here")
        return to_api(shape, value, renames, path=path)
    if kind == "list":
        pair = _pair(shape.member)
        if isinstance(value, Mapping) and pair is not None:
            return [{pair[0]: key, pair[1]: str(item)} for key, item in value.items()]
        items = value if isinstance(value, list | tuple) else [value]
        return [_to(shape.member, item, renames, path) for item in items]
    if kind == "map":
        if not isinstance(value, Mapping):
            raise ProviderError(f"{path}: the AWS API takes a map ({shape.name}) here")
        return {key: _to(shape.value, item, renames, path) for key, item in value.items()}
    return _scalar(kind, value, path)


def _scalar(kind: str, value: Any, path: str) -> Any:
    try:
        match kind:
            case "string" if isinstance(value, bool):
                return str(value).lower()
            case "string" if isinstance(value, int | float):
                return str(value)
            case "integer" | "long" if isinstance(value, str):
                return int(value)
            case "float" | "double" if isinstance(value, str | int):
                return float(value)
            case "boolean" if isinstance(value, str):
                return {"true": True, "false": False}[value.lower()]
            case "blob" if isinstance(value, Asset):
                return asset_bytes(value)
            case _:
                return value
    except (ValueError, KeyError) as error:
        raise ProviderError(f"{path}: {value!r} is not a {kind}") from error


def asset_bytes(asset: Asset) -> bytes:
    """The content of an asset. Raises ProviderError when its file cannot be read."""
    from pathlib import Path

    if asset.path is None and asset.text is None:
        raise ProviderError("the content of an asset is not known, only its hash")
    if asset.path is None:
        return str(asset.text).encode()
    try:
        return Path(asset.path).read_bytes()
    except OSError as error:
        raise ProviderError(f"cannot read {asset.path}: {error.strerror}") from error


def _pair(shape: Any) -> tuple[str, str] | None:
    """Key and value members of a list entry that writes a map (tags, dimensions)."""
    if shape.type_name != "structure" or len(shape.members) != 2:
        return None
    for key in ("Key", "key", "TagKey", "Name"):
        for value in ("Value", "value", "TagValue"):
            if {key, value} == set(shape.members):
                return key, value
    return None


def from_api(
    shape: Any,
    data: Mapping[str, Any],
    fields: Mapping[str, Spec],
    renames: Renames = _NONE,
    *,
    path: str = "",
) -> dict[str, Value]:
    """What of an API answer the properties `fields` stand for. Absent members are left out."""
    result: dict[str, Value] = {}
    for name, spec in fields.items():
        here = f"{path}.{name}" if path else name
        member = find_member(shape, name, here, renames)
        if member is None or data.get(member) is None:
            continue
        result[name] = _from(shape.members[member], data[member], spec, renames, here)
    return result


def _from(shape: Any, data: Any, spec: Spec, renames: Renames, path: str) -> Value:
    wanted = spec["type"]
    if wanted == "object":
        if shape.type_name == "list":
            shape, data = shape.member, data[0] if data else {}
        return from_api(shape, data, spec["fields"], renames, path=path)
    if wanted == "list":
        if shape.type_name != "list":
            return [_from(shape, data, spec["items"], renames, path)]
        return [_from(shape.member, item, spec["items"], renames, path) for item in data]
    if wanted == "map":
        return as_map(data)
    if isinstance(data, list):
        data = data[0] if data else None
    return _plain(data, wanted)


def as_map(data: Any) -> dict[str, Any]:
    """A map from the API's map, or from its list of keys and values."""
    if isinstance(data, Mapping):
        return {str(key): value for key, value in data.items()}
    found = {}
    for item in data:
        key = next(item[k] for k in ("Key", "key", "TagKey", "Name") if k in item)
        found[key] = next((item[v] for v in ("Value", "value", "TagValue") if v in item), "")
    return found


def _plain(data: Any, wanted: str) -> Value:
    match wanted:
        case "string" if isinstance(data, dict | list):
            return json.dumps(data)
        case "string" if isinstance(data, bool):
            return str(data).lower()
        case "string" if not isinstance(data, str):
            return data.isoformat() if hasattr(data, "isoformat") else str(data)
        case "int" if not isinstance(data, bool):
            return int(data)
        case "number" if not isinstance(data, bool):
            number = float(data)
            return int(number) if number.is_integer() else number
        case "bool" if isinstance(data, str):
            return data.lower() == "true"
        case _:
            return data


def as_text(document: Any) -> str:
    """A policy as text: boto3 parses some documents on its own."""
    return document if isinstance(document, str) else json.dumps(document)
