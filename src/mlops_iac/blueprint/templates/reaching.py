"""What a path with `*` can lead to in the language, and every place of a blueprint that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mlops_iac.blueprint.fields import (
    ANY_KEY,
    AnyType,
    FieldType,
    MapType,
    below,
    fields_of,
    sections_of,
)
from mlops_iac.blueprint.layers import ROOT
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.words import join

Reached = tuple[str, FieldType, Any]


def kinds_at(keys: Iterable[str | int]) -> list[FieldType]:
    """The types of the fields that a path names; none where there is no such field."""
    kinds: list[FieldType] = [ROOT]
    for key in keys:
        kinds = [inner for kind in kinds for inner in below(kind, str(key))]
    return kinds


def beside(keys: Sequence[str]) -> list[str]:
    """The fields of which only one can be there, beside the last of a path."""
    sections = [section for kind in kinds_at(keys[:-1]) for section in sections_of(kind)]
    groups = [group for section in sections for group in section.ALTERNATIVES if keys[-1] in group]
    return list(dict.fromkeys(key for group in groups for key in group if key != keys[-1]))


def reach(blueprint: Blueprint, keys: Sequence[str]) -> Iterator[Reached]:
    """Each path of a blueprint that a pattern fits, with its type and value; None where unset."""
    for spelled in _spelled(blueprint, keys):
        yield from _reach(blueprint, ROOT, spelled, "")


def property_name(name: str) -> str:
    """The property of a resource that is meant: Pulumi takes `maxCapacity` and `max_capacity`."""
    return name.replace("_", "").lower()


def _spelled(blueprint: Blueprint, keys: Sequence[str]) -> Iterator[list[str]]:
    """The path; of a property in `overrides` as it is spelled there, and each of several ways."""
    if keys[0] != "overrides" or len(keys) < 3 or keys[2] == ANY_KEY:
        yield list(keys)
        return
    _, wanted, name, *rest = keys
    for address, properties in blueprint.overrides.items():
        if wanted in (ANY_KEY, address):
            same = [each for each in properties if property_name(each) == property_name(name)]
            for spelled in same or [name]:
                yield ["overrides", address, spelled, *rest]
    if wanted != ANY_KEY and wanted not in blueprint.overrides:
        yield list(keys)


def _reach(value: Any, kind: FieldType, keys: list[str], path: str) -> Iterator[Reached]:
    if not keys:
        yield path, kind, value
        return
    key, *rest = keys
    is_list = isinstance(value, list) and key == ANY_KEY
    if not (isinstance(value, Section | dict) or is_list):
        # Nothing, or a plain value where the path goes on: what it names is not there.
        if ANY_KEY not in keys:
            for part in keys:
                path = join(path, part)
            yield path, AnyType(), None
        return
    if is_list:
        for index, item in enumerate(value):
            yield from _reach(item, AnyType(), rest, f"{path}[{index}]")
        return
    for name, inner, child in _children(value, kind, key):
        yield from _reach(child, inner, rest, join(path, name))


def _children(value: Any, kind: FieldType, key: str) -> Iterator[Reached]:
    if isinstance(value, Section):
        for name, field in fields_of(type(value)).items():
            if key in (ANY_KEY, name):
                yield name, field.type, getattr(value, field.name)
        return
    inner = kind.value if isinstance(kind, MapType) else AnyType()
    if key == ANY_KEY:
        yield from ((str(name), inner, item) for name, item in value.items())
    else:
        yield key, inner, value.get(key)
