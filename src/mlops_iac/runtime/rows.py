"""Files of rows, cut and judged as pandas does it by default: a script sees what was checked.

Source of the rules: `pandas.read_csv` without options, which `tests/unit/test_runtime_rows.py`
compares with. pandas itself is wanted for parquet alone.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

# `pandas.io.parsers.readers.STR_NA_VALUES`
NULLS = frozenset(
    [
        "",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    ]
)
SUFFIXES = {
    "csv": (".csv", ".csv.gz"),
    "json": (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz"),
    "parquet": (".parquet",),
}
# What is a number to pandas is one to Python, but not the other way round: `1_000`, digits of
# other scripts.
_NUMBER = re.compile(
    r"[ \t\n\v\f\r]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?[ \t\n\v\f\r]*"
    r"|[+-]?inf(inity)?",
    re.ASCII | re.IGNORECASE,
)
_BLANK = " \t\r\n"
_LONGEST_FIELD = 2**31 - 1  # the largest that every platform takes


class DataError(Exception):
    """A dataset is not as the blueprint says."""


def files(folder: Path, format_: str) -> list[Path]:
    """The files of a format below a folder, sorted; without those whose names begin with a dot.

    Raises DataError where there are none, and for a format without rows.
    """
    suffixes = SUFFIXES.get(format_)
    if suffixes is None:
        raise DataError(f"{format_} has no rows to check; formats with rows: {', '.join(SUFFIXES)}")
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(here, name) for name in names if is_of(name, format_)]
    if not found:
        raise DataError(f"{folder.name} has no file that ends in {' or '.join(suffixes)}")
    return sorted(found)


def is_of(name: str, format_: str) -> bool:
    """Whether a file of this name is read as one of the format."""
    return name.lower().endswith(SUFFIXES[format_]) and not name.startswith(".")


def read(path: Path, format_: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Every row of one file with its number: the line of a text, else counted from 1.

    Raises what `UNREADABLE` names for a file that is not of its format.
    """
    return _READERS[format_](path)


def text(path: Path, mode: str = "rt", encoding: str = "utf-8") -> IO[Any]:
    """Open a file of rows as text whose line breaks are left alone."""
    opened: Any = gzip.open if path.suffix.lower() == ".gz" else open
    return opened(path, mode, encoding=encoding, newline="")  # type: ignore[no-any-return]


def is_null(value: Any) -> bool:
    """Whether pandas takes a value for a missing one."""
    if isinstance(value, str):
        return value in NULLS
    return value is None or (isinstance(value, float) and value != value)


def number(value: Any) -> float | None:
    """The value as pandas would reckon with it; None for what is no number."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    except (TypeError, ValueError):
        return None


class CsvRecords:
    """The records of a CSV text. `header` is as written, `names` as pandas calls the columns.

    Where the first row has more fields than the header, the first `index` of them are pandas'
    index and no column. `whole` is whether the text ends where the file does. Making one raises
    ValueError for a text without a header.
    """

    def __init__(self, lines: Iterable[str], *, whole: bool = True) -> None:
        csv.field_size_limit(_LONGEST_FIELD)
        self.line = 0  # where the last record begins
        self._whole = whole
        self._inside = False
        self._reader = csv.reader(self._feed(lines))
        header = self._next()
        if header is None:
            raise ValueError("it is empty")
        self.header = header
        self.names = _names(header)
        self._first = self._next()
        self._first_line = self.line
        self.is_all = self._first is None  # there is nothing but the header
        self.index = max(0, len(self._first or ()) - len(header))

    def __iter__(self) -> Iterator[tuple[int, list[str], dict[str, str]]]:
        """The line where a record begins, its fields as written, its values by column.

        Raises ValueError for a row that is longer than the first, or a quote that is not closed.
        """
        width = len(self.header) + self.index
        fields, self.line = self._first, self._first_line
        while fields is not None:
            if len(fields) > width:
                raise ValueError(
                    f"line {self.line} has {len(fields)} fields, and those before it have {width}"
                )
            full = [*fields, *[""] * (width - len(fields))]
            yield self.line, fields, dict(zip(self.names, full[self.index :]))  # noqa: B905 - Python 3.8
            fields = self._next()

    def _next(self) -> list[str] | None:
        self._inside = False
        return next(self._reader, None)

    def _feed(self, lines: Iterable[str]) -> Iterator[str]:
        for count, line in enumerate(lines, 1):
            if not self._inside:
                if not line.strip(_BLANK):
                    continue
                self._inside, self.line = True, count
            yield line
        if self._inside and self._whole:
            raise ValueError(f"a quote that opens in the row of line {self.line} is not closed")


def _names(header: Sequence[str]) -> list[str]:
    """What pandas makes of a header: columns without a name get one, further ones of a name, too.

    `x, x, x.1` → `x, x.2, x.1` (`CParserWrapper` and `PythonParser._infer_columns` do the same).
    """
    names = [name or f"Unnamed: {place}" for place, name in enumerate(header)]
    counts: dict[str, int] = {}
    for place in sorted(range(len(names)), key=lambda place: not header[place]):
        own = name = names[place]
        count = counts.get(name, 0)
        while count > 0:
            counts[own] = count + 1
            name = f"{own}.{count}"
            count = count + 1 if name in names else counts.get(name, 0)
        names[place] = name
        counts[name] = count + 1
    return names


def _read_csv(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with text(path, encoding="utf-8-sig") as file:
        for line, _, row in CsvRecords(file):
            yield line, row


def _read_json(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with text(path) as file:
        if ".json" in path.suffixes[-2:]:
            loaded = json.load(file)
            if not isinstance(loaded, list):
                raise ValueError("it is not a list of objects")
            items: Iterable[tuple[int, Any]] = enumerate(loaded, 1)
        else:
            items = ((n, json.loads(line)) for n, line in enumerate(file, 1) if line.strip())
        for place, item in items:
            if not isinstance(item, dict):
                raise ValueError(f"row {place} is not an object")
            yield place, item


def _read_parquet(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        import pandas  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise DataError("parquet is read with pandas: add it to requirements.txt") from error
    table = pandas.read_parquet(path).astype(object)
    yield from enumerate(table.where(table.notna(), None).to_dict("records"), 1)


_READERS = {"csv": _read_csv, "json": _read_json, "parquet": _read_parquet}
UNREADABLE = (ValueError, csv.Error, EOFError, OSError, zlib.error)
