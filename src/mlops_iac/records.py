"""Values with named fields that cost nothing to declare.

A frozen dataclass compiles its methods anew in every process, most of a millisecond each; commands
that answer in the blink of an eye cannot have fifty of them. Type checkers see the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, dataclass_transform

_R = TypeVar("_R", bound="Record")


@dataclass_transform(frozen_default=True)
class Record:
    """Fields are what is annotated, in order; a class attribute is its default.

    Frozen, equal and hashed by value, usable in `match` by position. A default that can be changed
    is copied.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = vars(cls).get("__annotations__", {})
        names = tuple(dict.fromkeys((*cls.__match_args__, *own)))
        type.__setattr__(cls, "__match_args__", names)  # type checkers believe they made it

    def __init__(self, *args: Any, **values: Any) -> None:
        names = self.__match_args__
        if len(args) > len(names):
            raise TypeError(f"{type(self).__name__} takes {len(names)} values, not {len(args)}")
        given = dict(zip(names, args, strict=False))
        if wrong := [name for name in values if name in given or name not in names]:
            raise TypeError(f"{type(self).__name__} cannot take {', '.join(wrong)}")
        given.update(values)
        for name in names:
            if name not in given:
                if not hasattr(type(self), name):
                    raise TypeError(f"{type(self).__name__} needs {name}")
                default = getattr(type(self), name)
                given[name] = default.copy() if isinstance(default, dict | list) else default
        self.__dict__.update(given)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def _values(self) -> tuple[Any, ...]:
        """What is compared and shown."""
        return tuple(self.__dict__[name] for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Record):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        shown = zip(self.__match_args__, self._values(), strict=False)
        inner = ", ".join(f"{name}={value!r}" for name, value in shown)
        return f"{type(self).__name__}({inner})"


def replace(record: _R, **values: Any) -> _R:
    """The record with other values for some of its fields."""
    # Not what was computed of them (`cached_property`), which lies beside them.
    fields = {name: vars(record)[name] for name in record.__match_args__}
    return type(record)(**{**fields, **values})


def as_json(value: Any) -> Any:
    """Records and what they are made of, as JSON has it; each names its class."""
    match value:
        case Record():
            named = zip(value.__match_args__, value._values(), strict=True)
            return {"": type(value).__name__} | {name: as_json(each) for name, each in named}
        case Mapping():
            return {name: as_json(each) for name, each in value.items()}
        case tuple() | list():
            return [as_json(each) for each in value]
        case _:
            return value


def from_json(value: Any, classes: Mapping[str, type[Record]]) -> Any:
    """What `as_json` was given, with tuples for lists. Raises KeyError, TypeError for another."""
    match value:
        case {"": str(name), **values}:
            given = {str(key): from_json(each, classes) for key, each in values.items()}
            return classes[name](**given)
        case dict():
            return {name: from_json(each, classes) for name, each in value.items()}
        case list():
            return tuple(from_json(each, classes) for each in value)
        case _:
            return value


def as_data(value: Any) -> Any:
    """A value as plain data: records and dataclasses as mappings by field, tuples as lists."""
    if isinstance(value, Record):
        return {name: as_data(getattr(value, name)) for name in value.__match_args__}
    if isinstance(value, list | tuple):
        return [as_data(item) for item in value]
    fields = getattr(value, "__dataclass_fields__", ())
    return {name: as_data(getattr(value, name)) for name in fields} if fields else value
