"""What a path with `*` can lead to in the language."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.blueprint.fields import (
    AnyType,
    ChoiceType,
    EitherType,
    FieldType,
    ListType,
    MapType,
    ScalarType,
    SectionType,
    fields_of,
)
from mlops_iac.blueprint.layers import ROOT
from mlops_iac.blueprint.templates.limits import ANY
from mlops_iac.blueprint.words import split


def kinds_at(keys: Sequence[str]) -> list[FieldType]:
    """The types of the fields that a path names; none where there is no such field."""
    kinds: list[FieldType] = [ROOT]
    for key in keys:
        kinds = [inner for kind in kinds for inner in _below(kind, key)]
    return kinds


def _below(kind: FieldType, key: str) -> list[FieldType]:
    match kind:
        case AnyType():
            return [kind]
        case MapType():
            return [kind.value]
        case ListType() | ScalarType():
            return []
        case SectionType():
            sections = [kind.section]
        case EitherType():
            sections = [kind.section.section]
        case ChoiceType():
            sections = [section for _, section in kind.sections]
    return [
        field.type
        for section in sections
        for name, field in fields_of(section).items()
        if key in (ANY, name)
    ]


def within(path: str) -> tuple[str, list[str]]:
    """The environment that a path begins with (empty: none) and its keys in a blueprint."""
    keys = split(path)
    if keys and keys[0] == "environments" and len(keys) > 2:
        return keys[1], keys[2:]
    return "", keys


def scalars(kind: FieldType) -> list[ScalarType]:
    """What plain values a field takes; those of its items where it takes a list."""
    match kind:
        case ScalarType():
            return [kind]
        case EitherType():
            return [kind.scalar]
        case ListType():
            return scalars(kind.item)
        case _:
            return []
