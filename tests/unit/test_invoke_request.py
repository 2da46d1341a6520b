"""What a call sends: rows of every form, or a body as it is; and what is no rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.api.invoke.request import Request, bounded, of_dataset, of_file, of_rows, of_text
from mlops_iac.errors import UsageError

MOST = 1_000


def rows(text: str, first: int | None = None) -> Any:
    return of_text(text.encode(), "it", first, MOST).rows


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', [{"a": 1}]),
        ('[{"a": 1}, {"a": null}]', [{"a": 1}, {"a": None}]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ('{"instances": [{"a": 1}]}', [{"a": 1}]),
        ('{"instances": [1], "a": 2}', [{"instances": [1], "a": 2}]),
        (' {"a": 1}\n\n{"a": "\u2028"}\n', [{"a": 1}, {"a": "\u2028"}]),
        ('\ufeff[{"a": 1}]', [{"a": 1}]),
        ("a,b\n1,x\n2.5,\n", [{"a": 1.0, "b": "x"}, {"a": 2.5, "b": None}]),
        ("\ufeffa,b\n1,TRUE\n2,false\n", [{"a": 1, "b": True}, {"a": 2, "b": False}]),
        ('a\n"1\n2"\n', [{"a": "1\n2"}]),
    ],
)
def test_rows_of_a_text(text: str, found: list[Any]) -> None:
    assert rows(text) == found


def test_what_is_sent_is_what_the_rows_are() -> None:
    sent = of_text(b"a,b\n1,x\n\n2,y\n", "rows.csv", None, MOST)
    assert json.loads(sent.body) == {"instances": sent.rows}
    assert sent.content_type == "application/json"
    assert sent.places == ["line 2 of rows.csv", "line 4 of rows.csv"]


def test_a_column_is_of_one_kind_however_few_of_its_rows_are_sent() -> None:
    assert rows("a,b\n007,1\nx,\n", first=1) == [{"a": "007", "b": 1.0}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it cannot be read: it is empty"),
        ("a,b\n", "there are no rows"),
        ("[]", "there are no rows"),
        ('{"instances": 3}', "it is JSON and no rows"),
        ('{"a": ', "it is not JSON: Expecting value"),
        ('{"a": 1}\n{"a": ', "it is not JSON: line 2: Expecting value"),
        ('[{"a": NaN}]', "row 1 of it cannot be sent as JSON"),
        ("a\n1\ninf\n", "line 3 of it cannot be sent as JSON"),
        ("a\n1,2\n1,2,3\n", "line 3 has 3 fields"),
        ('a\n"1\n', "is not closed"),
        ("[" * 100_000, "nested without end"),
        ("a\n" + "1\n" * 1_000, "rows are more than an endpoint takes at once (0.001 MB)"),
    ],
)
def test_what_is_no_rows_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        rows(text)
    assert said in raised.value.message


def test_what_is_no_text_is_said() -> None:
    with pytest.raises(UsageError, match=r"it cannot be read: .*can.t decode"):
        of_text(b"\xff\xfe\x00", "it", None, MOST)


def test_rows_of_python_are_said_by_number() -> None:
    with pytest.raises(UsageError, match=r"row 1 cannot be sent as JSON: .*set"):
        of_rows(iter([("row 1", {1})]), None, MOST)


def test_the_name_of_a_file_says_what_it_is(tmp_path: Path) -> None:
    def sent(name: str, content: bytes, content_type: str = "") -> Request:
        (tmp_path / name).write_bytes(content)
        return of_file(tmp_path / name, content_type, None, MOST)

    assert sent("a.CSV", b"a\n1\n").rows == [{"a": 1}]
    assert sent("a.csv.gz", gzip.compress(b"a\n1\n")).rows == [{"a": 1}]
    assert sent("a.ndjson", b'{"a": 1}\n{"a": 2}\n').rows == [{"a": 1}, {"a": 2}]
    png = sent("a.png", b"123")
    assert (png.body, png.content_type, png.rows) == (b"123", "image/png", None)
    assert sent("a.weights", b"1").content_type == "application/octet-stream"
    as_said = sent("b.csv", b"a\n1\n", "text/csv")
    assert (as_said.body, as_said.content_type, as_said.rows) == (b"a\n1\n", "text/csv", None)
    for name, content, said in (
        ("big.bin", b"1" * 1_001, "it is more than an endpoint takes"),
        ("none.png", b"", "there is nothing to send"),
        ("torn.csv.gz", gzip.compress(b"a\n1\n")[:-3], "cannot be unpacked"),
    ):
        with pytest.raises(UsageError, match=said):
            sent(name, content)
    for path, said in ((tmp_path, "Is a directory"), (tmp_path / "gone", "there is no file")):
        with pytest.raises(UsageError, match=said):
            of_file(path, "", None, MOST)


def test_what_is_endless_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_iac.api.invoke.request.MOST_READ", 10)
    assert bounded(b"1" * 10, "stdin") == b"1" * 10
    with pytest.raises(UsageError, match="stdin is larger than"):
        bounded(b"1" * 11, "stdin")


def test_a_dataset_gives_its_first_rows_without_the_target(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x,y\n" + "".join(f"{n},{n}\n" for n in range(9)) + "last,9\n")
    sent = of_dataset(file, "csv", "y", None, MOST)
    assert sent.rows == [{"x": str(n)} for n in range(5)]
    (tmp_path / "b.csv").write_text("x,y\n7,7\n")
    assert len(of_dataset(tmp_path, "csv", "y", 100, MOST).rows or ()) == 11
    (tmp_path / "c.png").write_bytes(b"1")
    (tmp_path / ".hidden").write_bytes(b"2")
    image = of_dataset(tmp_path, "images", None, None, MOST)
    assert image.content_type == "text/csv"  # the first file, whatever it is
    with pytest.raises(UsageError, match="parquet"):
        of_dataset(tmp_path, "parquet", None, None, MOST)
