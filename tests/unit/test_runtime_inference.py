"""The handlers that serve `predict.py`, and what is packed for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_iac.runtime.files import runtime_files
from mlops_iac.runtime.inference import (
    InvalidRequest,
    input_fn,
    model_fn,
    output_fn,
    predict_fn,
)

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


@pytest.mark.parametrize(
    ("body", "content_type", "sentence"),
    [
        (b'{"instances": []}', "text/csv", "content type 'text/csv'; send application/json"),
        (b"{", "application/json", "not JSON"),
        (b"[]", "application/json", "not {"),
        (b'{"rows": []}', "application/json", "not {"),
        (b'{"instances": {}}', "application/json", "not {"),
    ],
)
def test_a_request_of_another_form_is_refused(
    body: bytes, content_type: str, sentence: str
) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        input_fn(body, content_type)


def test_a_charset_in_the_content_type_is_fine() -> None:
    assert input_fn(b'{"instances": [1]}', "application/json; charset=utf-8") == [1]


def test_fewer_predictions_than_rows_are_an_error(folder: Path) -> None:
    (folder / "code" / "predict.py").write_text("def load(m): pass\ndef predict(m, r): return []\n")
    with pytest.raises(ValueError, match="0 values for 1 rows"):
        predict_fn([{"x": 1}], model_fn(str(folder)))


def test_numpys_numbers_and_what_is_no_number_become_json(folder: Path) -> None:
    (folder / "code" / "predict.py").write_text(
        "class Scalar:\n    def tolist(self): return 3\n"
        "def load(m): pass\ndef predict(m, r): return [Scalar(), float('nan')]\n"
    )
    body, _ = output_fn(predict_fn([1, 2], model_fn(str(folder))), "application/json")
    assert json.loads(body) == {"predictions": [3, None]}


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
        for line in content.decode().splitlines():
            if line.startswith("from ."):
                module = line.split()[1].lstrip(".")
                imported = [module] if module else line.split("import ")[1].split(", ")
                assert {f"{each}.py" for each in imported} <= packed, name
