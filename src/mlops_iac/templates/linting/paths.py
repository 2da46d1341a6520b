"""What a path with `*` can lead to in the language."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.blueprint.fields import EitherType, FieldType, ListType, ScalarType, below
from mlops_iac.blueprint.layers import ROOT


def kinds_at(keys: Sequence[str]) -> list[FieldType]:
    """The types of the fields that a path names; none where there is no such field."""
    kinds: list[FieldType] = [ROOT]
    for key in keys:
        kinds = [inner for kind in kinds for inner in below(kind, key)]
    return kinds


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
