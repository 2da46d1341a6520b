"""Fields that limits hold, each with other values that it could have: to see what they decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.blueprint.fields import EitherType, FieldType, ScalarType, fields_of
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.source import Node, Source
from mlops_iac.blueprint.templates.limits import Limit
from mlops_iac.blueprint.templates.reaching import reach
from mlops_iac.blueprint.words import join, parent, split
from mlops_iac.records import Record

Values = Mapping[str, Node | None]
"""What to write at some paths instead; None: nothing."""


class LimitedField(Record):
    """A limit at one path. `others` are ways in which it could be otherwise, likeliest first.

    `is_set`: there is a plain value, so that one of them is possible.
    """

    limit: Limit
    path: str
    others: tuple[Values, ...]
    is_set: bool = True


def limited_fields(blueprint: Blueprint, limits: Sequence[Limit]) -> Iterator[LimitedField]:
    """What each limit holds of a blueprint, without what nothing else could be written for."""
    for limit in limits:
        for path, kind, value in reach(blueprint, limit.keys):
            if value is None:
                others = tuple(_unset(blueprint, path, kind, limit))
            else:
                others = tuple({path: other} for other in _others(kind, value, limit))
            if others:
                is_set = value is not None and not isinstance(value, dict | Section)
                yield LimitedField(limit, path, others, is_set)


def _others(kind: FieldType, value: Any, limit: Limit) -> list[Node | None]:
    if isinstance(kind, EitherType):
        kind = kind.scalar
    match value:
        case bool():
            return _texts("false" if value else "true")
        case int():
            return _texts(value + 1, value - 1, value * 2)
        case float():
            return _texts(f"{value + 1:g}", f"{value / 2:g}")
        case str() if isinstance(kind, ScalarType) and kind.allowed:
            return _texts(*(one for one in kind.allowed if one != value))
        case str():
            return _texts(*(text for text in limit.texts if text != value), f"{value}x", "x")
        case tuple():
            return [_list(other) for other in _other_items(value)]
        case dict() | Section() if limit.fixed is not None or limit.spec.keys:
            return [None]
        case _:
            return []


def _unset(blueprint: Blueprint, path: str, kind: FieldType, limit: Limit) -> Iterator[Values]:
    """What another value of a field that is not there decides.

    That is what its alternative decides (an instance type what a size does), or what a value does
    that the limit or the type names.
    """
    beside = dict(_alternatives(blueprint, path))
    for other, (inner, value) in beside.items():
        yield from ({other: text} for text in _others(inner, value, limit)[:2])
    if isinstance(kind, EitherType):
        kind = kind.scalar
    if not isinstance(kind, ScalarType):
        return
    known = [*limit.texts, *map(str, kind.allowed)]
    known += {bool: ["true"], int: ["1", "2"], float: ["1", "2"]}.get(kind.types[0], ["x"])
    for text in _texts(*known):
        yield {path: text, **dict.fromkeys(beside)}


def _alternatives(blueprint: Blueprint, path: str) -> Iterator[tuple[str, tuple[FieldType, Any]]]:
    """The fields that are there in the place of one, by path."""
    above, name = parent(path), split(path)[-1]
    for _, _, section in reach(blueprint, split(above)) if above else ():
        for group in section.ALTERNATIVES if isinstance(section, Section) else ():
            fields = fields_of(type(section))
            for key in group if name in group else ():
                value = getattr(section, fields[key].name)
                if key != name and value is not None:
                    yield join(above, key), (fields[key].type, value)


def _other_items(values: tuple[Any, ...]) -> Iterator[tuple[str, ...]]:
    texts = tuple(map(str, values))
    if values and isinstance(values[-1], int | float):
        yield (*texts[:-1], f"{values[-1] + 1:g}")
    yield (*texts, f"{texts[-1] if texts else ''}x")
    yield texts[1:]


def _texts(*values: object) -> list[Node | None]:
    return [_scalar(str(value)) for value in values]


def _scalar(text: str) -> Node:
    return Node("scalar", Source("what if", text), 1, 1, len(text), text)


def _list(texts: tuple[str, ...]) -> Node:
    place = _scalar(", ".join(texts))
    return Node("list", place.source, 1, 1, items=[_scalar(text) for text in texts])
