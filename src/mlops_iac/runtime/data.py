"""Datasets before any script sees them: their checks, and the newest rows of a window.

A check reads every row once; the whole dataset is never in memory (parquet aside).
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
Place = tuple[str, int]  # file, line or row, counted from 1

_NULLS = frozenset({"", "na", "nan", "null", "none", "n/a"})
_SUFFIXES = {"csv": (".csv",), "json": (".json", ".jsonl", ".ndjson"), "parquet": (".parquet",)}


class DataError(Exception):
    """A dataset is not as the blueprint says."""


def rows(folder: Path, format_: str) -> Iterator[tuple[Place, Row]]:
    """Every row of every file of a dataset, with its place.

    CSV lines are counted with the header as line 1. JSON is one array or one object per line.
    Raises DataError for a format without rows and where there is no file of the format.
    """
    files = _files(folder, format_)
    for path in files:
        try:
            for number, row in _READERS[format_](path):
                yield (path.name, number), row
        except (UnicodeDecodeError, ValueError, csv.Error) as error:
            raise DataError(f"{path.name} is not readable as {format_}: {error}") from error


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
    target.mkdir(parents=True, exist_ok=True)
    for path in _files(source, "csv"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with (
            path.open(newline="", encoding="utf-8-sig") as old,
            copy.open("w", newline="", encoding="utf-8") as new,
        ):
            reader = csv.DictReader(old)
            writer = csv.DictWriter(new, reader.fieldnames or [], lineterminator="\n")
            writer.writeheader()
            for row in reader:
                if moments[position] >= oldest:
                    writer.writerow(row)
                    kept += 1
                position += 1
    return kept, len(moments)


def _files(folder: Path, format_: str) -> list[Path]:
    suffixes = _SUFFIXES.get(format_)
    if suffixes is None:
        raise DataError(
            f"{format_} has no rows to check; formats with rows: {', '.join(_SUFFIXES)}"
        )
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes)
    if not found:
        raise DataError(f"{folder.name} has no file that ends in {' or '.join(suffixes)}")
    return found


def _read_csv(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        for row in reader:
            if None in row or None in row.values():
                raise ValueError(f"line {reader.line_num} does not have as many fields as line 1")
            yield reader.line_num, row


def _read_json(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open(encoding="utf-8") as file:
        if path.suffix == ".json":
            loaded = json.load(file)
            if not isinstance(loaded, list):
                raise ValueError("it is not a list of objects")
            items: Iterable[tuple[int, Any]] = enumerate(loaded, 1)
        else:
            items = ((n, json.loads(line)) for n, line in enumerate(file, 1) if line.strip())
        for number, item in items:
            if not isinstance(item, dict):
                raise ValueError(f"row {number} is not an object")
            yield number, item


def _read_parquet(path: Path) -> Iterator[tuple[int, Row]]:
    try:
        import pandas  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise DataError("checks on parquet need pandas: add it to requirements.txt") from error
    yield from enumerate(pandas.read_parquet(path).to_dict("records"), 1)


_READERS = {"csv": _read_csv, "json": _read_json, "parquet": _read_parquet}


def _is_null(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _NULLS
    return value is None or (isinstance(value, float) and math.isnan(value))


def _holds(value: Any, rule: str, bound: Any) -> bool:
    if rule == "not_null":
        return not (bound and _is_null(value))
    if rule not in ("at_least", "at_most"):
        raise DataError(f"unknown check {rule!r}; known: not_null, at_least, at_most")
    if _is_null(value):
        return True  # a missing value is the business of `not_null`
    try:
        number = float(value)
    except (TypeError, ValueError):
        return False
    return bool(number >= bound if rule == "at_least" else number <= bound)


def _words(rule: str, bound: Any) -> str:
    return "must not be null" if rule == "not_null" else f"must be {rule.replace('_', ' ')} {bound}"


def _moment(value: Any, column: str, place: Place) -> datetime:
    text = str(value or "").strip()
    # `fromisoformat` reads the Z only since Python 3.11; the containers may be older.
    text = text[:-1] + "+00:00" if text.endswith("Z") else text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(
            f"{place[0]}, line {place[1]}: {column} is {value!r}, not an ISO 8601 date or time"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
