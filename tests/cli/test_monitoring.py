"""The loop on this machine: calls, drift, an alarm, a training, a rollout, seen by the cloud's own clients.

The tests of this module build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import ROOT, Cli, copy_example, environment, teach_nothing
from tests.oracles import packages_env

AT_ONCE, CANARY = "{strategy: all-at-once,", "{strategy: canary, percent: 50, wait_minutes: 2,"
BREAKS = """import os
def load(folder): ...
def predict(model, rows):
    if os.environ.get("BREAKS") and len(rows) == 1:
        raise OSError("no disk")
    return [1] * len(rows)
"""
GATE = "{at_least: 0.75}"


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A version of a model that learns nothing, in service, and watched."""
    project = teach_nothing(copy_example(tmp_path_factory.mktemp("monitoring") / "project"))
    path = project / "blueprint.yaml"
    text = path.read_text(encoding="utf-8")
    for part in (GATE, AT_ONCE, "{min: 1,"):
        assert text.count(part) == 1
    text = text.replace(GATE, "{no_worse_than: current}")
    path.write_text(text.replace(AT_ONCE, CANARY).replace("{min: 1,", "{min: 2,"))
    (project / "workload" / "predict.py").write_text(BREAKS, encoding="utf-8")
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
    answer = cli("monitor", "run", "--no-cooldown")
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

    # The last training was a moment ago.
    functions = [
        each["FunctionName"] for each in client(cli, "lambda").list_functions()["Functions"]
    ]
    [cooldown] = [each for each in functions if "cooldown" in each]
    client(cli, "lambda").update_function_configuration(
        FunctionName=cooldown,
        Environment={"Variables": {"PIPELINE_NAME": pipeline, "COOLDOWN_HOURS": "0"}},
    )
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


SCRIPT = ROOT / "tests" / "oracles" / "sagemaker_clients.py"
NAME = "schedule-adherence-local-api"
TRAINING = "schedule-adherence-local-adherence-training"
CALLS = {
    "Id": "calls",
    "MetricStat": {
        "Metric": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocations",
            "Dimensions": [
                {"Name": "EndpointName", "Value": NAME},
                {"Name": "VariantName", "Value": "main"},
            ],
        },
        "Period": 86400,
        "Stat": "Sum",
    },
}
# What the AWS CLI is asked, and what of its answer is known.
COMMANDS = {
    f"sagemaker describe-endpoint --endpoint-name {NAME} --query EndpointStatus": "InService",
    f"sagemaker-runtime invoke-endpoint --endpoint-name {NAME} --content-type application/json"
    """ --body '{"instances": [{}]}' --query InvokedProductionVariant answer.json""": "main",
    f"cloudwatch describe-alarms --alarm-names {NAME}-main-drift-psi"
    " --query MetricAlarms[].StateValue": ["ALARM"],
    "cloudwatch get-metric-data --start-time 2020-01-01T00:00:00Z --end-time 2050-01-01T00:00:00Z"
    f" --metric-data-queries '{json.dumps([CALLS])}' --query MetricDataResults[].StatusCode": ["Complete"],
    "logs filter-log-events --log-group-name /aws/sagemaker/TrainingJobs --filter-pattern accuracy"
    " --query events[0].message": "mlops-iac metric accuracy=0.8",
    f"sagemaker start-pipeline-execution --pipeline-name {TRAINING}"
    " --pipeline-parameters Name=depth,Value=1": "(ValidationException)",
    "sagemaker create-notebook-instance --notebook-instance-name mine --instance-type ml.t3.medium"
    " --role-arn arn:aws:iam::123456789012:role/r": "(ValidationException)",
    "sagemaker list-hubs": "(UnknownOperationException)",
    "s3 ls": "schedule-adherence-local-data-artifacts-",
}  # fmt: skip


@pytest.fixture(scope="module")
def seen(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What AWS's own clients see in the environment that `local status` prints."""
    python, folder = packages_env.python_of("clients"), tmp_path_factory.mktemp("clients")
    (line,) = re.findall("export (.*)", cli("local", "status").err)
    given = dict(each.split("=", 1) for each in line.split())
    pipelines = (TRAINING, f"{NAME}-monitoring")
    subprocess.run(
        [python, "-W", "ignore", SCRIPT, *pipelines, NAME, json.dumps([*COMMANDS]), "seen.json"],
        env={**environment(), **given, "SAGEMAKER_SUPPRESS_V2_WARNING": "1"},
        cwd=folder,
        check=True,
    )
    return json.loads((folder / "seen.json").read_bytes())


def test_the_sdk_reads_strictly_what_there_is(seen: Any) -> None:
    there = {"Endpoint": 1, "EndpointConfig": 1, "Model": 1, "ModelPackageGroup": 1, "Pipeline": 2}
    assert there.items() <= seen["resources"].items()
    assert set(seen["runs"].values()) == {"Succeeded", "Stopped"} and seen["run"] in seen["runs"]
    assert seen["version"].endswith("/schedule-adherence-local-adherence/2")
    assert seen["model"].endswith("-Train/output/model.tar.gz")
    assert seen["metrics"] == [["accuracy", 0.8]]
    assert "mlops-iac metric accuracy=0.8" in seen["logs"]
    assert seen["predicted"] == {"predictions": [1]}


def test_a_monitoring_that_the_sdk_starts_runs(cli: Cli, seen: Any) -> None:
    assert seen["monitored"] == dict.fromkeys(
        ("Publish", "Measure", "Called", "Resolve"), "Succeeded"
    )
    runs = [arn for arn in seen["runs"] if f"/{NAME}-monitoring/" in arn]
    assert len(runs) == 4  # those of the command are seen, too
    bucket = cli("outputs", "--json").json["artifacts_bucket"]
    where = f"pipelines/api-monitoring/{max(runs).rpartition('/')[2]}/report/monitor.html"
    assert client(cli, "s3").head_object(Bucket=bucket, Key=where)


def test_lineage_leads_from_what_serves_to_what_was_read(seen: Any) -> None:
    resources = seen["resources"]
    jobs = ("ProcessingJob", "TrainingJob", "TransformJob")
    assert resources["TrialComponent"] == sum(resources[each] for each in jobs)
    assert resources["Association"] > resources["Artifact"] > 0
    read, left = ["Input", "DataSet", "ContributedTo"], ["Output", "Model", "Produced"]
    trained = [each[1:4] for each in seen["lineage"]["Train"]]
    assert read in trained and left in trained
    assert ["Input", "Image", "ContributedTo"] in trained
    registered = [each[1:] for each in seen["lineage"]["Register"]]
    assert ["Input", "Approval", "ContributedTo", "action"] in registered
    assert ["Output", "ModelGroup", "AssociatedWith", "context"] in registered
    assert seen["run_of_component"] == seen["run"]
    served = " ".join(seen["served"])
    assert "/schedule-adherence-local-adherence/1" in served and "/model.tar.gz" in served


def test_the_aws_cli_is_answered_or_refused(seen: Any) -> None:
    for command, expected, said in zip(COMMANDS, COMMANDS.values(), seen["commands"], strict=True):
        partly = isinstance(expected, str) and said != expected
        assert expected in said if partly else said == expected, (command, said)


def test_a_bad_version_is_rolled_back_by_its_calls_and_everybody_says_so(cli: Cli) -> None:
    path = cli.folder / "blueprint.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("    model: adherence\n", "    model: adherence\n    env: {BREAKS: x}\n")
    )
    cli("models", "approve", "2")
    cloudwatch = client(cli, "cloudwatch")
    names = {"EndpointName": "schedule-adherence-local-api", "VariantName": "main"}

    def calls() -> float:
        now = datetime.now(UTC)
        return sum(
            each["Sum"]
            for each in cloudwatch.get_metric_statistics(
                Namespace="AWS/SageMaker", MetricName="Invocations", Statistics=["Sum"],
                StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1), Period=7200,
                Dimensions=[{"Name": name, "Value": value} for name, value in names.items()],
            )["Datapoints"]
        )  # fmt: skip

    before = calls()
    traffic = cli.start("simulate", "traffic", "--calls", "1000000")
    try:
        while calls() == before:
            assert traffic.poll() is None, traffic.communicate()
            time.sleep(0.2)
        answer = cli("up", "--yes", expect=4)
    finally:
        traffic.kill()
        traffic.communicate()
    alarm = "ALARM schedule-adherence-local-api-main-rollback-error-rate: Threshold Crossed: 1 out"
    assert "api was rolled back from" in answer.err and alarm in answer.err

    standing = cli("status", "--json").json
    [entry] = standing["entries"]
    assert (entry["state"], entry["variants"][0]["version"]) == ("InService", "1")
    assert (entry["rollout"]["state"], entry["rollout"]["versions"]) == (
        "rolled back",
        ["adherence/2"],
    )
    assert entry["rollout"]["why"].startswith(alarm)
    assert standing["next"][0] == "mlops-iac models reject adherence 2"
    versions = {each["version"]: each for each in cli("models", "ls", "--json").json}
    assert [versions[each]["serves"] for each in (1, 2)] == [True, False]
    assert versions[2]["rolled_back"]["entry"] == "api"

    cli("models", "reject", "2")
    path.write_text(text, encoding="utf-8")
    cli("up", "--yes")
    assert cli("status", "--json").json["entries"][0]["rollout"] is None
