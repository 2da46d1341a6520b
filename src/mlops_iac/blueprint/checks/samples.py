"""What the beginning of one data file shows: its columns, or what is wrong with it."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from mlops_iac.records import Record
from mlops_iac.runtime.rows import CsvRecords, is_null, number

SAMPLE_BYTES = 256 * 1024
_SAMPLE_ROWS = 100
_SAMPLE_LINES = 1000  # a row may have several, and a header, too
_POINTER = b"version https://git-lfs.github.com/spec/"
_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


class Sample(Record):
    """`columns` are pandas' names, None where the beginning does not show them.

    `words` are the columns that have values and no number. `twice` are names that stand in the header more than once. `problem` is what is wrong with the
    file, `hint` what to do about it, or about a column that is not there.
    """

    columns: tuple[str, ...] | None = None
    twice: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    problem: str = ""
    hint: str = ""
    is_empty: bool = False


def sample(path: Path, format_: str) -> Sample:
    """Look at the beginning of a regular file of a format with rows."""
    zipped = path.suffix.lower() == ".gz"
    opened: Any = gzip.open if zipped else open
    try:
        with opened(path, "rb") as file:
            data = file.read(SAMPLE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        if zipped and getattr(error, "errno", None) is None:
            return Sample(problem="is not compressed by gzip", hint="rename it, or compress it")
        return Sample(problem=f"cannot be read: {getattr(error, 'strerror', error)}")
    whole = len(data) <= SAMPLE_BYTES
    data = data[:SAMPLE_BYTES]
    if not data:
        return Sample(problem="is empty", hint="it has not even a header", is_empty=True)
    if data.startswith(_POINTER):
        return Sample(problem="is a pointer of Git LFS, not the data", hint="`git lfs pull`")
    if format_ == "parquet":
        wrong = "" if data.startswith(b"PAR1") else "is no parquet file"
        return Sample(problem=wrong, hint="correct 'format'" if wrong else "")
    try:
        # What ends in the middle of a character is no error where the file goes on.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(data, whole)
    except UnicodeDecodeError as error:
        return _not_utf8(data, error.start)
    if "\0" in text[:1024]:
        return _not_utf8(data, data.index(b"\0"))
    return _csv(text, whole) if format_ == "csv" else _json(text, whole, path)


def _not_utf8(data: bytes, at: int) -> Sample:
    line = data.count(b"\n", 0, at) + 1
    other = _MARKS.get(data[:2]) or ("UTF-16" if b"\0" in data[:1024] else "Windows-1252")
    return Sample(
        problem=f"is not UTF-8: byte 0x{data[at]:02x} in line {line}",
        hint=f"save it as UTF-8, which pandas reads; it may be {other}",
    )


def _csv(text: str, whole: bool) -> Sample:
    lines = list(islice(io.StringIO(text, newline=""), _SAMPLE_LINES + 1))
    whole = whole and len(lines) <= _SAMPLE_LINES
    if not whole:
        del lines[-1:]
    try:
        records = CsvRecords(lines, whole=whole)
    except (ValueError, csv.Error) as error:
        if not whole:
            return Sample()
        return Sample(problem=str(error).replace("it is", "is"), hint="", is_empty=True)
    if not whole and records.is_all:
        return Sample()  # the header may go on
    header = records.header
    twice = tuple(dict.fromkeys(name for name in header if name and header.count(name) > 1))
    hint = ""
    for separator in ("\t", ";", "|"):
        if len(header) == 1 and separator in header[0]:
            hint = f"its columns are separated by '{escape(separator)}', where pandas reads ','"
    if any(number(name) is not None for name in header):
        hint = "its first line has numbers in it: write a header above"
    try:
        rows = [row for _, _, row in islice(records, _SAMPLE_ROWS)]
    except (ValueError, csv.Error) as error:
        return Sample(problem=f"is not read by pandas: {error}", hint="correct the line")
    return Sample(tuple(records.names), twice, _words(rows), "", hint)


def _words(rows: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    found: set[str] = set()
    numbers: set[str] = set()
    for row in rows:
        for name in row.keys() - numbers:
            if not is_null(row[name]):
                (found if number(row[name]) is None else numbers).add(name)
    return frozenset(found - numbers)


def escape(separator: str) -> str:
    """A tab as people write it."""
    return separator.replace("\t", "\\t")


def _json(text: str, whole: bool, path: Path) -> Sample:
    rows: list[dict[str, Any]] = []
    if ".json" in path.suffixes[-2:]:
        rest = text.lstrip()
        if not rest.startswith("["):
            return Sample(problem="is not a list of objects", hint="or name it .jsonl: one a line")
        decoder, at = json.JSONDecoder(), 1
        try:
            for _ in range(_SAMPLE_ROWS):
                at += len(rest[at:]) - len(rest[at:].lstrip(" \t\r\n,"))
                if rest[at : at + 1] != "{":
                    break
                item, at = decoder.raw_decode(rest, at)
                rows.append(item)
        except ValueError as error:
            if whole:
                return Sample(problem=f"is no JSON: {error}")
        return _objects(rows)
    lines = text.split("\n")
    if not whole:
        del lines[-1:]
    for place, line in islice(enumerate(lines, 1), _SAMPLE_ROWS):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError as error:
            return Sample(problem=f"is no JSON in line {place}: {error}")
        if not isinstance(item, dict):
            return Sample(problem=f"has no object in line {place}")
        rows.append(item)
    return _objects(rows)


def _objects(rows: list[dict[str, Any]]) -> Sample:
    columns = dict.fromkeys(name for row in rows for name in row)
    return Sample(tuple(columns) or None, words=_words(rows))
