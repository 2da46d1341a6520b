"""A batch entry on a laptop, as it is typed: nothing approved, approved, predicted, broken.

The tests of this module build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.cli.harness import Cli, copy_example, environment, teach_nothing

NIGHTLY = """\
  nightly:
    mode: batch
    model: adherence
    input: open-projects
    output: forecasts
    schedule: "0 2 * * *"
"""
PREDICT = (
    "def load(folder): ...\ndef predict(model, rows): return [row['progress'] for row in rows]\n"
)


def with_batch(project: Path) -> Path:
    """The copied example with one batch entry, and no other environment than `local`."""
    path = project / "blueprint.yaml"
    text = path.read_text(encoding="utf-8").partition("environments:")[0]
    made = "  open-projects: {source: data/open/, format: csv}\n  forecasts: {format: json}\n"
    text = text.replace("\nmodels:\n", f"{made}\nmodels:\n", 1)
    text = text.replace("\nsecurity:", f"{NIGHTLY}\nsecurity:", 1)
    path.write_text(text, encoding="utf-8")
    (project / "data" / "open").mkdir()
    (project / "data" / "open" / "a.csv").write_text("project_id,progress\nP1,0.5\nP2,0.25\n")
    (project / "workload" / "predict.py").write_text(PREDICT)
    (project / "workload" / "requirements.txt").write_text("")
    return project


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    home = tmp_path_factory.mktemp("batch")
    command = Cli(with_batch(teach_nothing(copy_example(home / "project"))), environment())
    yield command
    command("local", "stop", expect=None)


def test_it_is_deployed_before_anything_is_approved_and_says_what_a_run_needs(laptop: Cli) -> None:
    laptop("up", "--yes")
    assert (
        "nightly  no run yet; before it can: adherence has no version yet" in laptop("status").out
    )
    answer = laptop("run", "nightly", expect=4)
    assert "is approved: approve one, and start the run again" in answer.err
    assert "models approve" in answer.err


def test_a_run_predicts_with_the_approved_version(laptop: Cli) -> None:
    laptop("run", "--yes")
    laptop("models", "approve", "adherence", "1", "--yes")
    found = laptop("run", "nightly", "--json").json
    assert (found["entry"], found["status"], found["version"]) == ("nightly", "published", "1")
    assert (found["rows"], found["predicted"]) == (2, 2)
    assert found["output"].endswith(f"datasets/forecasts/run={found['run']}")
    entry = next(
        each for each in laptop("status", "--json").json["entries"] if each["name"] == "nightly"
    )
    assert entry["last_run"]["status"] == "published"
    assert entry["waits_for"] == []


def test_a_client_starts_it_and_sees_the_transform(laptop: Cli) -> None:
    server = laptop.folder / ".mlops-iac" / "emulator" / "server.json"
    url = f"http://127.0.0.1:{json.loads(server.read_text())['port']}"
    session = boto3.Session("local", "local", region_name="eu-west-1")
    sagemaker = session.client("sagemaker", endpoint_url=url)
    names = [each["PipelineName"] for each in sagemaker.list_pipelines()["PipelineSummaries"]]
    (name,) = [each for each in names if "nightly" in each]
    arn = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    while (found := sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn))[
        "PipelineExecutionStatus"
    ] == "Executing":
        time.sleep(0.05)
    assert found["PipelineExecutionStatus"] == "Succeeded"
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    steps = {each["StepName"]: each["Metadata"] for each in listed["PipelineExecutionSteps"]}
    outputs = steps["Resolve"]["Lambda"]["OutputParameters"]
    resolved = {each["Name"]: each["Value"] for each in outputs}
    job = steps["Predict"]["TransformJob"]["Arn"].rpartition("/")[2]
    transform = sagemaker.describe_transform_job(TransformJobName=job)
    assert (transform["TransformJobStatus"], transform["ModelName"]) == (
        "Completed",
        resolved["model"],
    )
    sagemaker.describe_model(ModelName=resolved["model"])
    output = transform["TransformOutput"]["S3OutputPath"]
    bucket, _, prefix = output.removeprefix("s3://").partition("/")
    s3 = session.client("s3", endpoint_url=url)
    assert s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")["KeyCount"] > 0
    (success,) = steps["Publish"]["Lambda"]["OutputParameters"]
    assert success["Value"].endswith("/_SUCCESS")


def test_two_runs_leave_the_deployment_as_it_is(laptop: Cli) -> None:
    first, second = (laptop("run", "nightly", "--json").json["output"] for _ in range(2))
    assert first != second
    laptop("up", "--yes")  # the endpoint of the version that was approved
    laptop("preview", "--expect-no-changes")


def test_a_name_of_nothing_is_told_with_what_there_is(laptop: Cli) -> None:
    answer = laptop("run", "nigthly", expect=2)
    assert "did you mean 'nightly'" in answer.err


def test_a_broken_model_fails_with_its_last_lines(laptop: Cli) -> None:
    (laptop.folder / "workload" / "predict.py").write_text(
        "def load(folder): ...\ndef predict(model, rows):\n"
        # Tried with twenty rows and with one, it answers; the two of the input are too many.
        "    if len(rows) == 2: raise SystemExit('no such column')\n    return [1] * len(rows)\n"
    )
    laptop("run", "adherence", "--yes")
    laptop("models", "approve", "adherence", "2", "--yes")
    answer = laptop("run", "nightly", expect=4)
    assert "no such column" in answer.err
    entry = next(
        each for each in laptop("status", "--json").json["entries"] if each["name"] == "nightly"
    )
    assert (entry["last_run"]["status"], entry["last_run"]["step"]) == ("failed", "Predict")
