"""Property values as they cross our own boundaries: JSON-like Python and three markers.

Numbers that are whole are `int`. Nothing here knows Pulumi's wire format; an adapter
translates (`emulators/wire.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


def text_of(value: Any) -> str:
    """`value`, which must be a text. Raises TypeError: what was read is not what was written."""
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def leaves(value: Value) -> Iterator[Value]:
    """Everything in `value` that is neither a mapping nor a list; what is secret, as a whole."""
    match value:
        case dict() | Mapping():
            for item in value.values():
                yield from leaves(item)
        case list() | tuple():
            for item in value:
                yield from leaves(item)
        case _:
            yield value


def mapped(value: Value, change: Callable[[Value], Value] = lambda leaf: leaf) -> Value:
    """A copy of `value`, of mappings and lists, with what `change` makes of each of its leaves."""
    match value:
        case dict() | Mapping():
            return {key: mapped(item, change) for key, item in value.items()}
        case list() | tuple():
            return [mapped(item, change) for item in value]
        case _:
            return change(value)


def contains_unknown(value: Value) -> bool:
    """Whether an unknown stands anywhere in `value`."""
    return any(
        leaf is UNKNOWN or (isinstance(leaf, Secret) and contains_unknown(leaf.value))
        for leaf in leaves(value)
    )


def contains_secret(value: Value) -> bool:
    """Whether a secret stands anywhere in `value`."""
    return any(isinstance(leaf, Secret) for leaf in leaves(value))


def secret_texts(value: Value) -> list[str]:
    """Every text that is secret in `value`, or part of a secret."""
    secrets = [reveal(leaf) for leaf in leaves(value) if isinstance(leaf, Secret)]
    return [text for text in leaves(secrets) if isinstance(text, str)]


def reveal(value: Value) -> Value:
    """`value` with every secret unwrapped, for the provider call that needs it and nothing else."""
    return mapped(value, lambda leaf: reveal(leaf.value) if isinstance(leaf, Secret) else leaf)
