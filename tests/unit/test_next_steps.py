"""What is left to be done after a deployment: words that can be typed as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.api import load
from mlops_iac.api.status.status import next_steps, pending_names
from mlops_iac.engine.protocol import Result

MODEL = (
    "code: workload/, runtime: {framework: scikit-learn, version: 1.9}, train: {script: train.py}"
)


@pytest.mark.parametrize(
    ("models", "names", "run"),
    [(["one"], "(model one)", "run, "), (["one", "two"], "(models one, two)", "run MODEL, ")],
)
def test_which_model_is_run_is_said_where_there_are_several(
    tmp_path: Path, models: list[str], names: str, run: str
) -> None:
    path = tmp_path / "blueprint.yaml"
    path.write_text(
        "blueprint: 1\nname: churn\nplatform: sagemaker\nregion: eu-west-1\n"
        "datasets: {calls: {source: data.csv, format: csv, target: left}}\nmodels:\n"
        + "".join(f"  {name}: {{{MODEL}}}\n" for name in models)
    )
    (tmp_path / "data.csv").write_text("left\n")
    (tmp_path / "workload").mkdir()
    (tmp_path / "workload" / "train.py").touch()
    result = Result(steps=[], outputs={"api_pending": models}, duration_seconds=1.0)
    assert pending_names(result.outputs) == [f"api {names}"]
    *_, last = next_steps(load(path), "local", result)
    assert last.startswith(f"next: mlops-iac {run}mlops-iac models approve MODEL VERSION")


@pytest.mark.parametrize(
    ("stack", "alerts", "said"),
    [("prod", "", True), ("prod", "alerts: {oncall: {email: a@b.example}}\n", False), ("local", "", False)],
)  # fmt: skip
def test_that_nobody_is_told_is_said(tmp_path: Path, stack: str, alerts: str, said: bool) -> None:
    path = tmp_path / "blueprint.yaml"
    path.write_text(
        "blueprint: 1\nname: churn\nplatform: sagemaker\nregion: eu-west-1\n"
        "models: {brought: {source: s3://b/m/, runtime: {framework: scikit-learn, version: 1.9}}}\n"
        "serving: {api: {mode: real-time, model: brought}}\n"
        f"environments: {{prod: {{account: 210987654321}}}}\n{alerts}"
    )
    lines = next_steps(load(path), stack, Result(steps=[], outputs={}, duration_seconds=1.0))
    assert any("nobody is told" in line for line in lines) is said
