"""Rows and their predictions as a table for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mlops_iac.graph.shown import cut

_GAP = "  "
_PREDICTION = "prediction"
# Of a pipe, which has no width of its own.
_WIDTH = 100
_WIDEST = 40


def table(rows: Sequence[Any] | None, predictions: Sequence[Any], width: int) -> Iterator[str]:
    """A line for each row: its first columns, as many as fit into `width`, and its prediction.

    `rows` are None where what was sent has none; a `width` of 0 is 100.
    """
    answers = [_PREDICTION, *map(_text, predictions)]
    if rows is None:
        yield from answers[1:]
        return
    named = all(isinstance(row, dict) for row in rows)
    names = list(dict.fromkeys(key for row in rows for key in row)) if named else ["row"]
    last = max(map(len, answers))
    room = (width or _WIDTH) - last
    shown: list[list[str]] = []
    for name in names:
        cells = [str(name), *(_text(row.get(name) if named else row) for row in rows)]
        wide = max(map(len, cells))
        room -= wide + len(_GAP)
        if room < 0:
            break
        shown.append([cell.ljust(wide) for cell in cells])
    for line in zip(*shown, answers, strict=True):
        yield _GAP.join(line)
    if left := len(names) - len(shown):
        yield f"({left} more column{'' if left == 1 else 's'}: --json has all)"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return cut(" ".join(text.split()), 0, _WIDEST)
