"""The handlers that serve `predict.py`, and what is packed for them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.runtime import contract, inference, versions
from mlops_iac.runtime.files import runtime_files
from mlops_iac.runtime.forms import Unanswered, preferred
from mlops_iac.runtime.inference import input_fn, model_fn, output_fn, predict_fn

PREDICT = """
from pathlib import Path

def load(folder):
    return float(Path(folder, "factor.txt").read_text())

def predict(model, rows):
    return [model * row["x"] for row in rows]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "predict.py").write_text(PREDICT)
    (tmp_path / "factor.txt").write_text("2")
    return tmp_path


@pytest.fixture(autouse=True)
def _clean_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "predict", raising=False)


def test_instances_become_predictions_in_their_order(folder: Path) -> None:
    model = model_fn(str(folder))
    rows = input_fn(json.dumps({"instances": [{"x": 1}, {"x": 3}]}), "application/json")
    body, content_type = output_fn(predict_fn(rows, model), "text/csv")
    assert json.loads(body) == {"predictions": [2.0, 6.0]}
    assert content_type == "application/json"


def test_no_rows_are_no_predictions_and_no_call(folder: Path) -> None:
    (folder / "code" / "predict.py").write_text("def load(m): pass\ndef predict(m, r): 1 / 0\n")
    assert predict_fn([], model_fn(str(folder))) == []


INSTANCES = '{"instances": [row, …]}'


@pytest.mark.parametrize(
    ("body", "content_type", "status", "sentence"),
    [
        (b"x=1", "application/x-www-form-urlencoded", 415, "send one of application/json, "),
        (b"{", "application/json", 400, "the body is not JSON"),
        (b"[" * 100_000, "application/json", 400, "nested too deeply"),
        (b"[]", "application/json", 400, INSTANCES),
        (b'{"rows": []}', "application/json", 400, INSTANCES),
        (b'{"instances": {}}', "application/json", 400, INSTANCES),
        (b'{"x": 1}\n{x', "application/jsonlines", 400, "line 2 is not JSON"),
        (b"", "text/csv", 400, "it is empty"),
        (b"x,y\n", "text/csv", 400, "a header and no row"),
        (b"1,2.5\n", "text/csv", 400, "no names of columns"),
        (b"x,y\n1,2\n3\n", "text/csv", 400, "line 3 has 1 fields, and the header 2"),
        (b"x,y\n1,2,3\n", "text/csv", 400, "line 2 has 3 fields, and the header 2"),
        (b'x\n"1\n', "text/csv", 400, "line 2 is not closed"),
        (b"\xff", "text/csv", 400, "not text in utf-8"),
        (b"x\n1\n", "text/csv; charset=klingon", 415, "send utf-8"),
    ],
)
def test_a_request_of_another_form_is_refused_in_words(
    body: bytes, content_type: str, status: int, sentence: str
) -> None:
    found = input_fn(body, content_type)
    assert isinstance(found, Unanswered)
    assert found.status == status
    assert sentence in found.error


ROWS = [
    {"id": 7, "name": "a", "share": 0.1, "late": True, "gap": 1.0},
    {"id": 8, "name": 'b\u2028"c"', "share": 2.0, "late": False, "gap": None},
]
CSV = 'id,name,share,late,gap\r\n7,a,0.1,True,1\r\n8,"b\u2028""c""",2,false,NaN\r\n'
LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps({"instances": ROWS}), "application/json"),
        (json.dumps({"instances": ROWS}).replace("null", "NaN"), "Application/JSON; charset=UTF-8"),
        (LINES, "application/jsonlines"),
        (LINES + "\n\n", "application/x-ndjson;charset=utf-8"),
        (CSV, "text/csv"),
        ("\ufeff" + CSV, 'text/csv; charset="utf-8"; header=present'),
    ],
)
def test_a_row_is_the_same_in_every_form(body: str, content_type: str) -> None:
    for given in (body, body.encode(), bytearray(body.encode())):
        found = input_fn(given, content_type)
        assert found == ROWS
        assert [[type(each) for each in row.values()] for row in found] == [
            [type(each) for each in row.values()] for row in ROWS
        ]


def test_a_charset_of_the_callers_is_read() -> None:
    assert input_fn("x\né\n".encode("latin-1"), "text/csv; charset=latin-1") == [{"x": "é"}]


@pytest.mark.parametrize(
    "content_type", ["image/png", "application/x-image", "application/octet-stream"]
)
def test_bytes_are_one_row(content_type: str) -> None:
    assert input_fn(bytearray(b"\x89PNG\xff"), content_type) == [b"\x89PNG\xff"]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/jsonlines", "application/jsonlines"),
        ("text/csv, application/x-ndjson; charset=utf-8", "application/jsonlines"),
        ("application/jsonlines;q=0.5, application/json", "application/json"),
        ("application/json;q=0, application/jsonlines;q=0.1", "application/jsonlines"),
        ('text/csv;x="a,application/jsonlines"', "application/json"),
    ],
)
def test_the_answer_has_the_form_that_is_wanted_most(accept: str | None, form: str) -> None:
    assert preferred(accept) == form
    _, content_type = output_fn([1], accept)
    assert content_type == form


def unanswered(model: inference.Model, rows: list[Any]) -> Unanswered:
    found = predict_fn(rows, model)
    assert isinstance(found, Unanswered)
    return found


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "KeyError: 'x' (predict.py, line 8); it lacks: x"),
        ({"X": 1}, "it lacks: x; it has more than others: X"),
        ({"x": "1"}, "of another type than in others: x (text for number)"),
        ([1], "it is a list, and others are an object"),
        (b"1", "it is bytes, and others are an object"),
    ],
)
def test_the_row_that_is_refused_is_named_with_what_is_other(
    folder: Path, row: Any, words: str
) -> None:
    (folder / "code" / "predict.py").write_text(PREDICT.replace("model * row", "model + row"))
    model, good = model_fn(str(folder)), {"x": 1}
    for place in (0, 3, 6):
        found = unanswered(model, [row if each == place else good for each in range(7)])
        assert (found.status, found.row) == (400, place + 1)
        assert words in found.error
    assert predict_fn([good], model) == [3.0]
    # Alone, it is the row's fault because another is still answered.
    assert (unanswered(model, [row]).status, unanswered(model, [row] * 20).status) == (400, 400)


def test_a_row_without_some_fields_is_not_what_others_are_judged_by(folder: Path) -> None:
    (folder / "code" / "predict.py").write_text(PREDICT.replace("model * row", "model + row"))
    model = model_fn(str(folder))
    for answered in ({"x": 1, "y": 2}, {"x": 1}):
        assert isinstance(predict_fn([answered], model), list)
    found = unanswered(model, [{"x": "1", "y": 2}])
    assert "more than others" not in found.error and "x (text for number)" in found.error


def test_a_model_that_answers_no_row_is_at_fault_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = model_fn(str(folder))
    for rows in ([{}], [{"y": 4711}] * 3):
        found = unanswered(model, rows)
        assert (found.status, found.row) == (500, None)
        assert found.error == "predict failed: KeyError: 'x' (predict.py, line 8)"
    assert "4711" not in "".join(capsys.readouterr())


def test_a_model_that_broke_is_not_the_rows_fault(folder: Path) -> None:
    model = model_fn(str(folder))
    assert predict_fn([{"x": 1}], model) == [2.0]
    model._loaded = None
    assert unanswered(model, [{"x": 1}]).status == 500


def test_a_model_that_takes_fields_out_of_rows_is_asked_with_whole_ones(folder: Path) -> None:
    predict = PREDICT.replace('row["x"]', 'row.pop("x")')
    (folder / "code" / "predict.py").write_text(predict)
    found = unanswered(model_fn(str(folder)), [{"x": 1}, {"y": 1}, {"x": 1}])
    assert (found.status, found.row) == (400, 2)


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("[]", "predict returned 0 values for 2 rows"),
        ("None", "predict returned a NoneType, not a list of values"),
        ("'ab'", "predict returned a str, not a list of values"),
        ("{1: 2, 3: 4}", "predict returned a dict, not a list of values"),
        (
            "__import__('pandas').DataFrame({'a': [1, 2], 'b': [3, 4]})",
            "predict returned a DataFrame, not a list of values",
        ),
        ("[object(), 1]", "what predict returned cannot be sent: Object of type object"),
    ],
)
def test_what_is_no_value_for_each_row_is_the_models_fault(
    folder: Path, returned: str, words: str
) -> None:
    code = f"def load(m): pass\ndef predict(m, rows): return {returned}\n"
    (folder / "code" / "predict.py").write_text(code)
    with pytest.raises(Unanswered) as raised:
        output_fn(predict_fn([1, 2], model_fn(str(folder))), "application/json")
    assert raised.value.status == 500
    assert words in raised.value.error


def test_a_model_that_does_not_load_says_what_it_was_trained_with(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = folder / "code" / contract.VERSIONS_FILE
    versions.record(kept)
    assert versions.changed(kept) == ""
    model_fn(str(folder))
    assert capsys.readouterr().err == ""
    found = json.loads(kept.read_text())
    found["python"], found["packages"]["pytest"] = "3.7.1", "1.2.3"
    kept.write_text(json.dumps(found))
    (folder / "factor.txt").unlink()
    changed = r"trained with Python 3\.7\.1 \(here 3\..*pytest 1\.2\.3 \(here"
    with pytest.raises(RuntimeError, match=f"FileNotFoundError: .*{changed}"):
        model_fn(str(folder))


def test_numpys_numbers_and_what_is_no_number_become_json(folder: Path) -> None:
    (folder / "code" / "predict.py").write_text(
        "import numpy as np\n"
        "def load(m): return np.float32\n"
        "def predict(m, r): return (each for each in"
        " [m(0.1), np.nan, {'p': [m('inf'), np.int64(3)]}, np.array([1, np.nan])])\n"
    )
    body, _ = output_fn(predict_fn([1, 2, 3, 4], model_fn(str(folder))), "application/json")
    answer = [0.10000000149011612, None, {"p": [None, 3]}, [1.0, None]]
    assert json.loads(body) == {"predictions": answer}


def test_what_is_packed_runs_without_this_package(tmp_path: Path, folder: Path) -> None:
    code = folder / "code"
    for name, content in runtime_files().items():
        (code / name).parent.mkdir(exist_ok=True)
        (code / name).write_bytes(content)
    program = (
        "import inference, sys\n"
        f"model = inference.model_fn({str(folder)!r})\n"
        "print(inference.output_fn(inference.predict_fn([{'x': 4}], model), '')[0])\n"
        "assert not [name for name in sys.modules if name.startswith('mlops_iac.')]\n"
    )
    # -S: no site-packages, so nothing but the standard library and what is packed.
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=code, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"predictions": [8.0]}


def test_packed_files_are_the_same_each_time_and_complete() -> None:
    files = runtime_files()
    assert files == runtime_files()
    assert {"mlops_step.py", "inference.py", "mlops_runtime/step.py"} <= set(files)
    packed = {name.removeprefix("mlops_runtime/") for name in files if "/" in name}
    for name, content in files.items():
        for node in ast.walk(ast.parse(content)):
            if isinstance(node, ast.ImportFrom) and node.level:
                imported = [node.module] if node.module else [each.name for each in node.names]
                assert {f"{each}.py" for each in imported} <= packed, name
