"""Stand-ins for values that only a deployment computes, so that a program runs without a cloud.

A stand-in has the shape of the real value, because programs take ids apart and put names into
policies, and carries a marker, so that it is printed as `${module.Type/name.id}` and so that one
that reaches an emulator or a state is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from mlops_iac.values import Secret, Value

_MARKER = re.compile(r"standin-[0-9a-f]{12}")
_PLAIN = frozenset({bool, int, float, type(None)})


class StandIns:
    """The stand-ins of one capture. Deterministic: made from address and property alone."""

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}
        # Marker -> the texts it stands in, "" -> those without one: what a value can hold.
        self._texts: dict[str, set[str]] = {}
        # What texts are written as: a name stands in a dozen policies.
        self._shown: dict[str, str] = {}

    def make(self, address: str, property_: str, shape: str = "{}") -> str:
        """Return a stand-in for `property_` of the resource at `address`.

        `shape` is the real value's form with `{}` where the server's part goes (`projects/p/{}`).
        """
        label = f"${{{address}.{property_}}}"
        marker = "standin-" + sha256(f"{address}\0{property_}".encode()).hexdigest()[:12]
        text = shape.replace("{}", marker)
        self._labels[marker] = label
        self._labels[text] = label
        self._shown.clear()
        for inside in (marker, *(_MARKER.findall(text) or [""])):
            self._texts.setdefault(inside, set()).update((marker, text) if inside else (text,))
        return text

    def render(self, value: Value) -> Any:
        """`value` with every stand-in, also inside longer text, written as `${address.property}`."""
        kind = type(value)
        if kind is str:
            return self._rendered(value) if "standin-" in value else value
        if kind in _PLAIN:
            return value
        match value:
            case str():
                return self._rendered(value) if "standin-" in value else value
            case int() | float():
                return value
            case dict() | Mapping():
                return {self.render(key): self.render(item) for key, item in value.items()}
            case list() | tuple():
                return [self.render(item) for item in value]
            case Secret(inner):
                return Secret(self.render(inner))
            case _:
                return value

    def _rendered(self, text: str) -> str:
        if (known := self._shown.get(text)) is not None:
            return known
        markers = ("", *_MARKER.findall(text))
        held = {each for marker in markers for each in self._texts.get(marker, ())}
        shown = text
        for each in sorted(held, key=lambda each: (-len(each), each)):
            shown = shown.replace(each, self._labels[each])
        self._shown[text] = shown
        return shown


def contains_stand_in(value: Value) -> bool:
    """Whether a stand-in stands anywhere in `value`."""
    match value:
        case str():
            return _MARKER.search(value) is not None
        case Secret(inner):
            return contains_stand_in(inner)
        case Mapping():
            return any(contains_stand_in(k) or contains_stand_in(v) for k, v in value.items())
        case list() | tuple():
            return any(contains_stand_in(item) for item in value)
        case _:
            return False
