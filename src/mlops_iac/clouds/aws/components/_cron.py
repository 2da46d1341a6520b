"""Unix cron in five fields → the `cron(…)` of EventBridge Scheduler in six.

Sources: crontab(5) for the fields, the EventBridge Scheduler user guide ("Schedule types") for
the other side. They differ where it hurts: AWS counts Sunday as 1, wants exactly one of the two
day fields to be `?`, and combines them with *and* where Unix says *or*.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# From here on a run of neighbours reads better as a range.
_RANGE_FROM = 3


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()
    # The number that the first of `names` stands for.
    names_from: int = 0


_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS, 1)
# Unix admits both 0 and 7 for Sunday.
_WEEKDAY = _Field("day of week", 0, 7, _DAYS)


def schedule_expression(cron: str) -> str:
    """Return the AWS expression for a Unix cron line: `0 3 * * 1` → `cron(0 3 ? * MON *)`.

    Raises:
        ValueError: the line is no cron, never fires, or restricts day of month and day of week at
            once (Unix fires on either, AWS has no such schedule).

    """
    fields = cron.split()
    if len(fields) != 5:
        raise ValueError(
            f"cron {cron!r} has {len(fields)} fields; it takes 5: "
            "minute hour day-of-month month day-of-week"
        )
    minute, hour, day, month, weekday = (
        _parse(text, field, cron)
        for text, field in zip(fields, (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY), strict=True)
    )
    weekdays = frozenset(value % 7 for value in weekday)
    any_day = len(day) == 31
    any_weekday = len(weekdays) == 7
    if not any_day and not any_weekday:
        raise ValueError(
            f"cron {cron!r} restricts day of month and day of week at once; "
            "AWS cannot fire on either of them: use one, or two schedules"
        )
    if min(day) > max(_LONGEST[number - 1] for number in month):
        raise ValueError(f"cron {cron!r} never fires: no such day in these months")
    return "cron({} {} {} {} {} *)".format(
        _print(fields[0], minute, _MINUTE),
        _print(fields[1], hour, _HOUR),
        _print(fields[2], day, _DAY) if any_weekday else "?",
        _print(fields[3], month, _MONTH),
        "?" if any_weekday else _print_weekdays(weekdays),
    )


def _parse(text: str, field: _Field, cron: str) -> frozenset[int]:
    values: set[int] = set()
    for item in text.split(","):
        span, _, step_text = item.partition("/")
        step = _number(step_text, field, cron) if "/" in item else 1
        if step < 1:
            raise ValueError(f"cron {cron!r}: step 0 in the {field.name}")
        if span == "*":
            first, last = field.first, field.last
        elif "-" in span:
            start, _, end = span.partition("-")
            first, last = _value(start, field, cron), _value(end, field, cron)
        else:
            first = _value(span, field, cron)
            last = field.last if "/" in item else first
        if first > last:
            raise ValueError(f"cron {cron!r}: {span!r} runs backwards in the {field.name}")
        values.update(range(first, last + 1, step))
    return frozenset(values)


def _value(text: str, field: _Field, cron: str) -> int:
    if text.upper() in field.names:
        return field.names.index(text.upper()) + field.names_from
    value = _number(text, field, cron)
    if not field.first <= value <= field.last:
        raise ValueError(
            f"cron {cron!r}: {text!r} is no {field.name}; allowed are {field.first} to {field.last}"
        )
    return value


def _number(text: str, field: _Field, cron: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"cron {cron!r}: {text!r} is no {field.name}")
    return int(text)


def _print(text: str, values: frozenset[int], field: _Field) -> str:
    if len(values) == field.last - field.first + 1:
        return "*"
    if text.startswith("*/") and "," not in text:
        return f"{field.first}/{text[2:]}"
    return _runs(sorted(values), str)


def _print_weekdays(values: frozenset[int]) -> str:
    return _runs(sorted(values), lambda day: _DAYS[day])


def _runs(values: list[int], show: Callable[[int], str]) -> str:
    parts: list[str] = []
    start = 0
    for index in range(1, len(values) + 1):
        if index < len(values) and values[index] == values[index - 1] + 1:
            continue
        run = values[start:index]
        if len(run) >= _RANGE_FROM:
            parts.append(f"{show(run[0])}-{show(run[-1])}")
        else:
            parts.extend(show(value) for value in run)
        start = index
    return ",".join(parts)
