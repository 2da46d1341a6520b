"""What a preview takes for true of versions that nobody pins, where it asks no registry."""

from __future__ import annotations

import pytest

from mlops_iac.api import Project, load
from mlops_iac.engine.preview_json import to_pulumi_json
from mlops_iac.errors import UsageError

BLUEPRINT = """\
blueprint: 1
name: demo
owner: a@example.com
platform: sagemaker
region: eu-west-1
datasets:
  rides: {source: s3://rides/2026/, format: csv}
models:
  wait:
    code: workload
    runtime: {framework: scikit-learn, version: "1.2"}
    train: {script: train.py}
serving:
  api: {mode: real-time, model: wait}
environments:
  prod: {}
  pinned:
    models: {wait: {version: 3}}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("assumes")
    (folder / "workload").mkdir()
    (folder / "workload" / "train.py").write_text("", encoding="utf-8")
    predict = "def load(folder): ...\n\n\ndef predict(model, rows): ...\n"
    (folder / "workload" / "predict.py").write_text(predict, encoding="utf-8")
    (folder / "blueprint.yaml").write_text(BLUEPRINT, encoding="utf-8")
    return load(folder / "blueprint.yaml")


def named(project: Project, stack: str, assume: str | None) -> set[str]:
    return {step.type for step in project.preview(stack, assume=assume).changes}


def test_what_waits_for_a_version_is_counted_and_named(project: Project) -> None:
    plan = project.preview("prod")
    assert plan.assumed is not None
    assert plan.assumed.models == ["wait"]
    assert "sagemaker.Endpoint/api-endpoint" in plan.assumed.waiting
    assert "as if a version of wait, which nobody pins, were approved" in project.comparison(plan)
    assert to_pulumi_json(plan)["assumed"]["approved"] is True


def test_none_is_what_the_first_deployment_makes(project: Project) -> None:
    some, none = project.preview("prod"), project.preview("prod", assume="none")
    assert some.assumed is not None
    assert len(some.changes) - len(none.changes) == len(some.assumed.waiting)
    assert "aws:sagemaker/endpoint:Endpoint" in named(project, "prod", "approved")
    assert "aws:sagemaker/endpoint:Endpoint" not in named(project, "prod", "none")


def test_a_pinned_version_assumes_nothing(project: Project) -> None:
    plan = project.preview("pinned")
    assert plan.assumed is None
    assert "as if" not in project.comparison(plan)


def test_a_state_is_asked_and_assumes_nothing(project: Project) -> None:
    with pytest.raises(UsageError, match="asks which versions are approved"):
        project.preview("local", assume="none")
