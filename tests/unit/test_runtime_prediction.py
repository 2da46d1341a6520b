"""The steps around a batch prediction: rows in, joined rows out, and nothing lost on the way."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops_iac.runtime import contract, prediction
from mlops_iac.runtime.data import DataError
from mlops_iac.runtime.metrics import StepFailed
from mlops_iac.runtime.prediction import join, write_rows
from mlops_iac.runtime.step import main

CSV = "id,size,late,share,name,gap\n007,3,true,0.5,a,1\n008,4,FALSE,2,,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "projects").mkdir()
    return tmp_path / "projects"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def lines(folder: Path) -> list[dict[str, Any]]:
    """Every row that was written, file after file."""
    return [
        json.loads(line)
        for path in sorted(folder.iterdir())
        for line in path.read_text().splitlines()
    ]


def test_values_of_a_csv_are_what_pandas_reads_them_as(folder: Path, out: Path) -> None:
    (folder / "a.csv").write_text(CSV)
    written = write_rows(folder, "csv", out, parts=1)
    assert written == {
        "rows": 2,
        "columns": {
            "id": "integer", "size": "integer", "late": "boolean", "share": "number",
            "name": "text", "gap": "number",
        },
    }  # fmt: skip
    assert lines(out) == [
        {"id": 7, "size": 3, "late": True, "share": 0.5, "name": "a", "gap": 1.0},
        {"id": 8, "size": 4, "late": False, "share": 2.0, "name": None, "gap": None},
    ]
    read = pd.read_csv(folder / "a.csv")
    again = pd.DataFrame(lines(out))
    pd.testing.assert_frame_equal(again, read, check_dtype=False)
    assert [kind.kind for kind in again.dtypes][:4] == [kind.kind for kind in read.dtypes][:4]


def test_a_column_is_one_type_over_all_files(folder: Path, out: Path) -> None:
    (folder / "a.csv").write_text("x\n1\n")
    (folder / "b.csv").write_text("x\nhigh\n")
    assert write_rows(folder, "csv", out, parts=1)["columns"] == {"x": "text"}
    assert lines(out) == [{"x": "1"}, {"x": "high"}]


@pytest.mark.parametrize(
    ("rows", "parts", "files"), [(1, 8, 1), (10, 4, 4), (10, 1, 2), (10, 9, 5)]
)
def test_machines_share_the_files(
    folder: Path,
    out: Path,
    rows: int,
    parts: int,
    files: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prediction, "_FEWEST", 2)
    monkeypatch.setattr(prediction, "_MOST", 5)
    (folder / "a.csv").write_text("x\n" + "".join(f"{n}\n" for n in range(rows)))
    write_rows(folder, "csv", out, parts=parts)
    assert len(list(out.iterdir())) == files
    assert lines(out) == [{"x": n} for n in range(rows)]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"a.csv": "x\n"}, "projects has no rows"),
        ({"a.txt": ""}, "projects has no file that ends in .csv"),
        ({"a.csv": "x\n1\n", "b.csv": "y\n1\n"}, "its columns differ from the first file's: x, y"),
        ({"a.csv": "prediction\n1\n"}, "has a column 'prediction', which the run adds"),
        ({"a.csv": "x\ninf\n"}, "a.csv, line 2: an infinite number cannot be sent"),
    ],
)
def test_what_cannot_be_predicted_for_is_refused(
    folder: Path, out: Path, files: dict[str, str], sentence: str
) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(DataError, match=sentence):
        write_rows(folder, "csv", out, parts=1)


def test_json_rows_stay_as_they_are(folder: Path, out: Path) -> None:
    rows = [{"a": 1, "b": {"c": [1]}}, {"a": 1.5, "b": None}]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    written = write_rows(folder, "json", out, parts=1)
    assert written["columns"] == {"a": "number", "b": "other"}
    assert lines(out) == rows


def predicted(folder: Path, rows: list[Any]) -> None:
    """What a transform leaves: rows with the model's answers."""
    folder.mkdir(exist_ok=True)
    text = "".join(
        json.dumps({"x": n, "Out": {"prediction": value}}) + "\n" for n, value in enumerate(rows)
    )
    (folder / "part-00000.jsonl.out").write_text(text)


def joined(tmp_path: Path, out: Path, rows: list[Any], **changes: Any) -> dict[str, Any]:
    predicted(tmp_path / "predicted", rows)
    checked = {"rows": changes.pop("asked", len(rows)), "columns": {"x": "integer"}}
    settings = {"answer": "Out", "format_": "json", "most_missing_percent": None, **changes}
    return join(tmp_path / "predicted", checked, out, **settings)


def test_each_row_comes_out_with_its_prediction(tmp_path: Path, out: Path) -> None:
    assert joined(tmp_path, out, [0.5, 1, None]) == {
        "rows": 3, "predicted": 2, "columns": {"x": "integer", "prediction": "number"},
    }  # fmt: skip
    assert [path.name for path in out.iterdir()] == ["part-00000.jsonl"]
    assert lines(out)[1] == {"x": 1, "prediction": 1}


def test_csv_is_written_with_a_header_and_nested_values_as_json(tmp_path: Path, out: Path) -> None:
    joined(tmp_path, out, [[1, 2], None], format_="csv")
    with (out / "part-00000.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{"x": "0", "prediction": "[1, 2]"}, {"x": "1", "prediction": ""}]


@pytest.mark.parametrize(
    ("rows", "changes", "sentence"),
    [
        ([1], {"asked": 2}, "1 of 2 rows came back"),
        ([], {"asked": 2}, "0 of 2 rows came back"),
        ([1, 1, 1], {"asked": 2}, "3 of 2 rows came back"),
        (
            [1, None],
            {"most_missing_percent": 10.0},
            "50 % of the rows have no prediction; at most 10 %",
        ),
    ],
)
def test_a_run_that_is_short_fails(
    tmp_path: Path, out: Path, rows: list[Any], changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(StepFailed, match=sentence):
        joined(tmp_path, out, rows, **changes)


def step(root: Path, **settings: str) -> tuple[int, str]:
    """Run one step below `root`: its exit code, and the reason it gives."""
    env = {contract.ROOT_SETTING: str(root)}
    env |= {getattr(contract, name): value for name, value in settings.items()}
    code = main(root, [], env)
    message = root / "output" / "message"
    return code, message.read_text() if message.is_file() else ""


def test_the_steps_check_and_complete(tmp_path: Path) -> None:
    data = tmp_path / contract.PROCESSING_DATA / "projects"
    data.mkdir(parents=True)
    (data / "a.csv").write_text("x\n1\n2\n")
    settings = {"STEP": "check", "DATASETS": "projects", "FORMAT": "csv", "PARTS": "2"}
    assert step(tmp_path, **settings) == (0, "")
    report = tmp_path / contract.PROCESSING_REPORT / contract.ROWS_FILE
    assert json.loads(report.read_text())["rows"] == 2
    checked = tmp_path / contract.PROCESSING_CHECKED
    checked.mkdir(parents=True)
    report.rename(checked / contract.ROWS_FILE)
    into = tmp_path / contract.PROCESSING_PREDICTED
    into.mkdir(parents=True)
    predicted(into, [1, 0])
    assert step(tmp_path, STEP="complete", FORMAT="json", ANSWER="Out", ERROR_PERCENT="0") == (
        0,
        "",
    )
    assert lines(tmp_path / contract.PROCESSING_OUTPUT) == [
        {"x": 0, "prediction": 1},
        {"x": 1, "prediction": 0},
    ]


def test_checks_of_the_dataset_come_before_any_prediction(tmp_path: Path) -> None:
    data = tmp_path / contract.PROCESSING_DATA / "projects"
    data.mkdir(parents=True)
    (data / "a.csv").write_text("x\n1\n5\n")
    check = {"dataset": "projects", "format": "csv", "field": "x", "rules": {"at_most": 2}}
    settings = {"STEP": "check", "DATASETS": "projects", "FORMAT": "csv", "PARTS": "1"}
    code, reason = step(tmp_path, **settings, CHECK=json.dumps(check))
    assert (code, "1 of 2 rows break it" in reason) == (1, True)
    assert not (tmp_path / contract.PROCESSING_ROWS).exists()
