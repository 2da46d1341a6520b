"""Datasets before any script sees them: their checks, and the newest rows of a window.

A check reads every row once; the whole dataset is never in memory (parquet aside).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from .rows import UNREADABLE, CsvRecords, DataError, files, is_null, number, read, text

__all__ = ["DataError", "check", "rows", "rows_of", "window"]


def rows(folder: Path, format_: str) -> Iterator[tuple[tuple[str, int], Mapping[str, Any]]]:
    """Every row of every file of a dataset, with its place: the file, and the line or row from 1.

    CSV lines are counted from 1, the header's. JSON is one array or one object per line.
    Raises DataError for a format without rows and where there is no file of the format.
    """
    for path in files(folder, format_):
        name = path.relative_to(folder).as_posix()
        for line, row in rows_of(path, format_, name):
            yield (name, line), row


def rows_of(path: Path, format_: str, name: str = "") -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Every row of one file with its line or number. Raises DataError for one that is not of its format."""
    with _readable(name or path.name, format_):
        yield from read(path, format_)


@contextmanager
def _readable(name: str, format_: str) -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        raise DataError(f"{name} is not readable as {format_}: {error}") from error


def check(folder: Path, checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """What breaks the checks of one dataset, in sentences, one per check and rule.

    Each check is `{"dataset", "format", "field", "rules"}` with the rules `not_null`, `at_least`
    and `at_most`. Raises DataError for a rule that is not known and a dataset without rows.
    """
    bad: dict[tuple[str, str], tuple[int, str]] = {}  # (field, rule) → count, first example
    count = 0
    for (name, line), row in rows(folder, checks[0]["format"]):
        count += 1
        for item in checks:
            field = item["field"]
            if field not in row:
                raise DataError(
                    f"{item['dataset']}: {name} has no column {field!r}; "
                    f"it has {', '.join(map(str, row))}"
                )
            for rule, bound in item["rules"].items():
                if not _holds(row[field], rule, bound):
                    times, example = bad.get((field, rule), (0, ""))
                    example = example or f"{row[field]!r} in {name}, line {line}"
                    bad[field, rule] = times + 1, example
    dataset = checks[0]["dataset"]
    if not count:
        raise DataError(f"{dataset} has no rows")
    bounds = {(item["field"], rule): b for item in checks for rule, b in item["rules"].items()}
    return [
        f"{dataset}.{field}: {_words(rule, bounds[field, rule])}, "
        f"but {times} of {count} rows break it, first {example}"
        for (field, rule), (times, example) in bad.items()
    ]


def window(source: Path, target: Path, time: str, days: float) -> tuple[int, int]:
    """Copy the CSV files of a dataset with only the rows of its newest `days`.

    The newest row counts, not today, so that the same data give the same model. Returns the
    number of rows kept and of all rows. Raises DataError where a time cannot be read.
    """
    moments = [_moment(row.get(time), time, place) for place, row in rows(source, "csv")]
    if not moments:
        raise DataError(f"{source.name} has no rows")
    oldest = max(moments) - timedelta(days=days)
    kept, position = 0, 0
    for path in files(source, "csv"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with text(path, encoding="utf-8-sig") as old, text(copy, "wt") as new:
            records = CsvRecords(old)
            writer = csv.writer(new, lineterminator="\n")
            writer.writerow(records.header)
            for _, fields, _ in records:
                if moments[position] >= oldest:
                    writer.writerow(fields)
                    kept += 1
                position += 1
    return kept, len(moments)


def _holds(value: Any, rule: str, bound: Any) -> bool:
    if rule == "not_null":
        return not (bound and is_null(value))
    if rule not in ("at_least", "at_most"):
        raise DataError(f"unknown check {rule!r}; known: not_null, at_least, at_most")
    if is_null(value):
        return True  # a missing value is the business of `not_null`
    found = number(value)
    return found is not None and bool(found >= bound if rule == "at_least" else found <= bound)


def _words(rule: str, bound: Any) -> str:
    return "must not be null" if rule == "not_null" else f"must be {rule.replace('_', ' ')} {bound}"


def _moment(value: Any, column: str, place: tuple[str, int]) -> datetime:
    text = str(value or "").strip()
    # `fromisoformat` reads the Z only since Python 3.11; the containers may be older.
    text = text[:-1] + "+00:00" if text.endswith("Z") else text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(
            f"{place[0]}, line {place[1]}: {column} is {value!r}, not an ISO 8601 date or time"
        ) from None
    # Not `datetime.UTC`, which the older containers lack.
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)  # noqa: UP017
