"""Checks and windows over datasets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.runtime.data import DataError, check, window


def dataset(folder: Path, text: str, name: str = "part.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def rule(field: str, rules: dict[str, Any], format_: str = "csv") -> dict[str, Any]:
    return {"dataset": "orders", "format": format_, "field": field, "rules": rules}


def test_data_that_keep_their_checks_break_nothing(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "orders", "id,share\n1,0\n2,1\n3,\n")
    assert (
        check(
            folder, [rule("id", {"not_null": True}), rule("share", {"at_least": 0, "at_most": 1})]
        )
        == []
    )


@pytest.mark.parametrize(
    ("row", "rules", "sentence"),
    [
        (",1", {"not_null": True}, "orders.x: must not be null, but 1 of 2 rows break it, first '' in part.csv, line 3"),
        ("NaN,1", {"not_null": True}, "first 'NaN'"),
        ("-0.5,1", {"at_least": 0}, "must be at least 0, but 1 of 2 rows break it, first '-0.5'"),
        ("1.5,1", {"at_most": 1}, "must be at most 1"),
        ("many,1", {"at_most": 1}, "first 'many'"),
    ],
)  # fmt: skip
def test_a_broken_check_names_column_rule_count_and_line(
    tmp_path: Path, row: str, rules: dict[str, Any], sentence: str
) -> None:
    folder = dataset(tmp_path / "orders", f"x,y\n0.5,1\n{row}\n")
    (found,) = check(folder, [rule("x", rules)])
    assert sentence in found


def test_all_broken_checks_are_named_in_one_pass(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "orders", "x,y\n,5\n")
    assert len(check(folder, [rule("x", {"not_null": True}), rule("y", {"at_most": 1})])) == 2


def test_a_missing_value_is_the_business_of_not_null_alone(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "orders", "x\n\nNA\n1\n".replace("\n\n", '\n""\n'))
    assert check(folder, [rule("x", {"at_least": 0})]) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("part.json", json.dumps([{"x": 1}, {"x": None}])),
        ("part.jsonl", '{"x": 1}\n\n{"x": null}\n'),
    ],
)
def test_json_is_read_as_list_or_by_lines(tmp_path: Path, name: str, text: str) -> None:
    folder = dataset(tmp_path / "orders", text, name)
    (found,) = check(folder, [rule("x", {"not_null": True}, "json")])
    assert "1 of 2 rows" in found


@pytest.mark.parametrize(
    ("text", "name", "format_", "field", "sentence"),
    [
        ("a,b\n1,2\n", "p.csv", "csv", "x", "has no column 'x'; it has a, b"),
        ("x\n", "p.csv", "csv", "x", "orders has no rows"),
        ("x\n1\n", "p.txt", "csv", "x", "no file that ends in .csv"),
        (
            "x,y\n1,2\n3,4,5\n",
            "p.csv",
            "csv",
            "x",
            "line 3 has 3 fields, and those before it have 2",
        ),
        (
            'x\n1\n"2\n',
            "p.csv",
            "csv",
            "x",
            "a quote that opens in the row of line 3 is not closed",
        ),
        ("{}", "p.json", "json", "x", "not a list of objects"),
        ("{,", "p.jsonl", "json", "x", "not readable as json"),
        ("x\n1\n", "p.csv", "images", "x", "images has no rows to check"),
    ],
)
def test_unreadable_data_are_an_error_that_says_where(
    tmp_path: Path, text: str, name: str, format_: str, field: str, sentence: str
) -> None:
    folder = dataset(tmp_path / "orders", text, name)
    with pytest.raises(DataError, match=sentence):
        check(folder, [rule(field, {"not_null": True}, format_)])


def test_an_unknown_rule_is_not_ignored(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "orders", "x\n1\n")
    with pytest.raises(DataError, match="unknown check 'unique'"):
        check(folder, [rule("x", {"unique": True})])


def test_bytes_that_are_no_utf8_are_an_error(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "orders", "")
    (folder / "part.csv").write_bytes(b"x\n\xff\n")
    with pytest.raises(DataError, match="not readable"):
        check(folder, [rule("x", {"not_null": True})])


def test_a_window_keeps_the_newest_rows_of_all_files(tmp_path: Path) -> None:
    source = dataset(tmp_path / "orders", "at,x\n2026-01-01,1\n2026-03-01,2\n", "a.csv")
    dataset(source, "at,x\n2026-03-02T12:00:00Z,3\n2025-01-01,4\n", "b.csv")
    assert window(source, tmp_path / "out", "at", 10) == (2, 4)
    assert (tmp_path / "out" / "a.csv").read_text() == "at,x\n2026-03-01,2\n"
    assert (tmp_path / "out" / "b.csv").read_text() == "at,x\n2026-03-02T12:00:00Z,3\n"


def test_a_window_over_what_is_no_time_names_the_line(tmp_path: Path) -> None:
    source = dataset(tmp_path / "orders", "at\n2026-01-01\nsoon\n")
    with pytest.raises(DataError, match="line 3: at is 'soon', not an ISO 8601"):
        window(source, tmp_path / "out", "at", 10)
