"""What a field takes, read off the pydantic models once and kept in a form that is fast to walk.

Pydantic itself would build a validator of every section (some 50 ms) to say less: it does not
know lines, environments, or that a text field takes `1.20` as written.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from mlops_iac.blueprint.sections.base import EntryName, Marker, Reference, Section, Text


@dataclass(frozen=True, slots=True)
class Bounds:
    """Numeric bounds, or bounds of a length."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    min_length: int | None = None
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class ScalarType:
    """One value. `types` of str, bool, int, float; `allowed` if only these."""

    types: tuple[type, ...]
    allowed: tuple[Any, ...] = ()
    marker: Marker | None = None
    bounds: Bounds = Bounds()


@dataclass(frozen=True, slots=True)
class ListType:
    """A list of plain values or sections."""

    item: FieldType
    bounds: Bounds = Bounds()


@dataclass(frozen=True, slots=True)
class MapType:
    """Values by a name of the user's."""

    key: Marker | None
    value: FieldType
    bounds: Bounds = Bounds()


@dataclass(frozen=True, slots=True)
class SectionType:
    """A mapping with known keys."""

    section: type[Section]


@dataclass(frozen=True, slots=True)
class ChoiceType:
    """One of several sections, told apart by the text in `field`."""

    field: str
    sections: tuple[tuple[str, type[Section]], ...]

    def by_name(self) -> dict[str, type[Section]]:
        return dict(self.sections)


@dataclass(frozen=True, slots=True)
class EitherType:
    """A plain value, or a section."""

    scalar: ScalarType
    section: SectionType


@dataclass(frozen=True, slots=True)
class AnyType:
    """Any JSON value."""


FieldType = ScalarType | ListType | MapType | SectionType | ChoiceType | EitherType | AnyType


@dataclass(frozen=True, slots=True)
class Field:
    """A field as it is written (`key`) and as it is called in Python (`name`)."""

    key: str
    name: str
    type: FieldType
    required: bool
    info: FieldInfo

    def default(self) -> Any:
        """The value where it is left out."""
        factory: Any = self.info.default_factory
        if factory is None:
            return self.info.default
        if isinstance(factory, type) and issubclass(factory, Section):
            return _blank(factory)
        return factory()


def construct(section: type[Section], values: dict[str, Any]) -> Any:
    """The frozen model that holds `values`, by Python name, and defaults.

    The values are checked already: unlike pydantic's own ways to make a model, this one does not
    build validators.
    """
    written = set(values)
    for item in fields_of(section).values():
        if item.name not in values:
            values[item.name] = None if item.required else item.default()
    made = section.__new__(section)
    object.__setattr__(made, "__dict__", values)
    object.__setattr__(made, "__pydantic_fields_set__", written)
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made


@cache
def _blank(section: type[Section]) -> Any:
    return construct(section, {})


@cache
def fields_of(section: type[Section]) -> dict[str, Field]:
    """The fields of `section` by the key they are written with, in order."""
    found: dict[str, Field] = {}
    for name, info in section.model_fields.items():
        key = info.alias or name
        metadata = tuple(info.metadata)
        if info.discriminator is not None:
            metadata += (info,)
        kind = _type_of(info.annotation, metadata)
        found[key] = Field(key, name, kind, info.is_required(), info)
    return found


@cache
def _bounds(metadata: tuple[Any, ...]) -> Bounds:
    values: dict[str, Any] = {}
    for item in metadata:
        for name in ("ge", "gt", "le", "min_length", "max_length"):
            value = getattr(item, name, None)
            if value is not None:
                values[name] = value
    return Bounds(**values)


def _type_of(annotation: Any, metadata: tuple[Any, ...] = ()) -> FieldType:
    origin = get_origin(annotation)
    while origin is Annotated:
        annotation, *more = get_args(annotation)
        metadata += tuple(
            part
            for item in more
            for part in (item.metadata or [item] if isinstance(item, FieldInfo) else [item])
        )
        origin = get_origin(annotation)
    marker = next(
        (item for item in metadata if isinstance(item, Text | Reference | EntryName)), None
    )
    plain = tuple(
        item for item in metadata if not isinstance(item, Text | Reference | EntryName | FieldInfo)
    )
    bounds = _bounds(plain) if plain else Bounds()
    if annotation is Any:
        return AnyType()
    if origin is Literal:
        allowed = get_args(annotation)
        return ScalarType((type(allowed[0]),), allowed)
    if origin is tuple:
        return ListType(_type_of(get_args(annotation)[0]), bounds)
    if origin is dict:
        key, value = get_args(annotation)
        key_marker = key.__metadata__[0] if get_origin(key) is Annotated else None
        return MapType(key_marker, _type_of(value), bounds)
    if origin in (Union, types.UnionType):
        return _union(annotation, metadata)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return SectionType(annotation)
    if annotation in (str, int, float, bool):
        return ScalarType((annotation,), (), marker, bounds)
    raise TypeError(f"the language has no field type for {annotation!r}")


def _union(annotation: Any, metadata: tuple[Any, ...]) -> FieldType:
    members = [item for item in get_args(annotation) if item is not type(None)]
    if len(members) == 1:
        return _type_of(members[0], metadata)
    kinds = [_type_of(item) for item in members]
    sections = [kind for kind in kinds if isinstance(kind, SectionType)]
    if len(sections) == len(kinds):
        field = next(
            str(item.discriminator)
            for item in metadata
            if isinstance(item, FieldInfo) and item.discriminator is not None
        )
        named = tuple(
            (get_args(kind.section.model_fields[field].annotation)[0], kind.section)
            for kind in sections
        )
        return ChoiceType(field, named)
    scalars = [kind for kind in kinds if isinstance(kind, ScalarType)]
    if len(sections) == 1 and len(scalars) == 1:
        return EitherType(scalars[0], sections[0])
    if len(scalars) == len(kinds):
        return ScalarType(tuple(kind.types[0] for kind in scalars))
    raise TypeError(f"the language has no field type for {annotation!r}")
