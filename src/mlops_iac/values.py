"""Property values as they cross our own boundaries: JSON-like Python and three markers.

Numbers that are whole are `int`. Nothing here knows Pulumi's wire format; an adapter
translates (`emulators/wire.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final


@final
class Unknown:
    """A value that will exist only after something else was created. Use `UNKNOWN`."""

    _instance: Unknown | None = None

    def __new__(cls) -> Unknown:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must never be shown: its repr, too, hides it."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(…)"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file or text to upload. `hash` is the SHA-256 of its content, in hex.

    `archive` tells Pulumi's archives (a `.zip`, a `.tar.gz`) from its plain assets.
    """

    hash: str
    path: str | None = None
    text: str | None = None
    archive: bool = False


# bool | int | float | str | None | list | dict, nested, with Unknown, Secret and Asset in places.
Value = Any
Properties = Mapping[str, Value]


def contains_unknown(value: Value) -> bool:
    """Whether an unknown stands anywhere in `value`."""
    match value:
        case None | bool() | int() | float() | str():
            return False
        case Unknown():
            return True
        case Secret(inner):
            return contains_unknown(inner)
        case dict() | Mapping():
            return any(contains_unknown(item) for item in value.values())
        case list() | tuple():
            return any(contains_unknown(item) for item in value)
        case _:
            return False


def contains_secret(value: Value) -> bool:
    """Whether a secret stands anywhere in `value`."""
    match value:
        case None | bool() | int() | float() | str():
            return False
        case Secret():
            return True
        case dict() | Mapping():
            return any(contains_secret(item) for item in value.values())
        case list() | tuple():
            return any(contains_secret(item) for item in value)
        case _:
            return False


def secret_texts(value: Value) -> list[str]:
    """Every text that is secret in `value`, or part of a secret."""
    match value:
        case Secret(str(text)):
            return [text]
        case Secret(dict() as inner) | Secret(Mapping() as inner):
            return [text for item in inner.values() for text in secret_texts(Secret(item))]
        case Secret(list() as inner) | Secret(tuple() as inner):
            return [text for item in inner for text in secret_texts(Secret(item))]
        case Secret(inner):
            return secret_texts(inner)
        case dict() | Mapping():
            return [text for item in value.values() for text in secret_texts(item)]
        case list() | tuple():
            return [text for item in value for text in secret_texts(item)]
        case _:
            return []


def reveal(value: Value) -> Value:
    """`value` with every secret unwrapped, for the provider call that needs it and nothing else."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Secret(inner):
            return reveal(inner)
        case dict() | Mapping():
            return {key: reveal(item) for key, item in value.items()}
        case list() | tuple():
            return [reveal(item) for item in value]
        case _:
            return value
