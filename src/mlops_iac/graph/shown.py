"""Values as people read them: on one line, no secrets, two long ones cut to where they differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import takewhile
from operator import eq

from mlops_iac.graph.redact import REDACTED, is_hidden, without_digests
from mlops_iac.values import Asset, Secret, Unknown, Value, mapped


def shown_value(value: Value) -> str:
    """A value on one line; what is secret or not known yet stays hidden."""
    match value:
        case Secret():
            return REDACTED
        case str() if is_hidden(value):
            return str(without_digests(value))
        case Unknown():
            return "(known after up)"
        case Asset():
            return f"{value.path or 'text'} ({value.hash[:12]})"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping() | list() | tuple():
            return json.dumps(plain(value), ensure_ascii=False, default=str)
        case _:
            return json.dumps(value, default=str)


def plain(value: Value) -> Value:
    """A JSON-able copy without secrets."""
    marks = Secret | Unknown | Asset
    return mapped(value, lambda leaf: shown_value(leaf) if isinstance(leaf, marks) else leaf)


def apart(old: str, new: str) -> tuple[str, str]:
    """Two shown values of a change: where hiding made them the same words, the new one says so."""
    hidden = old == new and "secret]" in old and "${" not in old
    return old, f"{new} (not known to be the same)" if hidden else new


def around_difference(old: str, new: str, longest: int, context: int) -> tuple[str, str]:
    """Two long texts cut to where they differ, so that the difference is in sight.

    `longest` and `context` count characters: of a text, and before the first difference.
    """
    if max(len(old), len(new)) <= longest:
        return old, new
    same = sum(1 for _ in takewhile(bool, map(eq, old, new)))
    begin = max(0, same - context)
    return cut(old, begin, longest), cut(new, begin, longest)


def cut(text: str, begin: int, longest: int) -> str:
    """`text` from `begin` on, no longer than `longest` characters; `…` says what is missing."""
    tail = text[begin : begin + longest + 1]
    return ("…" if begin else "") + (tail if len(tail) <= longest else f"{tail[: longest - 1]}…")
