"""A dataset on its way through a batch prediction: rows as lines going in, joined rows coming out.

Each line is one row as JSON, so that whoever asks the model may split and assemble by line. The
values of a CSV file become what pandas reads them as by default, column by column over all files:
a model gets the types that it was trained on. Nothing here holds a dataset in memory.
"""

from __future__ import annotations

import csv
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from . import contract, data
from .kinds import kind_of, kind_of_text, typed, whole
from .metrics import StepFailed
from .rows import DataError
from .sample import Sample

# Rows of one file, at least and at most: machines share the files among them.
_FEWEST, _MOST = 1_000, 100_000


def write_rows(folder: Path, format_: str, out: Path, *, parts: int) -> dict[str, Any]:
    """Write the rows of a dataset as JSON lines, to `parts` files or more.

    Returns `{"rows": count, "columns": {name: kind}}`; a kind is `integer`, `number`, `boolean`,
    `text` or `other`. Raises DataError for a dataset without rows, for files that differ in their
    columns, for a column that a prediction has itself and for numbers that JSON does not know.
    """
    kinds, count = _survey(folder, format_)
    if not count:
        raise DataError(f"{folder.name} has no rows")
    if contract.PREDICTION in kinds:
        raise DataError(
            f"{folder.name} has a column {contract.PREDICTION!r}, which the run adds: rename it"
        )
    columns = {name: whole(each) for name, each in kinds.items()}
    size = min(_MOST, max(_FEWEST, -(-count // parts)))
    read = data.rows(folder, format_)
    for part in range(-(-count // size)):
        with (out / f"part-{part:05}.jsonl").open("w", encoding="utf-8") as file:
            for place, row in islice(read, size):
                if format_ == "csv":
                    row = typed(row, columns)
                file.write(_line(row, place))
    return {"rows": count, "columns": columns}


def last_rows(
    folder: Path, format_: str, most: int, sample: int
) -> tuple[dict[str, str], list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The kind of each column of a dataset, its last rows, and a sample of all: always the same.

    Rows have the values that lines have. What JSON does not know becomes text, numbers that it does
    not know null. Raises DataError.
    """
    last: deque[Mapping[str, Any]] = deque(maxlen=most)
    drawn = Sample[Mapping[str, Any]](sample)

    def see(row: Mapping[str, Any]) -> None:
        last.append(row)
        drawn.add(row)

    found, _ = _survey(folder, format_, see)
    columns = {name: whole(each) for name, each in found.items()}

    def sent(row: Mapping[str, Any]) -> Mapping[str, Any]:
        row = typed(row, columns) if format_ == "csv" else row
        return {
            name: json.loads(json.dumps(_finite(each), default=str)) for name, each in row.items()
        }

    return columns, [*map(sent, last)], [*map(sent, drawn.taken)]


def kinds(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The kind of each column of rows that are JSON."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, set()).add(kind_of(value))
    return {name: whole(each) for name, each in found.items()}


def _finite(value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def join(
    folder: Path,
    checked: Mapping[str, Any],
    out: Path,
    *,
    answer: str,
    format_: str,
    most_missing_percent: float | None,
) -> dict[str, Any]:
    """Write what was predicted, each row with its prediction in a column of its own.

    `folder` holds JSON lines: a row with the model's answer at the key `answer`; `checked` is what
    `write_rows` returned. `format_` is `json` (lines) or `csv`. Returns the same again, and how many
    rows were `predicted`. Raises StepFailed where rows are short, or more of them lack a prediction
    than may.
    """
    rows, predicted = 0, 0
    kinds: set[str] = set()
    columns = [*checked["columns"], contract.PREDICTION]
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.name.partition(".")[0]
        with path.open(encoding="utf-8") as lines, _writer(out / name, format_, columns) as write:
            for line in lines:
                row = json.loads(line)
                value = (row.pop(answer, None) or {}).get(contract.PREDICTION)
                rows += 1
                predicted += value is not None
                kinds.add(kind_of(value))
                write({**row, contract.PREDICTION: value})
    if rows != checked["rows"]:
        raise StepFailed(f"{rows} of {checked['rows']} rows came back from the model")
    missing = 100 * (rows - predicted) / rows
    if most_missing_percent is not None and missing > most_missing_percent:
        raise StepFailed(
            f"{missing:.3g} % of the rows have no prediction; at most {most_missing_percent:g} % may"
        )
    found = {**checked["columns"], contract.PREDICTION: whole(kinds)}
    return {"rows": rows, "predicted": predicted, "columns": found}


def save(what: Mapping[str, Any], path: Path) -> None:
    """Write what is known of rows."""
    path.write_text(json.dumps(what, indent=2), encoding="utf-8")


def load(path: Path) -> dict[str, Any]:
    """Read what an earlier step saved."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _survey(
    folder: Path, format_: str, see: Callable[[Mapping[str, Any]], Any] = bool
) -> tuple[dict[str, set[str]], int]:
    """What kinds of values each column has, and the number of rows; `see` is shown each of them."""
    kinds: dict[str, set[str]] = {}
    kind = kind_of_text if format_ == "csv" else kind_of
    count = 0
    for (name, line), row in data.rows(folder, format_):
        if format_ == "csv" and count and row.keys() != kinds.keys():
            other = ", ".join(sorted(map(str, row.keys() ^ kinds.keys())))
            raise DataError(
                f"{name}, line {line}: its columns differ from the first file's: {other}"
            )
        for column, value in row.items():
            kinds.setdefault(str(column), set()).add(kind(value))
        see(row)
        count += 1
    return kinds, count


def _line(row: Mapping[str, Any], place: tuple[str, int]) -> str:
    try:
        return json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n"
    except ValueError:
        raise DataError(f"{place[0]}, line {place[1]}: an infinite number cannot be sent") from None


@contextmanager
def _writer(
    path: Path, format_: str, columns: Sequence[str]
) -> Iterator[Callable[[Mapping[str, Any]], Any]]:
    """What writes one row to a file of the format; `path` lacks the suffix."""
    suffix = ".csv" if format_ == "csv" else ".jsonl"
    with path.with_suffix(suffix).open("w", encoding="utf-8", newline="") as file:
        if format_ == "csv":
            table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            table.writeheader()
            yield lambda row: table.writerow({name: _cell(each) for name, each in row.items()})
        else:
            yield lambda row: file.write(json.dumps(row, separators=(",", ":")) + "\n")


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, dict)) else value
