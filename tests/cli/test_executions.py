"""Clients of the emulated SageMaker start pipelines, watch them, stop them and go on with them.

The tests of this module build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from tests.cli.harness import Cli, copy_example, environment, teach_nothing

UNFINISHED = ("Executing", "Stopping")
# Training waits for as long as the file is there.
WAITS = "import time, pathlib\nwhile pathlib.Path({file!r}).exists(): time.sleep(0.02)\n"


class Laptop:
    """A deployed project, and SageMaker as any client of it is pointed there."""

    def __init__(self, folder: Path) -> None:
        self.cli = Cli(teach_nothing(copy_example(folder / "project")), environment())
        self.holds = folder / "wait"
        train = self.cli.folder / "workload" / "train.py"
        train.write_text(WAITS.format(file=str(self.holds)) + train.read_text())
        self.cli("up", "--yes")
        self.work = self.cli.folder / ".mlops-iac"
        port = json.loads((self.work / "emulator" / "server.json").read_text())["port"]
        url = f"http://127.0.0.1:{port}"
        session = boto3.Session("local", "local", region_name="eu-west-1")
        self.sagemaker = session.client("sagemaker", endpoint_url=url)
        (found,) = self.sagemaker.list_pipelines(PipelineNamePrefix="schedule-adherence-local-adh")[
            "PipelineSummaries"
        ]
        self.pipeline = found["PipelineName"]

    def start(self, **more: str) -> str:
        arn: str = self.sagemaker.start_pipeline_execution(PipelineName=self.pipeline, **more)[
            "PipelineExecutionArn"
        ]
        return arn

    def newest(self) -> str:
        found = self.sagemaker.list_pipeline_executions(PipelineName=self.pipeline)
        return str(found["PipelineExecutionSummaries"][0]["PipelineExecutionArn"])

    def status(self, arn: str) -> str:
        found = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        return str(found["PipelineExecutionStatus"])

    def steps(self, arn: str) -> dict[str, str]:
        found = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
        return {each["StepName"]: each["StepStatus"] for each in found["PipelineExecutionSteps"]}

    def ended(self, arn: str) -> str:
        wait(lambda: self.status(arn) not in UNFINISHED)
        return self.status(arn)

    def trains(self, arn: str) -> None:
        wait(lambda: self.steps(arn).get("Train") == "Executing")


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    made = Laptop(tmp_path_factory.mktemp("executions"))
    yield made
    made.holds.unlink(missing_ok=True)
    made.cli("local", "stop", expect=None)


def test_what_a_client_starts_runs_once_and_registers_a_version(laptop: Laptop) -> None:
    token = "t" * 32
    arn = laptop.start(ClientRequestToken=token)
    assert laptop.status(arn) == "Executing"
    assert laptop.start(ClientRequestToken=token) == arn
    assert laptop.ended(arn) == "Succeeded"
    assert set(laptop.steps(arn).values()) == {"Succeeded"}
    assert [each["version"] for each in laptop.cli("models", "ls", "--json").json] == [1]
    last = laptop.cli("status", "--json").json["models"][0]["last_run"]
    assert (last["id"], last["status"]) == (arn.rpartition("/")[2], "registered")


def test_it_is_stopped_and_goes_on_where_it_was(laptop: Laptop) -> None:
    laptop.holds.touch()
    arn = laptop.start()
    laptop.trains(arn)
    laptop.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert laptop.ended(arn) == "Stopped"
    assert laptop.steps(arn) == {"Prepare": "Succeeded", "Train": "Stopped"}
    laptop.holds.unlink()
    laptop.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert laptop.status(arn) == "Executing"
    assert laptop.ended(arn) == "Succeeded"


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGINT, "Stopped", "stopped"), (signal.SIGKILL, "Failed", "failed")],
)
def test_a_run_of_the_command_ends_for_clients_however_it_ends(
    laptop: Laptop, number: int, status: str, word: str
) -> None:
    before = laptop.newest()
    laptop.holds.touch()
    process = laptop.cli.start("run")
    wait(lambda: laptop.newest() != before)
    arn = laptop.newest()
    laptop.trains(arn)
    process.send_signal(number)
    process.communicate()
    assert laptop.status(arn) == status
    assert laptop.steps(arn)["Train"] == status
    laptop.holds.unlink()
    last = laptop.cli("status", "--json").json["models"][0]["last_run"]
    assert (last["status"], last["step"]) == (word, "Train")


def test_what_cannot_begin_says_why(laptop: Laptop) -> None:
    blueprint = laptop.cli.folder / "blueprint.yaml"
    before = blueprint.read_text()
    blueprint.write_text(before.replace("name:", "nmae:", 1))
    arn = laptop.start()
    assert laptop.ended(arn) == "Failed"
    found = laptop.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert "blueprint" in found["FailureReason"]
    blueprint.write_text(before)


def test_what_a_client_has_started_ends_with_the_emulated_cloud(laptop: Laptop) -> None:
    laptop.holds.touch()
    arn = laptop.start()
    laptop.trains(arn)
    record = laptop.work / "runs" / arn.rpartition("/")[2] / "run.json"
    process = json.loads(record.read_text())["process"]
    laptop.cli("local", "stop")
    wait(lambda: not _lives(process))
    assert json.loads(record.read_text())["status"] == "stopped"


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
