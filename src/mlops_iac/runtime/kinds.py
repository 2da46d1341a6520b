"""What kinds of values a column has, and the values that pandas makes of a CSV file's by default.

A kind is `integer`, `number`, `boolean`, `text`, `other` or, of one value alone, `null`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .rows import is_null, number

_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
_BOOLEANS = {
    **dict.fromkeys(("True", "TRUE", "true"), True),
    **dict.fromkeys(("False", "FALSE", "false"), False),
}


def kind_of_text(text: str) -> str:
    """The kind of one value of a CSV file."""
    if is_null(text):
        return "null"
    if text in _BOOLEANS:
        return "boolean"
    if number(text) is None:
        return "text"
    return "integer" if _INTEGER.fullmatch(text) else "number"


def kind_of(value: Any) -> str:
    """The kind of one value of JSON."""
    if value is None:
        return "null"
    for kind, type_ in (("boolean", bool), ("integer", int), ("number", float), ("text", str)):
        if isinstance(value, type_):
            return kind
    return "other"


def whole(kinds: set[str]) -> str:
    """What a column is as a whole; whole numbers with gaps are numbers, as in pandas."""
    found = kinds - {"null"}
    if found <= {"integer", "number"} and found and kinds != {"integer"}:
        return "number"
    if "other" in found:
        return "other"
    return found.pop() if len(found) == 1 else "text"


def typed(row: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, Any]:
    """A row of a CSV file, each value of the kind of its column."""
    return {n: None if is_null(v) else _CONVERT[columns[n]](v) for n, v in row.items()}


_CONVERT: dict[str, Callable[[str], Any]] = {
    "boolean": _BOOLEANS.__getitem__,
    "integer": int,
    "number": float,
    "text": str,
    "other": str,
}
