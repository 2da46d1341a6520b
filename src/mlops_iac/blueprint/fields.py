"""What a field takes, read off the sections' annotations and kept in a form that is fast to walk.

A section is read when it is first met: most blueprints have few of them. Pydantic would build a
validator of every section to say less: it does not know lines, environments, or that a text field
takes `1.20` as written.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from mlops_iac.blueprint.sections.base import (
    EntryName,
    FieldSpec,
    Marker,
    Reference,
    Section,
    Text,
    declarations,
)
from mlops_iac.blueprint.words import nearest
from mlops_iac.records import Record


class Bounds(Record):
    """Numeric bounds, or bounds of a length."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    min_length: int | None = None
    max_length: int | None = None


class ScalarType(Record):
    """One value. `types` of str, bool, int, float; `allowed` if only these."""

    types: tuple[type, ...]
    allowed: tuple[Any, ...] = ()
    marker: Marker | None = None
    bounds: Bounds = Bounds()


def is_prose(kind: ScalarType) -> bool:
    """Whether a text there may be of several lines, and have marks that nobody sees."""
    marker = kind.marker
    return len(kind.types) > 1 or (isinstance(marker, Text) and marker.kind in ("prose", "column"))


class ListType(Record):
    """A list of plain values or sections."""

    item: FieldType
    bounds: Bounds = Bounds()


class MapType(Record):
    """Values by a name of the user's."""

    key: Marker | None
    value: FieldType
    bounds: Bounds = Bounds()
    longest_key: int | None = None


class SectionType(Record):
    """A mapping with known keys."""

    section: type[Section]


class ChoiceType(Record):
    """One of several sections, told apart by the text in `field`."""

    field: str
    sections: tuple[tuple[str, type[Section]], ...]

    def by_name(self) -> dict[str, type[Section]]:
        return dict(self.sections)

    def meant(self, text: str) -> str:
        """The name of a section that `text` is or nearly is; empty if there is none."""
        names = [name for name, _ in self.sections]
        return text if text in names else nearest(text, names)


class EitherType(Record):
    """A plain value, or a section."""

    scalar: ScalarType
    section: SectionType


class AnyType(Record):
    """Any JSON value."""


FieldType = ScalarType | ListType | MapType | SectionType | ChoiceType | EitherType | AnyType


class Field(Record):
    """A field as it is written (`key`) and as it is called in Python (`name`)."""

    key: str
    name: str
    type: FieldType
    required: bool
    info: FieldSpec

    def default(self) -> Any:
        """The value where it is left out."""
        factory = self.info.default_factory
        if factory is None:
            return self.info.default
        if isinstance(factory, type) and issubclass(factory, Section):
            return _blank(factory)
        return factory()


# What is lacking and has no default: nothing in it, or nothing at all.
_ABSENT: dict[type, Any] = {ListType: (), MapType: {}}


def construct(section: type[Section], values: dict[str, Any]) -> Any:
    """The section that holds `values`, by Python name, and defaults; None where one is lacking."""
    for item in fields_of(section).values():
        if item.name not in values:
            values[item.name] = _ABSENT.get(type(item.type)) if item.required else item.default()
    made = section.__new__(section)
    made.__dict__.update(values)
    return made


def mapping_of(section: type[Section], text: str) -> str:
    """`{template: ./x}` for `./x`: what was meant where a section has one field that it needs."""
    needed = [key for key, item in fields_of(section).items() if item.required]
    plain = text and not any(item.isspace() or item in ",[]{}\"'" for item in text)
    return f"{{{needed[0]}: {text}}}" if len(needed) == 1 and plain else ""


_BLANKS: dict[type[Section], Any] = {}
_FIELDS: dict[type[Section], dict[str, Field]] = {}


def _blank(section: type[Section]) -> Any:
    if section not in _BLANKS:
        _BLANKS[section] = construct(section, {})
    return _BLANKS[section]


def fields_of(section: type[Section]) -> dict[str, Field]:
    """The fields of `section` by the key they are written with, in order."""
    if section in _FIELDS:
        return _FIELDS[section]
    found = _FIELDS[section] = {}
    for name, (annotation, spec) in declarations(section):
        key = spec.alias or name
        found[key] = Field(key, name, _type_of(annotation, (spec,)), spec.required, spec)
    return found


_BOUNDS = ("ge", "gt", "le", "min_length", "max_length")
_UNBOUND = Bounds()


def _bounds(metadata: Sequence[Any]) -> Bounds:
    values = {
        name: value
        for item in metadata
        if isinstance(item, FieldSpec)
        for name in _BOUNDS
        if (value := getattr(item, name)) is not None
    }
    return Bounds(**values) if values else _UNBOUND


def _type_of(annotation: Any, metadata: tuple[Any, ...] = ()) -> FieldType:
    origin = get_origin(annotation)
    while origin is Annotated:
        metadata += annotation.__metadata__
        annotation = annotation.__origin__
        origin = get_origin(annotation)
    if annotation is Any:
        return AnyType()
    if origin is Literal:
        allowed = get_args(annotation)
        return ScalarType((type(allowed[0]),), allowed)
    if origin is tuple:
        return ListType(_type_of(get_args(annotation)[0]), _bounds(metadata))
    if origin is dict:
        key, value = get_args(annotation)
        keys = _type_of(key)
        assert isinstance(keys, ScalarType)
        longest = keys.bounds.max_length
        return MapType(keys.marker, _type_of(value), _bounds(metadata), longest)
    if origin in (Union, types.UnionType):
        return _union(annotation, metadata)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return SectionType(annotation)
    if annotation in (str, int, float, bool):
        marker = next(
            (item for item in metadata if isinstance(item, Text | Reference | EntryName)), None
        )
        return ScalarType((annotation,), (), marker, _bounds(metadata))
    raise TypeError(f"the language has no field type for {annotation!r}")


def _union(annotation: Any, metadata: tuple[Any, ...]) -> FieldType:
    members = [item for item in get_args(annotation) if item is not type(None)]
    if len(members) == 1:
        return _type_of(members[0], metadata)
    kinds = [_type_of(item) for item in members]
    sections = [kind for kind in kinds if isinstance(kind, SectionType)]
    if len(sections) == len(kinds):
        field = next(
            item.discriminator
            for item in metadata
            if isinstance(item, FieldSpec) and item.discriminator is not None
        )
        return ChoiceType(field, tuple(_named(kind.section, field) for kind in sections))
    scalars = [kind for kind in kinds if isinstance(kind, ScalarType)]
    if len(sections) == 1 and len(scalars) == 1:
        return EitherType(scalars[0], sections[0])
    if len(scalars) == len(kinds):
        return ScalarType(tuple(kind.types[0] for kind in scalars))
    raise TypeError(f"the language has no field type for {annotation!r}")


def _named(section: type[Section], field: str) -> tuple[str, type[Section]]:
    """A section of a union with the text that chooses it."""
    (annotation,) = (found for name, (found, _) in declarations(section) if name == field)
    return get_args(annotation)[0], section


ANY_KEY = "*"
"""In a path: any key."""


def sections_of(kind: FieldType) -> list[type[Section]]:
    """The sections that a field of this type may hold."""
    match kind:
        case SectionType():
            return [kind.section]
        case EitherType():
            return [kind.section.section]
        case ChoiceType():
            return [section for _, section in kind.sections]
        case _:
            return []


def below(kind: FieldType, key: str) -> list[FieldType]:
    """What may stand under `key`, or under any key for `*`; nothing where there is no such field."""
    match kind:
        case AnyType():
            return [kind]
        case MapType():
            return [kind.value]
        case _:
            return [
                field.type
                for section in sections_of(kind)
                for name, field in fields_of(section).items()
                if key in (ANY_KEY, name)
            ]
