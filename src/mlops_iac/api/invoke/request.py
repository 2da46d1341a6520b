"""What a call sends: rows, from a text, a file or a dataset, or a body as it is.

Values of CSV are what pandas reads them as by default, as in training and in batch predictions.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from mimetypes import MimeTypes
from pathlib import Path
from typing import Any

from mlops_iac.errors import UsageError
from mlops_iac.records import Record
from mlops_iac.runtime import data
from mlops_iac.runtime.forms import JSON
from mlops_iac.runtime.kinds import kind_of_text, typed, whole
from mlops_iac.runtime.rows import UNREADABLE, CsvRecords, is_of
from mlops_iac.runtime.rows import read as read_rows

MOST_READ = 100_000_000
_ROWS_SHOWN = 5
# Of a dataset that long the kinds of columns are those of its first rows.
_SURVEYED = 100_000
_TYPES = MimeTypes()  # without what this machine's files say
_TYPES.add_type("application/x-npy", ".npy")
_TYPES.add_type("image/webp", ".webp")

Places = Iterator[tuple[str, Any]]


class Request(Record):
    """A body and its content type; `rows` are what it holds, None of one that is sent as it is.

    `places` says where each row stands: `line 4 of rows.csv`.
    """

    body: bytes
    content_type: str
    rows: Sequence[Any] | None = None
    places: Sequence[str] = ()


def of_rows(found: Places, first: int | None, most: int) -> Request:
    """`{"instances": [row, …]}` of `(place, row)`, of the `first` of them if that is said.

    Raises UsageError for none at all, for what JSON does not have, and beyond `most` bytes.
    """
    rows: list[Any] = []
    places: list[str] = []
    parts: list[bytes] = []
    size = len(b'{"instances": []}')
    for place, row in islice(found, first):
        try:
            parts.append(json.dumps(row, allow_nan=False, separators=(",", ":")).encode())
        except (TypeError, ValueError) as error:
            raise UsageError(f"{place} cannot be sent as JSON: {error}; nothing was sent") from None
        except RecursionError:
            raise UsageError(f"{place} is nested without end; nothing was sent") from None
        size += len(parts[-1]) + 1
        if size > most:
            raise _too_large(f"{len(rows) + 1} rows are", most)
        rows.append(row)
        places.append(place)
    if not rows:
        raise UsageError("there are no rows; nothing was sent", hint="give one or more")
    return Request(b'{"instances": [' + b",".join(parts) + b"]}", JSON, rows, places)


def as_it_is(body: bytes, content_type: str, most: int) -> Request:
    """A body that is sent as it is. Raises UsageError for an empty one, and beyond `most` bytes."""
    if not body:
        raise UsageError("there is nothing to send", hint="give a file that is not empty")
    if len(body) > most:
        raise _too_large("it is", most)
    return Request(body, content_type)


def of_text(text: bytes, called: str, first: int | None, most: int) -> Request:
    """Rows of JSON, of JSON lines or of CSV, whichever it is. Raises UsageError for anything else."""
    start = text.removeprefix(BOM_UTF8).lstrip()[:1]
    return of_rows((_json if start in (b"{", b"[") else _csv)(text, called), first, most)


def of_file(path: Path, content_type: str, first: int | None, most: int) -> Request:
    """Rows of a file whose name ends as one of rows; any other as it is, and so with a content type.

    Raises UsageError for a file that is not there, cannot be read, or is too large.
    """
    called = str(path)
    name = path.name.lower()
    if is_of(name, "parquet") and not content_type:
        return of_rows(_of_parquet(path), first, most)
    text = _content(path)
    if not content_type and name.endswith(".gz"):
        text = _unpacked(text, called)
    for format_, reads in (("csv", _csv), ("json", _json)):
        if is_of(name, format_) and not content_type:
            return of_rows(reads(text, called), first, most)
    return as_it_is(text, content_type or media_type(path), most)


def of_dataset(
    path: Path, format_: str, target: str | None, first: int | None, most: int
) -> Request:
    """The first rows of a dataset without its target column; of images or texts the first file.

    `first` is 5 if not said. Raises UsageError where it cannot be read.
    """
    count = first or _ROWS_SHOWN
    if format_ in ("images", "text"):
        files = sorted(_visible(path)) if path.is_dir() else [path]
        if not files:
            raise UsageError(f"{path} has no files; nothing was sent")
        return as_it_is(_content(files[0]), media_type(files[0]), most)
    _require_reader(path, format_)
    with_target = islice(_dataset_rows(path, format_), max(count, _SURVEYED))
    rows = _readable(lambda: _typed(with_target, format_, count), str(path))
    return of_rows(
        ((place, {key: row[key] for key in row if key != target}) for place, row in rows),
        count,
        most,
    )


def media_type(path: Path) -> str:
    """The content type that a file's name says."""
    return _TYPES.guess_type(path.name)[0] or "application/octet-stream"


def _json(text: bytes, called: str) -> Places:
    try:
        whole = json.loads(text)
    except RecursionError:
        raise UsageError(f"{called} is nested without end; nothing was sent") from None
    except ValueError as error:
        return _lines(text, called, error)
    rows = whole.get("instances") if isinstance(whole, dict) and len(whole) == 1 else None
    if rows is None:
        rows = whole if isinstance(whole, list) else [whole]
    if not isinstance(rows, list) or not isinstance(whole, dict | list):
        raise UsageError(
            f"{called} is JSON and no rows",
            hint='rows are an object, a list of them, or {"instances": [row, …]}',
        )
    return ((f"row {number} of {called}", row) for number, row in enumerate(rows, 1))


def _lines(text: bytes, called: str, whole: ValueError) -> Places:
    """JSON lines; where the first of them is none either, the error about the `whole`."""
    found: list[tuple[str, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                found.append((f"line {number} of {called}", json.loads(line)))
            except ValueError as error:
                said = f"line {number}: {error}" if found else str(whole)
                raise UsageError(f"{called} is not JSON: {said}; nothing was sent") from None
    return iter(found)


def _csv(text: bytes, called: str) -> Places:
    def read() -> list[tuple[str, Any]]:
        records = CsvRecords(io.StringIO(text.decode("utf-8-sig"), newline=""))
        rows = (((called, line), row) for line, _, row in records)
        return _typed(rows, "csv", None)

    return iter(_readable(read, called))


def _of_parquet(path: Path) -> Places:
    _require_reader(path, "parquet")
    _content(path)  # not there, or too large
    found = read_rows(path, "parquet")
    rows = _readable(lambda: [(f"row {number} of {path}", row) for number, row in found], str(path))
    return iter(rows)


def _typed(
    rows: Iterable[tuple[tuple[str, int], Mapping[str, Any]]], format_: str, first: int | None
) -> list[tuple[str, Any]]:
    if format_ != "csv":
        return [(f"row {line} of {name}", row) for (name, line), row in islice(rows, first)]
    head: list[tuple[tuple[str, int], Mapping[str, Any]]] = list(islice(rows, first))
    kinds: dict[str, set[str]] = {}
    for _, row in chain(head, rows):
        for name, value in row.items():
            kinds.setdefault(name, set()).add(kind_of_text(value))
    columns = {name: whole(each) for name, each in kinds.items()}
    return [(f"line {line} of {name}", typed(row, columns)) for (name, line), row in head]


def _dataset_rows(path: Path, format_: str) -> Iterator[tuple[tuple[str, int], Mapping[str, Any]]]:
    if path.is_dir():
        return data.rows(path, format_)
    return (((path.name, line), row) for line, row in read_rows(path, format_))


def _readable(read: Callable[[], list[tuple[str, Any]]], called: str) -> list[tuple[str, Any]]:
    try:
        return read()
    except data.DataError as error:
        raise UsageError(f"{error}; nothing was sent") from None
    except (*UNREADABLE, csv.Error) as error:
        raise UsageError(f"{called} cannot be read: {error}; nothing was sent") from None


def _require_reader(path: Path, format_: str) -> None:
    from importlib.util import find_spec

    if format_ == "parquet" and find_spec("pandas") is None:
        raise UsageError(
            f"{path} is parquet, which is read by pandas, and pandas is not installed here",
            hint="pip install pandas pyarrow, or give CSV, JSON or JSON lines",
        )


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_READ + 1)
    except FileNotFoundError:
        raise UsageError(
            f"there is no file {path}", hint="a row itself is given as '{\"column\": value}'"
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', error)}") from None
    return bounded(content, str(path))


def bounded(content: bytes, called: str) -> bytes:
    """The content. Raises UsageError for more than is read."""
    if len(content) > MOST_READ:
        raise UsageError(
            f"{called} is larger than {MOST_READ // 1_000_000} MB; nothing was sent",
            hint="send a part of it; a batch entry predicts for whole datasets",
        )
    return content


def _unpacked(content: bytes, called: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as file:
            return bounded(file.read(MOST_READ + 1), called)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{called} cannot be unpacked: {error}") from None


def _visible(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            yield path


def _too_large(what: str, most: int) -> UsageError:
    return UsageError(
        f"{what} more than an endpoint takes at once ({most / 1e6:.3g} MB); nothing was sent",
        hint="--first N sends some of them; a batch entry predicts for whole datasets",
    )
