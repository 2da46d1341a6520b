"""In which state an alarm is, by what its metric was.

Sources: CloudWatch user guide, "Using Amazon CloudWatch alarms": evaluating an alarm, how alarm state is
evaluated when data is missing, percentile-based alarms and low data samples. The words of reasons are
those that the service gives.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
UNCHECKED = "Unchecked"
"""How the reason of an alarm begins that nobody has judged."""
# Periods that are looked at beyond those that are judged: the guide's tables have 5 for 3.
_BEYOND = 2
# A percentile takes so many samples on its rarer side.
_SAMPLES = 10

_WORDS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_TREATED = {"notBreaching": "NonBreaching", "breaching": "Breaching"}


class Values:
    """Values of one metric in a stretch of time. `seen` counts them by value, to three digits."""

    def __init__(self) -> None:
        self.count, self.sum, self.min, self.max = 0.0, 0.0, math.inf, -math.inf
        self.seen: Counter[float] = Counter()

    def add(self, value: float) -> None:
        """Take one more."""
        self.count += 1
        self.sum += value
        self.min, self.max = min(self.min, value), max(self.max, value)
        self.seen[float(f"{value:.3g}")] += 1

    def take(self, other: Values) -> None:
        """Take all of another's."""
        self.count += other.count
        self.sum += other.sum
        self.min, self.max = min(self.min, other.min), max(self.max, other.max)
        self.seen.update(other.seen)

    def statistic(self, name: str) -> float | None:
        """`Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount` or a percentile (`p99.9`).

        None for any other, and where single values are not known.
        """
        plain = {"Sum": self.sum, "Minimum": self.min, "Maximum": self.max}
        if name in plain:
            return plain[name]
        if name == "SampleCount":
            return self.count
        if name == "Average":
            return self.sum / self.count if self.count else None
        rank = (_share(name) or 0) * self.seen.total()
        if not rank:
            return None
        for value in sorted(self.seen):
            rank -= self.seen[value]
            if rank <= 0:
                return value
        return self.max


class Point(NamedTuple):
    """One period: when it began (seconds since the epoch), and its values, if there were any."""

    at: float
    values: Values | None


def points(
    alarm: Any, data: Iterable[tuple[float, Values]], now: float, quicker: int = 1
) -> list[Point]:
    """The periods that an alarm looks at, the one that goes on as the last.

    `data` are values and when they were measured; with `quicker` a period lasts that part of its time.
    """
    period = max(alarm.period / quicker, 1)
    last = now // period
    first = last - alarm.evaluation_periods - _BEYOND + 1
    found: dict[float, Values] = {}
    for at, values in data:
        if at // period >= first:
            found.setdefault(at // period, Values()).take(values)
    periods = [first + each for each in range(alarm.evaluation_periods + _BEYOND)]
    return [Point(each * period, found.get(each)) for each in periods]


def judged(alarm: Any, looked_at: Sequence[Point], quicker: int = 1) -> tuple[str, str]:
    """The state of an alarm (moto's), and why; `looked_at` are its `points`."""
    wanted = alarm.evaluation_periods
    statistic = alarm.extended_statistic or alarm.statistic
    known = [
        (place, each.at, value)
        for place, each in enumerate(looked_at)
        if each.values is not None and (value := each.values.statistic(statistic)) is not None
    ][-wanted:]
    if known and (few := _too_few(alarm, looked_at[-wanted:], quicker)):
        return alarm.state_value, few
    most = alarm.datapoints_to_alarm or wanted
    breaks, _ = _WORDS[alarm.comparison_operator]
    broken = [each for each in known if breaks(each[2], alarm.threshold)]
    filled = wanted - len(known)
    treated = alarm.treat_missing_data or "missing"
    counted = len(broken) + (filled if treated == "breaching" else 0)
    if counted >= most:
        state = ALARM
    elif not filled or treated in _TREATED or len(broken) < len(known):
        state = OK
    elif treated == "ignore":
        state = alarm.state_value
    elif broken and len(looked_at) - broken[0][0] >= most:
        state = ALARM  # as old as it has to be, and nothing newer speaks against it
    else:
        state = INSUFFICIENT
    return state, _reason(alarm, state, [each[1:] for each in known], len(broken), filled, most)


def judgeable(alarm: Any) -> bool:
    """Whether an alarm is on one metric, with a threshold."""
    return bool(alarm.metric_name) and alarm.comparison_operator in _WORDS and not alarm.rule


def _share(statistic: str) -> float | None:
    """0.99 for `p99`."""
    try:
        return float(statistic.removeprefix("p")) / 100 if statistic.startswith("p") else None
    except ValueError:
        return None


def _too_few(alarm: Any, periods: Sequence[Point], quicker: int) -> str:
    """Why a percentile is not looked at."""
    share = _share(alarm.extended_statistic or "")
    if alarm.evaluate_low_sample_count_percentile != "ignore" or not share or share >= 1:
        return ""
    needed = round(_SAMPLES / (1 - share if share >= 0.5 else share))
    samples = sum(each.values.count for each in periods if each.values is not None)
    if samples * quicker >= needed:
        return ""
    part = f" (here {needed / quicker:.0f})" if quicker > 1 else ""
    return (
        f"{alarm.extended_statistic} takes {needed} samples{part} and there were {samples:.0f}:"
        " the state is kept"
    )


def _reason(
    alarm: Any, state: str, known: list[tuple[float, float]], broken: int, filled: int, most: int
) -> str:
    wanted = alarm.evaluation_periods
    if not known and alarm.treat_missing_data not in _TREATED:
        noun = "datapoint was" if wanted == 1 else "datapoints were"
        return f"Insufficient Data: {wanted} {noun} unknown."
    missing = f"{filled} missing datapoint{' was' if filled == 1 else 's were'} treated as"
    treated = f"{missing} [{_TREATED.get(alarm.treat_missing_data, '')}]"
    if not known:
        periods = f"{wanted} period{'' if wanted == 1 else 's'}"
        return f"Threshold Crossed: no datapoints were received for {periods} and {treated}."
    shown = ", ".join(
        f"{value:.6g} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})"
        for at, value in reversed(known)
    )
    _, words = _WORDS[alarm.comparison_operator]
    if state == ALARM:
        which = f"{broken} out of the last {wanted} datapoints [{shown}]"
        verb = "was" if broken == 1 else "were"
    else:
        noun = "datapoint" if len(known) == 1 else "datapoints"
        which = f"{len(known)} {noun} [{shown}]"
        verb = "was not" if len(known) == 1 else "were not all" if broken else "were not"
    text = f"Threshold Crossed: {which} {verb} {words} the threshold ({float(alarm.threshold)})"
    if filled and alarm.treat_missing_data in _TREATED:
        text = f"{text} and {treated}"
    if state == ALARM:
        noun = "datapoint" if most == 1 else "datapoints"
        text = f"{text} (minimum {most} {noun} for OK -> ALARM transition)"
    return f"{text}."
