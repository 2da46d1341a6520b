"""How far values have moved from those that a version was made of: the population stability index.

PSI = Σ (c - r) · ln(c / r) over bins, where `r` and `c` are the shares of the reference and of what
is asked now; it is the sum of the two Kullback-Leibler divergences. Bins are fixed by the reference:
tenths of its numbers (each value its own bin where there are few), categories otherwise; what is
missing, and what is of another kind, are bins of their own, so that neither passes unseen.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .kinds import kind_of

BINS = 10
MOST_CATEGORIES = 50
FLOOR = 1e-4  # the share of a bin that is empty
# What a column counts as that vanished, that is new or whose values are of another kind: above
# every limit that anybody sets (0.1 to 0.25 is usual), and a number that a metric can carry.
SCHEMA_BREACH = 10.0
STRAY_SHARE = 0.01  # of rows, above which a new column or another kind is no slip of one caller
METHOD = {
    "method": "population stability index",
    "bins": f"{BINS} quantiles of the reference for numbers, up to {MOST_CATEGORIES} categories otherwise",
    "floor": FLOOR,
    "schema_breach": SCHEMA_BREACH,
}
_NULL, _STRAY, _OTHER, _THERE = "(null)", "(other kind)", "(other)", "(value)"


def flat(value: Any, name: str) -> dict[str, Any]:
    """A row, or what was predicted for one, as columns; what has no parts is one called `name`."""
    if isinstance(value, dict):
        return {str(key): each for key, each in value.items()}
    if isinstance(value, list):
        return {str(place): each for place, each in enumerate(value)}
    return {} if isinstance(value, bytes) else {name: value}


def compare(
    reference: Sequence[Mapping[str, Any]], current: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Each column with its `psi`, a `state` and the shares of nulls; both sides have rows.

    `state`: `compared`, `vanished`, `new` or `mistyped`. Numbers that are not finite are left out and
    counted.
    """
    names = dict.fromkeys(name for rows in (reference, current) for row in rows for name in row)
    found = {}
    for name in names:
        was, now = ([row.get(name) for row in rows] for rows in (reference, current))
        known = any(name in row for row in reference)
        share = sum(name in row for row in current) / len(current)
        if not known and share <= STRAY_SHARE:
            continue
        state = "new" if not known else "vanished" if share == 0 else ""
        found[name] = column(was, now, state)
    return found


def column(was: Sequence[Any], now: Sequence[Any], state: str = "") -> dict[str, Any]:
    """One column: what it was, what it is. `state` is that of a column that one side has not."""
    finite = [[value for value in values if _finite(value)] for values in (was, now)]
    bins = Bins(finite[0])
    shares = [bins.shares(values) for values in finite]
    psi = index(*shares)
    if not state:
        state = "mistyped" if shares[1].get(_STRAY, 0.0) > STRAY_SHARE else "compared"
    return {
        "psi": round(psi if state == "compared" else max(psi, SCHEMA_BREACH), 6),
        "state": state,
        "nulls": [round(each.get(_NULL, 0.0), 6) for each in shares],
        "not_finite": [len(all_) - len(kept) for all_, kept in zip((was, now), finite)],  # noqa: B905 - Python 3.9
        "bins": {
            name: [round(each.get(name, 0.0), 6) for each in shares]
            for name in sorted({*shares[0], *shares[1]}, key=bins.place)
        },
    }


def index(was: Mapping[str, float], now: Mapping[str, float]) -> float:
    """The index of two distributions over bins."""
    total = 0.0
    for name in {*was, *now}:
        r, c = max(was.get(name, 0.0), FLOOR), max(now.get(name, 0.0), FLOOR)
        total += (c - r) * math.log(c / r)
    return total


class Bins:
    """The bins of a column, fixed by the values of the reference."""

    def __init__(self, values: Sequence[Any]) -> None:
        there = [value for value in values if value is not None]
        self._kinds = {_kind(value) for value in there}
        self._edges: list[float] = []
        counts = Counter(map(_label, there))
        # Ids and free text: whether there is a value can be compared, not which.
        top = counts.most_common(MOST_CATEGORIES)
        self._named = sum(n for _, n in top) * 2 >= len(there)
        self._labels = {label for label, _ in top}
        if self._kinds == {"number"} and len(counts) > BINS:
            ordered = sorted(map(float, there))
            last = len(ordered)
            # The smallest value that a tenth, two tenths … of the values do not exceed.
            self._edges = sorted({ordered[-(-last * k // BINS) - 1] for k in range(1, BINS)})

    def name(self, value: Any) -> str:
        """The bin of a value."""
        if value is None:
            return _NULL
        if self._kinds and _kind(value) not in self._kinds:
            return _STRAY
        if self._edges:
            return self._between(bisect_left(self._edges, float(value)))
        if not self._named:
            return _THERE
        label = _label(value)
        return label if label in self._labels else _OTHER

    def shares(self, values: Sequence[Any]) -> dict[str, float]:
        """Which share of the values each bin has that has any."""
        counts = Counter(map(self.name, values))
        return {name: count / len(values) for name, count in counts.items()}

    def place(self, name: str) -> tuple[int, str]:
        """Where a bin stands among the others."""
        ordered = [self._between(at) for at in range(len(self._edges) + 1)] if self._edges else []
        return (ordered.index(name) if name in ordered else len(ordered), name)

    def _between(self, at: int) -> str:
        edges = self._edges
        if at == len(edges):
            return f"above {edges[-1]:g}"
        return f"{at + 1}: up to {edges[at]:g}"


def _finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _kind(value: Any) -> str:
    kind = kind_of(value)
    return "number" if kind == "integer" else kind


def _label(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{float(value):.12g}"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
