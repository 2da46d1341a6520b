"""The step that tries a model before it becomes a version: which rows, what is refused, what is kept."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.runtime import contract, examples
from mlops_iac.runtime.files import runtime_files
from mlops_iac.runtime.step import main

PREDICT = """
from pathlib import Path

def load(folder):
    return float(Path(folder, "factor.txt").read_text())

def predict(model, rows):
    return [None if row["x"] is None else model * row["x"] for row in rows]
"""
ROWS = "id,x,kind,y\na,1,p,0\nb,,q,1\nc,3,q,1\n"


class Try:
    """The job that tries a model, in `/opt/ml` in a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root / "opt ml"
        self.model = root / "model"
        self.put("factor.txt", "2")
        self.put("code/predict.py", PREDICT)
        for name, content in runtime_files().items():
            self.put(f"code/{name}", content.decode())
        self.rows(ROWS)
        self.env = {
            "PATH": "/usr/bin:/bin",
            contract.ROOT_SETTING: str(self.root),
            contract.STEP: "try",
            contract.SCRIPT: contract.PREDICT,
            contract.DATASETS: "orders",
            contract.FORMAT: "csv",
            contract.TARGET: "y",
        }

    def put(self, name: str, text: str) -> None:
        file = self.model / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def rows(self, text: str) -> None:
        file = self.root / contract.PROCESSING_DATA / "orders" / "a.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self) -> int:
        archive = self.root / contract.PROCESSING_MODEL / contract.MODEL_FILE
        archive.parent.mkdir(parents=True)
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            tar.add(self.model, ".")
        return main(self.root / "code", [], self.env)

    def reason(self) -> str:
        return (self.root / "output" / "message").read_text()

    def kept(self) -> dict[str, Any]:
        file = self.root / contract.PROCESSING_REPORT / contract.EXAMPLES_FILE
        loaded: dict[str, Any] = json.loads(file.read_text())
        return loaded


@pytest.fixture
def tried(tmp_path: Path) -> Try:
    return Try(tmp_path)


def test_the_last_rows_go_through_the_handlers_without_what_is_to_be_predicted(tried: Try) -> None:
    tried.rows("id,x,kind,y\n" + "".join(f"r{i},{i},p,0\n" for i in range(50)))
    assert tried.run() == 0
    kept = tried.kept()
    assert [row["x"] for row in kept["rows"]] == list(range(30, 50))
    assert kept["rows"][-1] == {"id": "r49", "x": 49, "kind": "p"}
    assert kept["columns"] == {"id": "text", "x": "integer", "kind": "text"}
    assert kept["predictions"] == [2.0 * i for i in range(30, 50)]
    assert kept["repeatable"] is True
    assert 0 < kept["seconds_per_row"] < 1
    assert kept["python"].startswith("3.")


def test_what_is_missing_in_a_row_is_null_as_callers_send_it(tried: Try) -> None:
    assert tried.run() == 0
    assert tried.kept()["rows"][1] == {"id": "b", "x": None, "kind": "q"}
    assert tried.kept()["predictions"] == [2.0, None, 6.0]


@pytest.mark.parametrize("place", ["", "code/"])
def test_rows_that_the_workload_has_left_come_first(tried: Try, place: str) -> None:
    tried.put(f"{place}examples.jsonl", '{"x": 5}\n\n{"x": 7, "z": true}\n')
    tried.rows("nothing,of,this\n")
    assert tried.run() == 0
    assert tried.kept()["predictions"] == [10.0, 14.0]
    assert tried.kept()["columns"] == {"x": "integer", "z": "boolean"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [('{"x": 1}\n{x}', "examples.jsonl, line 2: "), ("\n", "examples.jsonl has no rows")],
)
def test_rows_of_another_form_are_told(tried: Try, text: str, sentence: str) -> None:
    tried.put("examples.jsonl", text)
    assert tried.run() == 1
    assert sentence in tried.reason()


def test_without_rows_a_model_is_loaded_all_the_same(tried: Try) -> None:
    tried.env[contract.DATASETS] = ""
    assert tried.run() == 0
    kept = tried.kept()
    assert (kept["rows"], kept["predictions"], kept["seconds_per_row"]) == ([], [], None)


def test_without_rows_a_model_that_cannot_be_loaded_is_refused(tried: Try) -> None:
    tried.env[contract.DATASETS] = ""
    tried.put("code/predict.py", PREDICT.replace("factor", "other"))
    assert tried.run() == 1
    assert "load failed: FileNotFoundError" in tried.reason()


def test_rows_that_nobody_but_the_workload_can_read_leave_the_model_loaded(
    tried: Try, capsys: pytest.CaptureFixture[str]
) -> None:
    tried.rows("x,y\n1,2,3\n1,2,3,4\n")
    assert tried.run() == 0
    assert tried.kept()["rows"] == []
    assert "asked for no rows: a.csv is not readable as csv" in capsys.readouterr().out


LOAD = "def load(folder): return 1\n"


@pytest.mark.parametrize(
    ("script", "sentences"),
    [
        (
            "import nowhere_to_be_found\n",
            ["cannot be imported: ModuleNotFoundError", "(predict.py, line 1", "requirements.txt"],
        ),
        ("def load(:\n", ["cannot be imported: SyntaxError", "(predict.py, line 1)"]),
        (LOAD, ["cannot be imported: AttributeError", "no attribute 'predict'"]),
        (
            "def predict(m, r): ...\ndef load(folder): return open('model.pkl')\n",
            ["load failed: FileNotFoundError", "(predict.py, line 2, in load)", "--model"],
        ),
        (
            "def predict(m, r): ...\ndef load(folder): raise SystemExit(3)\n",
            ["load failed: SystemExit: 3"],
        ),
        (
            "import os\ndef predict(m, r): ...\ndef load(folder): os.kill(os.getpid(), 9)\n",
            ["load failed: the process was killed (signal 9)", "memory"],
        ),
        (
            f"{LOAD}def predict(m, rows): return [row['y'] for row in rows]\n",
            ["predict failed: KeyError: 'y' (predict.py, line 2", "examples.jsonl"],
        ),
        (
            f"{LOAD}def predict(m, rows): return [1, 1]\n",
            ["predict returned 2 values for 3 rows", "drop no row"],
        ),
        (f"{LOAD}def predict(m, rows): return [float('nan')] * len(rows)\n", ["3 of 3 rows with NaN"]),
        (
            f"{LOAD}def predict(m, rows): return [{{1}} for _ in rows]\n",
            ["not JSON serializable", "a number, a text"],
        ),
    ],
)  # fmt: skip
def test_a_version_that_cannot_predict_is_refused_with_what_to_mend(
    tried: Try, script: str, sentences: list[str]
) -> None:
    tried.put("code/predict.py", script)
    assert tried.run() == 1
    reason = tried.reason()
    assert reason.startswith("try: ")
    assert not [each for each in sentences if each not in reason], reason
    assert not (tried.root / contract.PROCESSING_REPORT / contract.EXAMPLES_FILE).exists()


def test_the_reason_ends_with_the_traceback_for_who_sees_nothing_else(tried: Try) -> None:
    tried.put("code/predict.py", f"{LOAD}def predict(m, rows):\n    return rows['late']\n")
    assert tried.run() == 1
    lines = tried.reason().splitlines()
    assert lines[-1].startswith("TypeError: list indices")
    assert "return rows['late']" in tried.reason()


@pytest.mark.parametrize(
    ("script", "stage"),
    [
        ("import time\ntime.sleep(60)\n", "import"),
        ("import time\ndef predict(m, r): ...\ndef load(f): time.sleep(60)\n", "load"),
        (f"import time\n{LOAD}def predict(m, r): time.sleep(60)\n", "predict"),
    ],
)
def test_what_hangs_is_ended(
    tried: Try, script: str, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(examples.SECONDS, stage, 0.1)
    tried.put("code/predict.py", script)
    assert tried.run() == 1
    assert "took longer than 0.1 seconds" in tried.reason()


def test_a_model_that_answers_otherwise_each_time_is_kept_as_one(tried: Try) -> None:
    tried.put(
        "code/predict.py",
        f"import itertools\ncount = itertools.count()\n{LOAD}"
        "def predict(m, rows): return [next(count) for _ in rows]\n",
    )
    assert tried.run() == 0
    assert tried.kept()["repeatable"] is False


def test_what_a_script_prints_is_no_answer_and_threads_hold_nobody_up(tried: Try) -> None:
    tried.put(
        "code/predict.py",
        f"import threading, time\nprint('hello')\n{LOAD}"
        "def predict(m, rows):\n    threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "    return [1] * len(rows)\n",
    )
    assert tried.run() == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True), (0.1, 0.1 + 1e-9, True), (0.1, 0.11, False), (None, None, True),
        (None, 0.0, False), (True, 1, True), ("a", "b", False), ([1, {"p": 0.5}], [1, {"p": 0.5}], True),
        ([1], [1, 2], False), ({"p": 1}, {"q": 1}, False),
    ],
)  # fmt: skip
def test_predictions_are_alike_but_for_arithmetic(one: Any, other: Any, same: bool) -> None:
    assert examples.alike(one, other) is same


def test_a_reference_is_kept_with_what_was_answered(tried: Try) -> None:
    tried.rows("id,x,y\n" + "".join(f"{n},{n},0\n" for n in range(1200)))
    # A row that predict refuses spoils the call that it is in, and not the version.
    refusing = PREDICT.replace(
        "    return [", "    assert all(row['x'] != 3 for row in rows)\n    return ["
    )
    tried.put("code/predict.py", refusing)
    assert tried.run() == 0
    kept = tried.kept()["reference"]
    assert kept["rows"][7] == {"id": 7, "x": 7}
    both = zip(kept["rows"], kept["predictions"], strict=True)
    answered = [(row["x"], said) for row, said in both if said is not None]
    assert 700 <= len(answered) < 1200
    assert all(said == 2 * x for x, said in answered)
