"""The example's scripts and the scaffold's, run for real by the contract that the jobs use."""

from __future__ import annotations

import csv
import importlib
import json
import resource
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("sklearn") is None:  # whose import takes every worker two seconds
    pytest.skip("scikit-learn is the workload's, not ours", allow_module_level=True)

from mlops_iac.runtime.files import runtime_files
from mlops_iac.runtime.inference import input_fn, model_fn, output_fn, predict_fn
from mlops_iac.scaffold.render import default_answers, scaffold

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence"
PNG = b"\x89PNG\r\n\x1a\n"


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Project:
    """A workload's folder, its data, and where its scripts write."""

    def __init__(self, root: Path, dataset: str, data: str, out: Path) -> None:
        self.workload = root / "workload"
        self.out = out
        self.source = root / "data" / data
        folder = out / "in" / dataset / "base"  # as the stack lays it
        folder.mkdir(parents=True)
        (folder / data).write_bytes(self.source.read_bytes())
        self.seconds = 0.0

    def run(self, script: str, *arguments: object) -> str:
        began = _cpu_seconds()
        done = subprocess.run(
            [sys.executable, str(self.workload / script), *map(str, arguments)],
            cwd=self.workload, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.out), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        self.seconds += _cpu_seconds() - began
        assert done.returncode == 0, done.stderr
        return done.stdout

    def all(self) -> None:
        out = self.out
        self.run("prepare.py", "--data", out / "in", "--out", out / "prepared")
        self.run(
            "train.py", "--data", out / "prepared", "--model", out / "model",
            "--metrics", out / "trained" / "metrics.json", "--cv_folds", 5,
        )  # fmt: skip
        self.run(
            "evaluate.py", "--data", out / "prepared", "--model", out / "model",
            "--metrics", out / "report" / "metrics.json",
        )  # fmt: skip

    def metrics(self, folder: str) -> dict[str, float]:
        loaded: dict[str, float] = json.loads((self.out / folder / "metrics.json").read_text())
        return loaded


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Project:
    out = tmp_path_factory.mktemp("example")
    project = Project(EXAMPLE, "schedules", "schedule_management.csv", out)
    project.all()
    return project


def test_prepare_splits_80_to_20_and_scales_by_training_alone(example: Project) -> None:
    import pandas as pd

    train = pd.read_csv(example.out / "prepared" / "train.csv")
    test = pd.read_csv(example.out / "prepared" / "test.csv")
    assert (len(train), len(test)) == (2880, 720)
    assert list(train.columns) == list(test.columns)
    assert not train.isna().any().any()
    assert train["progress"].mean() == pytest.approx(0, abs=1e-9)
    assert train["progress"].std(ddof=0) == pytest.approx(1)
    assert test["progress"].mean() != pytest.approx(0, abs=1e-9)


def test_training_compares_several_classifiers_and_keeps_the_best(example: Project) -> None:
    metrics = example.metrics("trained")
    tried = {name: value for name, value in metrics.items() if name.startswith("accuracy_")}
    assert len(tried) >= 4
    assert metrics["accuracy"] == max(tried.values())
    assert 0.8 <= metrics["accuracy"] <= 0.9


def test_evaluation_passes_the_blueprints_gate(example: Project) -> None:
    metrics = example.metrics("report")
    assert set(metrics) == {"accuracy", "balanced_accuracy", "precision", "recall", "f1"}
    assert 0.75 < metrics["accuracy"] < 0.95
    # Better than always saying the more frequent answer, for either answer.
    assert metrics["balanced_accuracy"] > 0.75


@pytest.mark.parametrize(
    "picture",
    [
        "trained/confusion_matrix.png",
        "trained/feature_importance.png",
        "report/confusion_matrix.png",
    ],
)
def test_pictures_are_png(example: Project, picture: str) -> None:
    content = (example.out / picture).read_bytes()
    assert content.startswith(PNG)
    assert len(content) > 5_000


def test_the_whole_example_is_quick(example: Project) -> None:
    # Processor time, because tests share the machine: about 18 seconds.
    assert example.seconds < 60


def served(project: Project, monkeypatch: pytest.MonkeyPatch, body: object) -> list[object]:
    """The answer of the endpoint's handlers over the trained model, as packed for the cloud."""
    import shutil

    code = project.out / "model" / "code"
    shutil.copytree(project.workload, code, dirs_exist_ok=True)
    for name, content in runtime_files().items():
        (code / name).parent.mkdir(exist_ok=True)
        (code / name).write_bytes(content)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for module in ("predict", "features", "columns"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    model = model_fn(str(project.out / "model"))
    rows = input_fn(json.dumps(body), "application/json")
    text, _ = output_fn(predict_fn(rows, model), "application/json")
    for module in ("predict", "features", "columns"):
        sys.modules.pop(module, None)
    importlib.invalidate_caches()
    found: list[object] = json.loads(text)["predictions"]
    return found


def test_the_endpoint_answers_raw_rows_as_well_as_evaluation_does(
    example: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with example.source.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:400]
    truth = [int(row.pop("schedule_adherence")) for row in rows]
    predictions = served(example, monkeypatch, {"instances": rows})
    right = sum(a == b for a, b in zip(truth, predictions, strict=True))
    assert right / len(rows) > 0.75


def test_the_endpoint_answers_a_row_with_missing_and_unknown_fields(
    example: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"project_id": "P1", "region": "moon", "progress": 0.4}, {}]
    predictions = served(example, monkeypatch, {"instances": rows})
    assert len(predictions) == 2
    assert set(predictions) <= {0, 1}


def test_the_committed_data_are_what_the_generator_makes(tmp_path: Path) -> None:
    made = tmp_path / "made.csv"
    subprocess.run(
        [sys.executable, str(EXAMPLE / "data" / "generate.py"), "--out", str(made)], check=True
    )
    committed = EXAMPLE / "data" / "schedule_management.csv"
    assert made.read_bytes() == committed.read_bytes()
    assert committed.stat().st_size < 600_000


def test_the_data_look_like_reports_of_real_projects() -> None:
    import pandas as pd

    data = pd.read_csv(EXAMPLE / "data" / "schedule_management.csv", parse_dates=["reported_at"])
    assert 3_000 <= len(data) <= 4_000
    assert data["project_id"].is_unique
    assert data["progress"].dropna().between(0, 1).all()
    assert 0.01 < data["crew_size"].isna().mean() < 0.08
    assert 0.5 < data["schedule_adherence"].mean() < 0.8
    assert data["reported_at"].is_monotonic_increasing


def test_a_grid_over_one_classifier_runs(example: Project, tmp_path: Path) -> None:
    out = example.run(
        "train.py", "--data", example.out / "prepared", "--model", tmp_path / "m", "--metrics",
        tmp_path / "metrics.json", "--cv_folds", 3, "--search", "grid",
        "--classifier", "logistic_regression",
    )  # fmt: skip
    assert "best: logistic_regression" in out


def test_a_scaffolded_workload_passes_its_own_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaffold(tmp_path / "new", default_answers("new"))
    project = Project(tmp_path / "new", "deliveries", "deliveries.csv", tmp_path / "out")
    project.all()
    assert project.metrics("report")["accuracy"] > 0.7
    row = {"vehicle": "van", "distance_km": 70, "stops": 18, "rain_mm": 8, "departure_hour": 8}
    short = {"vehicle": "truck", "distance_km": 3, "stops": 1, "rain_mm": 0, "departure_hour": 10}
    assert served(project, monkeypatch, {"instances": [row, short]}) == [1, 0]


def test_the_scaffolds_data_are_what_its_generator_makes(tmp_path: Path) -> None:
    scaffold(tmp_path, default_answers("new"))
    data = tmp_path / "data" / "deliveries.csv"
    before = data.read_bytes()
    subprocess.run([sys.executable, str(tmp_path / "data" / "generate.py")], check=True)
    assert data.read_bytes() == before
