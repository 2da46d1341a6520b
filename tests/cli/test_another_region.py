"""`region` edited on a deployed `local`: everything is where the last command says, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.emulators.aws import server
from tests.cli.harness import Cli, environment
from tests.sagemaker_blueprints import PREDICT

BLUEPRINT = """\
blueprint: 1
name: mini
owner: team@acme.example
platform: sagemaker
region: eu-west-1
datasets: {rows: {source: data/rows.csv, format: csv, target: y}}
models:
  m:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    metrics: {accuracy: maximize}
    train: {script: train.py}
    evaluate: {script: evaluate.py, gates: {accuracy: {at_least: 0.1}}}
    registry: {approval: automatic}
"""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    for name in ("data/rows.csv", "workload/train.py", "workload/evaluate.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x,y\n1,0\n" if name.endswith("csv") else "pass\n")
    (tmp_path / "workload/predict.py").write_text(PREDICT)
    (tmp_path / "blueprint.yaml").write_text(BLUEPRINT, encoding="utf-8")
    return Cli(tmp_path, environment())


def test_the_stack_moves_and_is_deleted_where_it_is(cli: Cli) -> None:
    blueprint = cli.folder / "blueprint.yaml"

    def edit(old: str, new: str) -> None:
        blueprint.write_text(blueprint.read_text().replace(old, new), encoding="utf-8")

    cli("up", "--yes")
    info = server.AwsServer(cli.folder / ".mlops-iac").status()
    assert info is not None

    def groups(region: str) -> list[str]:
        found = server.client("sagemaker", info, region).list_model_package_groups()
        return [g["ModelPackageGroupName"] for g in found["ModelPackageGroupSummaryList"]]

    try:
        sagemaker = server.client("sagemaker", info, "eu-west-1")
        sagemaker.create_model_package(
            ModelPackageGroupName="mini-local-m", ModelApprovalStatus="PendingManualApproval"
        )
        edit("eu-west-1", "us-east-1")
        # Until it is applied, what reads goes where the stack is.
        assert [each["version"] for each in cli("models", "ls", "--json").json] == [1]
        shown = cli("preview")
        assert 'region: "eu-west-1" → "us-east-1"  ← forces replacement' in shown.out
        told = shown.out + shown.err
        assert "the region goes from eu-west-1 to us-east-1: everything is made anew" in told
        assert "1 registered model version of mini-local-m goes, too" in told
        cli("up", "--yes")
        assert (groups("eu-west-1"), groups("us-east-1")) == ([], ["mini-local-m"])
        assert cli("models", "ls", "--json").json == []
        assert cli("preview", "--expect-no-changes").code == 0

        edit("us-east-1", "eu-west-1")
        asked = cli("destroy", "--preview-only")
        assert "holds 1 object in 1 version; all go with it" in asked.err
        cli("destroy", "--yes")
        assert (groups("eu-west-1"), groups("us-east-1")) == ([], [])
        assert server.client("s3", info, "us-east-1").list_buckets()["Buckets"] == []
        cli("up", "--yes")
    finally:
        cli("local", "stop", expect=None)
