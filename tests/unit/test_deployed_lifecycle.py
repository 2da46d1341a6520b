"""Which lifecycle a run executes: the one that the deployed definition was printed of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_iac.api import load
from mlops_iac.api.deploy.deployed_sources import keep, lifecycle
from mlops_iac.api.project import Project
from mlops_iac.clouds import registry
from mlops_iac.clouds.base import Definition
from mlops_iac.errors import UsageError

BLUEPRINT = """
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
datasets: {calls: {source: data.csv, format: csv, target: left}}
models:
  churn:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    env: {B: "1", A: "2"}
    train: {script: train.py, hyperparameters: {z: 1, a: 2}}
environments: {prod: {}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    session = SimpleNamespace(client=lambda *_: None)
    monkeypatch.setattr(Project, "emulated_cloud", SimpleNamespace(session=lambda _: session))
    return written(tmp_path, BLUEPRINT)


def written(folder: Path, text: str) -> Project:
    (folder / "workload").mkdir(exist_ok=True)
    (folder / "workload" / "train.py").touch()
    (folder / "data.csv").write_text("left\n1\n")
    (folder / "blueprint.yaml").write_text(text)
    return load(folder / "blueprint.yaml")


def definition(project: Project) -> str:
    resolved = project.resolve("local")
    platform = registry.platform(resolved.blueprint.platform)
    (found,) = [
        value.content
        for call in platform.plan(resolved)
        for value in call.args.values()
        if isinstance(value, Definition) and "pipelines/" in value.path
    ]
    return found


def hyperparameters(project: Project, text: str) -> Any:
    life, _ = lifecycle(project, "local", "churn", text)
    return dict(life.train.hyperparameters)


def test_what_was_deployed_is_run_though_the_blueprint_says_otherwise(project: Project) -> None:
    keep(project, "local")
    text = definition(project)
    moved_on = written(project.root, BLUEPRINT.replace("a: 2}", "a: 3}"))
    assert hyperparameters(moved_on, text) == {"z": 1, "a": 2}


def test_what_is_deployed_by_itself_is_run_from_the_blueprint(project: Project) -> None:
    keep(project, "local")
    moved_on = written(project.root, BLUEPRINT.replace("a: 2}", "a: 3}"))
    assert hyperparameters(moved_on, definition(moved_on)) == {"z": 1, "a": 3}


def test_what_nothing_here_has_printed_is_not_run(project: Project) -> None:
    text = definition(project).replace("train.py", "other.py")
    with pytest.raises(UsageError, match="is not one that this version") as caught:
        hyperparameters(project, text)
    assert "`mlops-iac up`" in caught.value.hint
