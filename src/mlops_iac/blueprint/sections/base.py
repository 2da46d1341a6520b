"""What every section shares, how a field is declared, and the markers that give a text its meaning.

Sections are plain classes: importing them builds nothing, and what a field takes is read off the
annotations of a class when the reader first meets it (`fields.py`). Pydantic would spend more on
its own import than a whole check costs; `pydantic_models.py` makes its models where they are
wanted.

Markers stand in `Annotated` metadata. The reader (`decode.py`) and the checks act on them, so that
a field's meaning is said once, where it is declared.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal, dataclass_transform

from mlops_iac.records import Record

REQUIRED: Any = object()
"""The default of a field that has none."""


class FieldSpec:
    """What `Field` says of a field: its default, what it is for, and bounds.

    `alias` is the key in the file where it differs from the name in Python; `discriminator` the
    field that tells the sections of a union apart.
    """

    __slots__ = (
        "alias",
        "default",
        "default_factory",
        "description",
        "discriminator",
        "ge",
        "gt",
        "le",
        "max_length",
        "min_length",
    )

    def __init__(self, **given: Any) -> None:
        self.default: Any = given.pop("default", REQUIRED)
        self.default_factory: Callable[[], Any] | None = given.pop("default_factory", None)
        self.description: str = given.pop("description", "")
        self.alias: str | None = given.pop("alias", None)
        self.discriminator: str | None = given.pop("discriminator", None)
        self.ge: float | None = given.pop("ge", None)
        self.gt: float | None = given.pop("gt", None)
        self.le: float | None = given.pop("le", None)
        self.min_length: int | None = given.pop("min_length", None)
        self.max_length: int | None = given.pop("max_length", None)
        if given:
            raise TypeError(f"a field has no {', '.join(given)}")

    @property
    def required(self) -> bool:
        """Whether it must be written."""
        return self.default is REQUIRED and self.default_factory is None


def Field(**given: Any) -> Any:  # noqa: N802 - stands where pydantic and dataclasses have theirs
    """Declare a field; the arguments are the attributes of `FieldSpec`."""
    return FieldSpec(**given)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(Field,))
class Section:
    """A mapping with known keys. Frozen; unknown keys are errors.

    `ALTERNATIVES` names groups of fields of which one at most is given; in an overlay the upper
    layer's choice drops the lower's. `ONE_OF` groups must have exactly one. `SOME_OF` groups need at
    least one.

    The constructor takes checked values; what is written is checked by the reader.
    """

    ALTERNATIVES: ClassVar[tuple[tuple[str, ...], ...]] = ()
    ONE_OF: ClassVar[tuple[tuple[str, ...], ...]] = ()
    SOME_OF: ClassVar[tuple[tuple[str, ...], ...]] = ()

    def __init__(self, **values: Any) -> None:
        declared = dict(declarations(type(self)))
        if unknown := values.keys() - declared.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        for name, (_, spec) in declared.items():
            if name in values:
                self.__dict__[name] = values[name]
            elif spec.required:
                raise TypeError(f"{type(self).__name__} needs {name}")
            else:
                factory = spec.default_factory
                self.__dict__[name] = spec.default if factory is None else factory()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({inner})"


def declarations(section: type[Section]) -> Iterator[tuple[str, tuple[Any, FieldSpec]]]:
    """Each field's name with its annotation and what is said of it; inherited ones first."""
    found: dict[str, tuple[Any, FieldSpec]] = {}
    for base in reversed(section.__mro__):
        own = vars(base)
        for name, annotation in own.get("__annotations__", {}).items():
            if isinstance(spec := own.get(name), FieldSpec):
                found[name] = (annotation, spec)
    yield from found.items()


TextKind = Literal[
    "cron",
    "timezone",
    "email",
    "date",
    "source",
    "model-source",
    "folder",
    "file",
    "script",
    "id",
    "environment-variable",
    "parameter",
    "metric",
    "prose",
    "column",
]


class Text(Record):
    """The text has this form; a path must lead to something in what a blueprint may reach.

    `prose` is for people or scripts and may have any character that is text, `column` is what
    somebody's file calls one. Every other text is a name: what nobody sees is not in it.
    """

    kind: TextKind


NAME = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
"""Of names of entries: every platform can carry it."""
PATTERNS: dict[str, str] = {
    "environment-variable": "[A-Za-z_][A-Za-z0-9_]{0,199}",
    "parameter": "[A-Za-z_][A-Za-z0-9_-]{0,99}",
    "metric": "[A-Za-z_][A-Za-z0-9_-]{0,99}",
}
"""Of texts whose form one pattern tells, by kind."""


class Reference(Record):
    """The text is the name of an entry of this section (`datasets`, `models`, `features` …)."""

    section: str


class EntryName(Record):
    """The key is a portable name: lowercase letters, digits, hyphens; starts with a letter."""

    what: str
    longest: int = 40


Json = Any
"""Any JSON value: what is written, read by YAML 1.2 core rules."""

Marker = Text | Reference | EntryName
