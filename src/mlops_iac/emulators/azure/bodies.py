"""Between Pulumi's inputs and the bodies of ARM's requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.azure.tables import INSIDE, Row
from mlops_iac.emulators.common.schema import Spec, variant
from mlops_iac.values import Properties

_ANY: Spec = {"type": "any"}
# Of what ARM says of every resource.
_ALWAYS = ("id", "name", "type")


def to_body(row: Row, inputs: Properties) -> dict[str, Any]:
    """The body that `PUT` takes, of plain inputs."""
    body: dict[str, Any] = {}
    for name, value in inputs.items():
        if name.startswith("__") or value is None or _stands_elsewhere(row, name):
            continue
        place = row.places.get(name, f"{INSIDE}{name}" if row.inside else name)
        _put(body, place, _out(value, row.inputs.get(name, _ANY)))
    return body


def from_body(row: Row, body: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs and outputs of a resource, of ARM's answer."""
    found: dict[str, Any] = {"azureApiVersion": row.version}
    for name, spec in row.inputs.items():
        if not _stands_elsewhere(row, name):
            place = row.places.get(name, f"{INSIDE}{name}" if row.inside else name)
            if (value := _get(body, place)) is not None:
                found[name] = _in(value, spec)
    inner = body.get("properties", {}) if row.inside else {}
    # `ConnectionString` of some services is `connectionString` in the SDK.
    told = {key.lower().replace("_", ""): value for key, value in {**body, **inner}.items()}
    for name in (*row.outputs, "id"):
        value = body.get(name) if name in _ALWAYS else told.get(name.lower())
        if value is not None:
            found[name] = value
    return found


def unplaced(row: Row, body: Mapping[str, Any]) -> list[str]:
    """The members of a body that no input stands for."""
    places = {
        row.places.get(name, f"{INSIDE}{name}" if row.inside else name)
        for name in row.inputs
        if not _stands_elsewhere(row, name)
    }
    inner = body.get("properties") if row.inside else None
    written = [key for key in body if not (key == "properties" and row.inside)]
    written += [f"{INSIDE}{key}" for key in inner or {}]
    return sorted({*written} - places - {*_ALWAYS})


def _stands_elsewhere(row: Row, name: str) -> bool:
    """In the id, or in the query."""
    return name in row.path or name in row.query or name == "resourceGroupName"


def _put(body: dict[str, Any], place: str, value: Any) -> None:
    if place.startswith(INSIDE):
        body.setdefault("properties", {})[place.removeprefix(INSIDE)] = value
    else:
        body[place] = value


def _get(body: Mapping[str, Any], place: str) -> Any:
    if place.startswith(INSIDE):
        return (body.get("properties") or {}).get(place.removeprefix(INSIDE))
    return body.get(place)


def _out(value: Any, spec: Spec) -> Any:
    spec = variant(spec, value)
    if isinstance(value, list | tuple):
        return [_out(item, spec.get("items", _ANY)) for item in value]
    if not isinstance(value, Mapping):
        return value
    if spec["type"] == "map":
        return {key: _out(item, spec["items"]) for key, item in value.items()}
    fields, places, keys = spec.get("fields", {}), spec.get("places", {}), spec.get("keys", ())
    made: dict[str, Any] = {}
    for name, item in value.items():
        if item is not None:
            # A list of texts here is an object with these keys there.
            told = {key: {} for key in item} if name in keys else _out(item, fields.get(name, _ANY))
            _put(made, places.get(name, name), told)
    return made


def _in(value: Any, spec: Spec) -> Any:
    if spec["type"] == "union" and isinstance(value, Mapping):
        # What tells the variants apart may have another name there, the same in each.
        by = str(spec["by"])
        places = next(iter(spec["options"].values()))["places"]
        spec = variant(spec, {by: _get(value, places.get(by, by))})
    else:
        spec = variant(spec, value)
    if isinstance(value, list):
        return [_in(item, spec.get("items", _ANY)) for item in value]
    if not isinstance(value, Mapping):
        return value
    if spec["type"] != "object":
        items = spec.get("items", _ANY)
        return {key: _in(item, items) for key, item in value.items()}
    places = {name: spec["places"].get(name, name) for name in spec["fields"]}
    known = {
        place.partition(".")[0] if place.startswith(INSIDE) else place for place in places.values()
    }
    # What the service alone says, and what is mistyped, keeps its name.
    found = {name: item for name, item in value.items() if name not in known}
    for name, place in places.items():
        item = _get(value, place)
        if item is not None:
            field = spec["fields"][name]
            found[name] = sorted(item) if name in spec["keys"] else _in(item, field)
    return found
