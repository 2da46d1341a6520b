"""CSV is cut and judged as pandas does it by default."""

from __future__ import annotations

import gzip
import io
import math
from pathlib import Path

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_iac.runtime.rows import NULLS, CsvRecords, files, is_null, number, read
from tests.examples import examples

ROWS = settings(max_examples=examples(150))

_FIELDS = [
    "",
    "1",
    "NA",
    "na",
    "1_000",
    " 2",
    "x.1",
    "x",
    "1e5",
    "inf",
    "-Infinity",
    "nan",
    "\uff11",
]
_TEXTS = st.lists(
    st.sampled_from([*_FIELDS, ",", ",", ",", "\n", "\n", "\r\n", '"', '""', " "]), max_size=24
).map("".join)


def theirs(text: str) -> tuple[list[str], list[list[str]]] | None:
    """Columns and texts (missing: '') that pandas has; None where it refuses."""
    try:
        table = pandas.read_csv(io.StringIO(text), dtype=str)
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError):
        return None
    return list(table.columns), table.fillna("").values.tolist()


def ours(text: str) -> tuple[list[str], list[list[str]]] | None:
    try:
        records = CsvRecords(io.StringIO(text, newline=""))
        found = [row for _, _, row in records]
    except ValueError:
        return None
    columns = records.names
    return columns, [["" if is_null(row[name]) else row[name] for name in columns] for row in found]


@ROWS
@given(_TEXTS)
def test_columns_rows_and_missing_values_are_those_of_pandas(text: str) -> None:
    assert ours("x,y\n" + text) == theirs("x,y\n" + text)
    assert ours(text) == theirs(text)


@ROWS
@given(st.text("0123456789.eE+-_ infatyINFx\t\uff11", min_size=1, max_size=9))
def test_what_is_a_number_is_one_to_pandas(text: str) -> None:
    column = pandas.read_csv(io.StringIO(f'a\n"{text}"\n'))["a"]
    numeric = pandas.api.types.is_numeric_dtype(column) and not is_null(text)
    value = float(column[0]) if numeric else None
    found = None if is_null(text) else number(text)
    assert found == value or (
        found is not None and value is not None and math.isclose(found, value)
    )


def test_missing_values_are_those_of_pandas() -> None:
    from pandas._libs.parsers import STR_NA_VALUES

    assert STR_NA_VALUES == NULLS


def test_a_field_may_be_longer_than_the_module_csv_reads_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text('x,note\n1,"' + "a" * 140_000 + '"\n', encoding="utf-8")
    ((line, row),) = read(path, "csv")
    assert (line, row["x"], len(row["note"])) == (2, "1", 140_000)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_compressed_file_and_a_byte_order_mark_are_read(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "part.csv.gz"
    path.write_bytes(gzip.compress(mark + b'"x"\n1\n'))
    assert list(read(path, "csv")) == [(2, {"x": "1"})]


def test_files_are_found_in_folders_of_folders_but_not_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/c.csv", "a.csv", ".git/d.csv", "._a.csv", "e.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x\n")
    found = files(tmp_path, "csv")
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.csv", "b/c.csv"]
