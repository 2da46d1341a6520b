"""ARM's requests held to Microsoft's own types (bicep-types-az), which nobody here wrote.

The folder is `../shared/oracles/azure` beside the checkout, or what MLOPS_IAC_AZURE_TYPES names; tests say so
where it is absent. Enumerations are open there; here a text that is none of theirs is a mistake. Texts called
`description` were taken out of the types, so nothing is said about them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("MLOPS_IAC_AZURE_TYPES") or ROOT.parent / "shared/oracles/azure")
_REQUIRED, _READ_ONLY = 1, 2
_OUTER = ("id", "name", "type", "apiVersion")


class _Types:
    def __init__(self, file: Path) -> None:
        self._types = json.loads(file.read_text(encoding="utf-8"))

    def at(self, reference: Mapping[str, str]) -> Any:
        return self._types[int(reference["$ref"].rpartition("/")[2])]

    def problems(self, type_: Any, value: Any, path: str) -> Iterator[str]:
        kind = type_["$type"]
        if kind == "StringType":
            yield from _text(type_, value, path)
        elif kind == "StringLiteralType" and value != type_["value"]:
            yield f"{path}: {type_['value']!r} is expected"
        elif kind == "IntegerType":
            yield from _number(type_, value, path)
        elif kind == "BooleanType" and not isinstance(value, bool):
            yield f"{path}: true or false is expected"
        elif kind == "ArrayType":
            if not isinstance(value, list):
                yield f"{path}: a list is expected"
                return
            for index, item in enumerate(value):
                yield from self.problems(self.at(type_["itemType"]), item, f"{path}[{index}]")
        elif kind == "UnionType":
            yield from self._union(type_, value, path)
        elif kind in ("ObjectType", "DiscriminatedObjectType"):
            yield from self._object(type_, value, path)

    def _union(self, type_: Any, value: Any, path: str) -> Iterator[str]:
        members = [self.at(each) for each in type_["elements"]]
        texts = [each["value"] for each in members if each["$type"] == "StringLiteralType"]
        if texts and isinstance(value, str):
            if value not in texts:
                yield f"{path}: {value!r} is none of {texts[:6]}"
        elif all([*self.problems(each, value, path)] for each in members):
            yield f"{path}: it is none of what it may be"

    def _object(self, type_: Any, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{path}: an object is expected"
            return
        tag = type_.get("discriminator")
        if tag and value.get(tag) not in type_["elements"]:
            yield f"{path}.{tag}: {value.get(tag)!r} is none of {list(type_['elements'])}"
            return
        known = self._properties(type_, value)
        for name, (_, flags) in known.items():
            outer = not path and name in _OUTER
            if flags & _REQUIRED and not flags & _READ_ONLY and name not in value and not outer:
                yield f"{path}.{name}: it is required"
        rest = type_.get("additionalProperties")
        for name, item in value.items():
            if name in known:
                if known[name][1] & _READ_ONLY:
                    yield f"{path}.{name}: it is read-only"
                yield from self.problems(known[name][0], item, f"{path}.{name}")
            elif rest:
                yield from self.problems(self.at(rest), item, f"{path}.{name}")
            elif name != "description":
                yield f"{path}.{name}: there is no such property"

    def _properties(self, type_: Any, value: Mapping[str, Any]) -> dict[str, tuple[Any, int]]:
        said = type_["properties" if type_["$type"] == "ObjectType" else "baseProperties"]
        found = {name: (self.at(each["type"]), each["flags"]) for name, each in said.items()}
        if type_["$type"] == "DiscriminatedObjectType":
            chosen = type_["elements"].get(value.get(type_["discriminator"]))
            found |= self._properties(self.at(chosen), value) if chosen else {}
        return found


def _text(type_: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: text is expected"
    elif "pattern" in type_ and not re.search(type_["pattern"], value):
        yield f"{path}: {value!r} is not of the form {type_['pattern']}"
    elif not type_.get("minLength", 0) <= len(value) <= type_.get("maxLength", len(value)):
        yield f"{path}: {len(value)} characters are too few or too many"


def _number(type_: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{path}: a number is expected"
    elif not type_.get("minValue", value) <= value <= type_.get("maxValue", value):
        yield f"{path}: {value} is out of range"


@cache
def _index() -> dict[str, Any]:
    known = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
    return {each["arm"].lower(): each for each in known.values()}


@cache
def _load(file: str) -> _Types:
    return _Types(FOLDER / file)


def problems(arm: str, version: str, body: Mapping[str, Any]) -> list[str]:
    """What is wrong with a body that is put; `version` is the API's that it is put by."""
    known = _index()[arm.lower()]
    if known["apiVersion"] != version:
        return [f"the types are those of {known['apiVersion']}, not of {version}"]
    types = _load(known["file"])
    return [*types.problems(types.at({"$ref": "#/0"}), body, "")]
