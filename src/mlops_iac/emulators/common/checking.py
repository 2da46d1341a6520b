"""Checks inputs against the SDK's property names and types, as the real provider's `Check` does.

What only the API knows (enums, patterns, lengths) is checked at create, against its own model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mlops_iac.blueprint.words import nearest
from mlops_iac.emulators.common.schema import Spec, variant
from mlops_iac.emulators.provider import CheckFailure
from mlops_iac.values import Asset, Secret, Unknown, Value


def check_inputs(inputs: Mapping[str, Value], fields: Mapping[str, Spec]) -> list[CheckFailure]:
    """Every unknown, missing or mistyped property, in the order of the schema."""
    return [
        CheckFailure(path, reason)
        for path, reason in _object(inputs, {"type": "object", "fields": fields}, "")
    ]


def _object(value: Mapping[str, Value], spec: Spec, path: str) -> Iterator[tuple[str, str]]:
    fields: Mapping[str, Spec] = spec["fields"]
    for name, item in value.items():
        if name.startswith("__"):  # the engines' own marks
            continue
        here = f"{path}.{name}" if path else name
        if name not in fields:
            near = nearest(name, fields)
            meant = f", did you mean '{near}'?" if near else ""
            yield here, f"there is no property '{name}'{meant}"
        elif item is not None:
            yield from _value(item, fields[name], here)
    for name, field in fields.items():
        if field.get("required") and value.get(name) is None:
            yield (f"{path}.{name}" if path else name), "this property is required"


def _value(value: Value, spec: Spec, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case Unknown():
            return
        case Secret(inner):
            if inner is not None:
                yield from _value(inner, spec, path)
            return
    spec = variant(spec, value)
    match spec["type"]:
        case "union":
            yield from _no_variant(value, spec, path)
        case "object":
            if isinstance(value, Mapping):
                yield from _object(value, spec, path)
            else:
                yield path, f"an object is expected, not {_kind(value)}"
        case "list":
            if not isinstance(value, list | tuple):
                yield path, f"a list is expected, not {_kind(value)}"
                return
            for index, item in enumerate(value):
                yield from _value(item, spec["items"], f"{path}[{index}]")
        case "map":
            if not isinstance(value, Mapping):
                yield path, f"a map is expected, not {_kind(value)}"
                return
            for key, item in value.items():
                yield from _value(item, spec["items"], f"{path}.{key}")
        case simple:
            if not _fits(value, simple):
                yield path, f"{_NAMES.get(simple, simple)} is expected, not {_kind(value)}"
            else:
                yield from _no_value(value, spec.get("values"), path)


def _no_variant(value: Value, spec: Spec, path: str) -> Iterator[tuple[str, str]]:
    """Why a value is none of a union's objects."""
    by, options = spec["by"], spec["options"]
    if not isinstance(value, Mapping):
        yield path, f"an object is expected, not {_kind(value)}"
        return
    said = value.get(by)
    if not isinstance(said, Unknown):
        yield f"{path}.{by}", f"it must be one of {', '.join(sorted(options))}, not {said!r}"


def _no_value(value: str, values: Collection[str] | None, path: str) -> Iterator[tuple[str, str]]:
    """Why a text is none of an enumeration; in which letters it is written does not matter."""
    if values is not None and value.lower() not in {each.lower() for each in values}:
        near = nearest(value, values)
        others = f", but {', '.join(sorted(values)[:8])}"
        yield path, f"there is no '{value}'" + (f", did you mean '{near}'?" if near else others)


_NAMES = {
    "string": "text",
    "int": "a whole number",
    "number": "a number",
    "bool": "true or false",
    "asset": "an asset",
}


def _fits(value: Any, simple: str) -> bool:
    match simple:
        case "string":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool) or value in ("true", "false")
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "asset":
            return isinstance(value, Asset)
        case _:
            return True


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return type(value).__name__.lower()
