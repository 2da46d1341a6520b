"""Cron schedules: minute, hour, day of month, month, day of week, as in crontab(5).

Sunday is 0 or 7. As in crontab(5), a day matches by day of month *or* by day of week where both are
restricted. What single platforms add (`?`, `L`, `W`, `#`, `@daily`) is not portable and refused.
"""

from __future__ import annotations

import re

from mlops_iac.records import Record

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_ITEM = re.compile(r"(\*|[0-9a-z]+)(?:-([0-9a-z]+))?(?:/([0-9]+))?")


class CronError(ValueError):
    """The schedule is not one; the message says which field and why."""


class CronSchedule(Record):
    """When a schedule fires. Days of week count from 0, Sunday; `any_*` if the field is `*`."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    @property
    def ever_fires(self) -> bool:
        """Whether any date fits; 30 February does not."""
        if self.any_day or not self.any_weekday:
            return True
        return any(day <= _LONGEST_MONTH[month - 1] for day in self.days for month in self.months)


def parse_cron(text: str) -> CronSchedule:
    """The schedule that `text` says. Raises CronError."""
    parts = text.split()
    if len(parts) != 5:
        count = f"{len(parts)} field" + ("" if len(parts) == 1 else "s")
        raise CronError(f"it has {count}, not 5: minute, hour, day of month, month, day of week")
    sets = [_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = sets
    return CronSchedule(
        minutes,
        hours,
        days,
        months,
        frozenset(day % 7 for day in weekdays),
        parts[2] == "*",
        parts[4] == "*",
    )


def _field(text: str, what: str, least: int, most: int, names: tuple[str, ...]) -> frozenset[int]:
    values: set[int] = set()
    for item in text.lower().split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise CronError(f"'{item}' is not {_a(what)}")
        first, last, step = match.groups()
        if first == "*" and last is None:
            start, end = least, most
        else:
            start = _value(first, what, least, most, names)
            end = _value(last, what, least, most, names) if last else start
            if last is None and step:
                raise CronError(f"'{item}' has a step without a range; write {start}-{most}/{step}")
        if end < start:
            raise CronError(f"the {what} range '{item}' runs backwards")
        by = int(step[:6]) if step else 1
        if by < 1 or (step and by > most):
            raise CronError(f"the step of '{item}' does not fit {_a(what)}, {least} to {most}")
        values.update(range(start, end + 1, by))
    return frozenset(values)


def _a(what: str) -> str:
    return f"an {what}" if what == "hour" else f"a {what}"


def _value(text: str, what: str, least: int, most: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + least
    if not text.isdecimal() or not least <= int(text[:6]) <= most:
        raise CronError(f"'{text}' is not {_a(what)}, {least} to {most}")
    return int(text)
