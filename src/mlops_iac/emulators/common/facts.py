"""What a real provider says about each property of each resource type: data's reader.

The files of a cloud's folder `facts/` are written by a tool, never by hand. Their source is the
provider itself, planning from crafted states; each file and each fact names source and version. A
property that only the SDK knows has no fact: `replaces` is None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from mlops_iac.emulators.common.schema import read_type

Kind = Literal["string", "number", "integer", "bool", "list", "set", "map", "object", "json"]
ChangeKind = Literal["add", "delete", "update"]

# Kinds whose inside has no facts of its own.
_WHOLE = ("map", "json", "string")
_INDEX = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class PropertyFact:
    """One property.

    `path` is Pulumi's (`productionVariants.instanceType`), `tf_path` the provider's
    (`production_variants.instance_type`, empty where the provider asked has no such property);
    neither carries indices. `kind` is `object` for a flattened block, `list` or `set` for several
    values, whose own type is `element` (`object` for blocks). `asset` marks what takes a Pulumi
    asset or archive.
    `replaces` answers for a changed value; `replaces_on_add` and `replaces_on_delete` for one that
    appears or goes. None: not known, so it may. `source` says where the three come from.
    `default` is what the provider plans for an absent value, None where that is nothing.
    """

    path: str
    tf_path: str
    kind: Kind
    element: Kind | None = None
    required: bool = False
    computed: bool = False
    optional: bool = False
    sensitive: bool = False
    json: bool = False
    asset: bool = False
    max_items: int | None = None
    replaces: bool | None = None
    replaces_on_add: bool | None = None
    replaces_on_delete: bool | None = None
    default: Any = None
    source: str = ""

    def replaces_when(self, change: ChangeKind) -> bool | None:
        """Whether that kind of change forces a replacement; None where there is no fact."""
        match change:
            case "add":
                return self.replaces_on_add
            case "delete":
                return self.replaces_on_delete
            case "update":
                return self.replaces


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """One resource type. `properties` are its inputs by path, nested ones included.

    `outputs` are what only the cloud computes (`selfLink`). `source` is the provider and version that
    was asked (`PROVIDER VERSION`), `version` the SDK whose names these are.
    """

    type: str
    tf_name: str
    source: str
    version: str
    properties: Mapping[str, PropertyFact]
    outputs: Mapping[str, PropertyFact]


@dataclass(frozen=True)
class Facts:
    """The facts of one cloud's types, a file of a folder each."""

    folder: Path

    def of(self, type_: str) -> TypeFacts | None:
        """Facts of a type; None where none were generated."""
        return _of(self.folder, type_)

    def properties(self, type_: str) -> Mapping[str, PropertyFact]:
        """Input properties by path; empty for a type without facts."""
        facts = self.of(type_)
        return facts.properties if facts else MappingProxyType({})

    def replaces(
        self, type_: str, path: str, change: ChangeKind | None = None, value: Any = None
    ) -> tuple[bool | None, str]:
        """Whether a difference at `path` forces a replacement, and who says so.

        `path` may have indices and map keys (`tags["a.b"]`, `productionVariants[0].instanceType`).
        Without `change` the worst kind answers. `value` is a block that appears or goes as a whole: what
        it contains appears or goes with it. A block whose content is not given and could force one is
        None, as is everything without a fact; the source is empty then.
        """
        properties = self.properties(type_)
        plain = _INDEX.sub("", path)
        fact = properties.get(plain)
        while fact is None and "." in plain:
            plain = plain.rpartition(".")[0]
            if plain in properties:
                # A key of a map, or a place in a document: the whole answers.
                fact = properties[plain] if properties[plain].kind in _WHOLE else None
                break
        if fact is None:
            return None, ""
        kinds: tuple[ChangeKind, ...] = (change,) if change else ("update", "add", "delete")
        answers = [fact.replaces_when(kind) for kind in kinds]
        inside = properties if value is None else {f"{plain}.{each}" for each in _paths(value)}
        below = [
            properties[each].replaces_when(kind)
            for each in inside
            if each.startswith(f"{plain}.") and each in properties
            for kind in kinds
            if kind != "update"
        ]
        if True in answers or (value is not None and True in below):
            return True, fact.source
        if None in answers or True in below:
            return None, ""
        return False, fact.source

    @cached_property
    def digest(self) -> str:
        """SHA-256 over every fact, in hex: what plans that were made by them are bound to."""
        whole = sha256()
        for file in sorted(self.folder.glob("*.json")):
            whole.update(f"{file.name}\0".encode() + sha256(file.read_bytes()).digest())
        return whole.hexdigest()

    def types(self) -> list[str]:
        """Every type that has facts, sorted."""
        files = self.folder.glob("*.json")
        return sorted(json.loads(file.read_text(encoding="utf-8"))["type"] for file in files)


@cache
def _of(folder: Path, type_: str) -> TypeFacts | None:
    data = read_type(folder, type_)
    if data is None:
        return None
    return TypeFacts(
        type=type_,
        tf_name=data["tf_name"],
        source=data["source"],
        version=data["version"],
        properties=_read(data["properties"], data["source"]),
        outputs=_read(data["outputs"], data["source"]),
    )


def _paths(value: Any) -> set[str]:
    """Every property path inside a value, without indices."""
    found: set[str] = set()
    for each in value if isinstance(value, list | tuple) else [value]:
        if isinstance(each, Mapping):
            for key, item in each.items():
                found |= {key} | {f"{key}.{inner}" for inner in _paths(item)}
    return found


_FIELDS = {field.name for field in fields(PropertyFact)}


def _read(rows: Mapping[str, Mapping[str, Any]], source: str) -> Mapping[str, PropertyFact]:
    facts = {}
    for path, row in rows.items():
        unknown = row.keys() - _FIELDS
        if unknown:
            raise ValueError(f"facts of {path} carry unknown fields: {sorted(unknown)}")
        known = any(row.get(key) is not None for key in _REPLACES)
        facts[path] = PropertyFact(path=path, **{"source": source if known else "", **row})
    return MappingProxyType(facts)


_REPLACES = ("replaces", "replaces_on_add", "replaces_on_delete")
