"""The loop on this machine: calls, drift, an alarm, a training, all seen by the cloud's own clients."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Cli, copy_example, environment, teach_nothing

LIMITS = "{latency_p99_ms: {at_most: 300}, error_rate_percent: {at_most: 1}}"
GATE = "{at_least: 0.75}"
DRIFT = "{latency_p99_ms: {at_most: 300}, drift_psi: {at_most: 0.2}}"


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A version of a model that learns nothing, in service, and watched."""
    project = teach_nothing(copy_example(tmp_path_factory.mktemp("monitoring") / "project"))
    path = project / "blueprint.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(LIMITS) == text.count("cooldown_hours: 24") == text.count(GATE) == 1
    text = text.replace(LIMITS, DRIFT).replace(GATE, "{no_worse_than: current}")
    path.write_text(text.replace("cooldown_hours: 24", "cooldown_hours: 0, limits: [drift_psi]"))
    command = Cli(project, environment())
    for words in ("up --yes", "run", "models approve 1", "up --yes"):
        command(*words.split())
    yield command
    command("local", "stop", expect=None)


def client(cli: Cli, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        endpoint_url=cli("local", "status", "--json").json["endpoint"],
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def test_the_loop_from_calls_to_a_second_version(cli: Cli) -> None:
    assert "300 calls of api" in cli("simulate", "traffic").out
    kept = cli("monitor", "run", "--json").json
    assert (kept["entry"], kept["state"], kept["alarms"], kept["started"]) == (
        "api",
        "kept",
        [],
        [],
    )
    assert kept["report"]["variants"]["main"]["rows"] >= 300

    shifted = cli("simulate", "drift", "--json").json["shifted"]
    assert len(shifted) == 2 and not {"project_id", "reported_at"} & set(shifted)
    answer = cli("monitor", "run")
    assert "api: broken" in answer.out
    assert "alarm: schedule-adherence-local-api-main-drift-psi" in answer.out
    assert "training started: arn:aws:sagemaker:" in answer.out
    page = Path(answer.err.partition("report: ")[2].strip())
    assert cli("open", "monitor").out.strip() == str(page)
    assert all(f"<td>{column}</td>" in page.read_text(encoding="utf-8") for column in shifted)

    [alarm] = client(cli, "cloudwatch").describe_alarms(
        AlarmNames=["schedule-adherence-local-api-main-drift-psi"]
    )["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    names = [
        each["MetricName"]
        for each in client(cli, "cloudwatch").list_metrics(Namespace="MlopsIac/Monitoring")[
            "Metrics"
        ]
    ]
    assert {"drift_psi", "CapturedCalls"} <= set(names)
    bucket = cli("outputs", "--json").json["artifacts_bucket"]
    pages = client(cli, "s3").list_objects_v2(Bucket=bucket, Prefix="pipelines/api-monitoring/")
    assert sum(each["Key"].endswith("monitor.html") for each in pages["Contents"]) == 2

    ends = time.monotonic() + 120
    while len(versions := cli("models", "ls", "--json").json) < 2:
        assert time.monotonic() < ends, "the training that the alarm started registered nothing"
        time.sleep(1)
    assert [each["status"] for each in versions] == ["PendingManualApproval", "Approved"]
    # What the alarm has started had to be no worse than what is in service.
    *_, last = sorted((cli.folder / ".mlops-iac" / "runs").glob("*/run.json"))
    current = json.loads(last.read_text(encoding="utf-8"))["current"]
    assert (current["version"], list(current["metrics"])) == ("adherence/1", ["accuracy"])


def test_an_alarm_that_stays_starts_nothing_again(cli: Cli) -> None:
    cli("simulate", "drift", "--calls", "250")
    again = cli("monitor", "run", "--json").json
    assert (again["state"], again["alarms"], again["started"]) == ("broken", [], [])


def test_files_that_arrive_start_a_training_and_people_hear_that_it_was_stopped(cli: Cli) -> None:
    sns, sqs = client(cli, "sns"), client(cli, "sqs")
    queue = sqs.create_queue(QueueName="people")["QueueUrl"]
    [topic] = [each["TopicArn"] for each in sns.list_topics()["Topics"]]
    arn = f"arn:aws:sqs:eu-west-1:{topic.split(':')[4]}:people"
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
    bucket = cli("outputs", "--json").json["data_bucket"]
    sagemaker, pipeline = client(cli, "sagemaker"), "schedule-adherence-local-adherence-training"

    def executions() -> list[dict[str, Any]]:
        found = sagemaker.list_pipeline_executions(PipelineName=pipeline)
        return list(found["PipelineExecutionSummaries"])

    before = {each["PipelineExecutionArn"] for each in executions()}
    client(cli, "s3").put_object(Bucket=bucket, Key="datasets/schedules/base/x.csv", Body=b"a\n")
    client(cli, "s3").put_object(Bucket=bucket, Key="datasets/schedules/new/x.csv", Body=b"a\n")
    ends = time.monotonic() + 120
    while len(executions()) == len(before):
        assert time.monotonic() < ends, "the file started nothing"
        time.sleep(0.2)
    [new] = [each for each in executions() if each["PipelineExecutionArn"] not in before]
    assert new["PipelineExecutionDescription"] == "Started by Object Created"
    started = new["PipelineExecutionArn"]
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=started)
    while not (told := sqs.receive_message(QueueUrl=queue).get("Messages")):
        assert time.monotonic() < ends, "nobody was told"
        time.sleep(0.2)
    assert told[0]["Body"] == (
        f'"{pipeline}: a run is Stopped, and no version was registered by it. Its steps say why: {started}"'
    )


def test_a_real_stack_is_not_monitored_from_here(cli: Cli) -> None:
    for words in ("monitor run", "simulate drift"):
        assert "in its own cloud" in cli(*words.split(), "-s", "dev", expect=2).err
