"""How right a model was, once the truth is known, and whether it treats groups alike.

Metrics are what scikit-learn computes under their names (`precision`, `recall` and `f1` of the class
1 or true where the truth has two such classes, else the mean over classes), fairness metrics what
fairlearn does: the worst of the columns is the number. A ratio without a denominator is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # Python 3.8 knows no such alias
    Pairs = Sequence[tuple[Any, Any]]  # of a truth and what was predicted
FEWEST_OF_GROUP = 30  # rows of a group that is compared: fewer say nothing


def label(value: Any) -> Any:
    """A value as one of a class: `True`, `1` and `1.0` are the same; None for what is none."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("prediction", "label", "class") if key in value), None)
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bool) or (isinstance(value, float) and value == int(value)):
        return int(value)
    return value if isinstance(value, (int, float, str)) else None


def pairs(found: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Pairs as classes. Between 0 and 1, predictions of 0 or 1 are probabilities: 1 from a half on."""
    known = [(label(truth), label(said)) for truth, said in found]
    known = [each for each in known if each[0] is not None and each[1] is not None]
    said = [each for _, each in known]
    if (
        {truth for truth, _ in known} <= {0, 1}
        and any(isinstance(each, float) for each in said)
        and all(not isinstance(each, str) and 0 <= each <= 1 for each in said)
    ):
        return [(truth, int(each >= 0.5)) for truth, each in known]
    return known


def measured(name: str, found: Pairs) -> float | None:
    """A metric of `METRICS` over pairs that `pairs` made; None where it has no value."""
    numbers = all(not isinstance(each, str) for pair in found for each in pair)
    if not found or (name in _OF_NUMBERS and not numbers):
        return None
    value = METRICS[name](found)
    return value if math.isfinite(value) else None


def _accuracy(found: Pairs) -> float:
    return sum(bool(truth == said) for truth, said in found) / len(found)


def _rates(found: Pairs, one: Any) -> tuple[float, float]:
    """Precision and recall of one class."""
    right = sum(truth == said == one for truth, said in found)
    return (
        _ratio(right, sum(said == one for _, said in found)),
        _ratio(right, sum(truth == one for truth, _ in found)),
    )


def _over_classes(of: Callable[[float, float], float]) -> Callable[[Pairs], float]:
    def metric(found: Pairs) -> float:
        known = {each for pair in found for each in pair}
        classes = [1] if known <= {0, 1} else sorted(known, key=str)
        return sum(of(*_rates(found, one)) for one in classes) / len(classes)

    return metric


def _balanced_accuracy(found: Pairs) -> float:
    classes = {truth for truth, _ in found}
    return sum(_rates(found, one)[1] for one in classes) / len(classes)


def _mean_square(found: Pairs) -> float:
    return float(sum((truth - said) ** 2 for truth, said in found)) / len(found)


def _explained(found: Pairs) -> float:
    mean = sum(truth for truth, _ in found) / len(found)
    spread = sum((truth - mean) ** 2 for truth, _ in found) / len(found)
    return 1 - _mean_square(found) / float(spread) if spread else math.nan


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


METRICS: Mapping[str, Callable[[Pairs], float]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "precision": _over_classes(lambda precision, _: precision),
    "recall": _over_classes(lambda _, recall: recall),
    "f1": _over_classes(lambda p, r: _ratio(2 * p * r, p + r)),
    "mae": lambda found: sum(abs(truth - said) for truth, said in found) / len(found),
    "mse": _mean_square,
    "rmse": lambda found: math.sqrt(_mean_square(found)),
    "r2": _explained,
}
_OF_NUMBERS = ("mae", "mse", "rmse", "r2")
RATES = _SELECTED, _TRUE, _FALSE = "selected", "true positives", "false positives"
# Of which rates of each group, and whether their largest distance or their smallest ratio.
FAIRNESS: Mapping[str, tuple[tuple[str, ...], bool]] = {
    f"{name}_{how}": (rates, how == "ratio")
    for name, rates in (
        ("demographic_parity", (_SELECTED,)),
        ("equal_opportunity", (_TRUE,)),
        ("equalized_odds", (_TRUE, _FALSE)),
    )
    for how in ("difference", "ratio")
}


def needs_truth(name: str) -> bool:
    """Whether a metric can only be measured once outcomes are known."""
    return name in METRICS or (name in FAIRNESS and FAIRNESS[name][0] != (_SELECTED,))


def by_column(
    rows: Iterable[tuple[Mapping[str, Any], Any, Any]], columns: Iterable[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """The groups of each column; of every row its columns, the truth (None: not known) and what was said."""
    known = [
        each
        for each in rows
        if label(each[2]) is not None and (each[1] is None or label(each[1]) is not None)
    ]
    # Together: whether predictions are probabilities is seen of all of them.
    said = pairs((0 if truth is None else truth, each) for _, truth, each in known)
    return {
        column: groups(
            [
                (row[column], None if truth is None else pair[0], pair[1])
                for (row, truth, _), pair in zip(known, said)  # noqa: B905 - Python 3.9
                if row.get(column) is not None
            ]
        )
        for column in columns
    }


def groups(found: Sequence[tuple[Any, Any, Any]]) -> dict[str, dict[str, float]]:
    """The rates of each group; of every row its group, the truth (None: not known) and what was said."""
    by: dict[str, list[tuple[Any, Any]]] = {}
    for group, truth, said in found:
        by.setdefault(str(group), []).append((truth, said))
    return {
        group: {
            "rows": len(rows),
            _SELECTED: _share(rows),
            _TRUE: _share([each for each in rows if each[0] == 1]),
            _FALSE: _share([each for each in rows if each[0] == 0]),
        }
        for group, rows in sorted(by.items())
        if len(rows) >= FEWEST_OF_GROUP
    }


def fairness(name: str, of_groups: Mapping[str, Mapping[str, float]]) -> float | None:
    """A metric of `FAIRNESS` over the groups of one column; None where there are not two."""
    rates, ratio = FAIRNESS[name]
    if len(of_groups) < 2:
        return None
    found = []
    for rate in rates:
        values = [each[rate] for each in of_groups.values()]
        low, high = min(values), max(values)
        found.append((low / high if high else math.nan) if ratio else high - low)
    value = min(found) if ratio else max(found)
    return value if math.isfinite(value) else None


def _share(rows: Pairs) -> float:
    return _ratio(sum(said == 1 for _, said in rows), len(rows))
