"""The function of a batch prediction against moto: which version predicts, and what is told at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlops_iac.clouds.aws.runtime import batch

GROUP, PIPELINE = "churn-dev-adherence", "churn-dev-nightly"
ROLE = "arn:aws:iam::123456789012:role/jobs"
SETTINGS: dict[str, Any] = {
    "group": GROUP,
    "version": None,
    "models": "churn-dev-nightly-",
    "role": ROLE,
    "network": None,
    "isolated": False,
    "tags": {"stack": "churn-dev"},
    "input": "s3://data/datasets/projects/",
    "chained": False,
    "database": "churn_dev_nightly",
    "table": "forecasts",
    "namespace": "MlopsIac/Batch",
    "entry": PIPELINE,
    "watched": [],
    "pipeline": PIPELINE,
}
KNOWN = {
    "rows": 4,
    "predicted": 3,
    "columns": {"x": "integer", "name": "text", "prediction": "number"},
}
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        boto3.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
        for bucket in ("data", "artifacts"):
            place = {"LocationConstraint": "eu-west-1"}
            boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        boto3.client("glue").create_database(DatabaseInput={"Name": "churn_dev_nightly"})
        boto3.client("glue").create_table(
            DatabaseName="churn_dev_nightly",
            TableInput={
                "Name": "forecasts",
                "Parameters": {"classification": "json"},
                "PartitionKeys": [{"Name": "run", "Type": "string"}],
                "StorageDescriptor": {
                    "Location": "s3://data/datasets/forecasts/",
                    "Columns": [{"Name": "prediction", "Type": "string"}],
                },
            },
        )
        yield


def run(**changes: Any) -> batch.Run:
    return batch.Run({**SETTINGS, **changes}, boto3.client)


def register(*statuses: str) -> list[str]:
    """Versions with these statuses, the oldest first."""
    client = boto3.client("sagemaker")
    return [
        client.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [
                    {"Image": "image", "ModelDataUrl": "s3://artifacts/models/m.tar.gz"}
                ],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )["ModelPackageArn"]
        for status in statuses
    ]


def put(bucket: str, key: str, body: str = "{}") -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def models() -> list[str]:
    return [each["ModelName"] for each in boto3.client("sagemaker").list_models()["Models"]]


def test_the_newest_approved_version_predicts() -> None:
    arns = register("Approved", "Approved", "PendingManualApproval", "Rejected")
    found = run().resolve(NOW)
    assert found["version"] == "2"
    assert (found["input"], found["began"]) == (SETTINGS["input"], NOW.isoformat())
    made = boto3.client("sagemaker").describe_model(ModelName=found["model"])
    assert made["PrimaryContainer"]["ModelPackageName"] == arns[1]
    assert made["ExecutionRoleArn"] == ROLE


def test_a_pinned_version_predicts_whatever_is_newer() -> None:
    register("Approved", "Approved")
    assert run(version="1").resolve(NOW)["version"] == "1"


@pytest.mark.parametrize(
    ("statuses", "version", "sentence"),
    [
        ((), None, "no version of churn-dev-adherence is approved: approve one"),
        (("PendingManualApproval",), None, "is approved: approve one"),
        (("Rejected",), "1", "version 1 of churn-dev-adherence is pinned and not approved"),
        (("Approved",), "7", "has no version 7, which is pinned"),
    ],
)
def test_nothing_predicts_without_an_approval(
    statuses: tuple[str, ...], version: str | None, sentence: str
) -> None:
    register(*statuses)
    with pytest.raises(batch.NotReady, match=sentence):
        run(version=version).resolve(NOW)
    assert models() == []


def test_a_model_from_elsewhere_needs_no_registry() -> None:
    found = run(group=None, image="image", data="s3://m/x.tar.gz", environment={"A": "b"}).resolve(
        NOW
    )
    made = boto3.client("sagemaker").describe_model(ModelName=found["model"])
    container = made["PrimaryContainer"]
    assert (container["Image"], container["Environment"]) == ("image", {"A": "b"})
    assert container["ModelDataSource"]["S3DataSource"]["CompressionType"] == "Gzip"
    assert found["version"] == "s3://m/x.tar.gz"


def test_a_model_serves_all_runs_of_its_version_and_others_go_when_they_are_old() -> None:
    register("Approved")
    first = run().resolve(NOW)["model"]
    assert run().resolve(NOW)["model"] == first
    other = run(role=ROLE + "2").resolve(NOW)["model"]
    assert sorted(models()) == sorted([first, other])
    # moto dates a model when it is made; a month later that is long ago.
    run().resolve(NOW + timedelta(days=40))
    assert models() == [first]


def test_another_entry_s_models_are_left_alone() -> None:
    register("Approved")
    elsewhere = run(models="churn-dev-nightly2-").resolve(NOW)["model"]
    mine = run().resolve(NOW + timedelta(days=40))["model"]
    assert sorted(models()) == sorted([elsewhere, mine])


def test_a_chain_reads_the_newest_run_that_is_complete() -> None:
    register("Approved")
    for name in ("run=a/part.jsonl", "run=a/_SUCCESS", "run=b/part.jsonl"):
        put("data", f"datasets/projects/{name}")
    assert run(chained=True).resolve(NOW)["input"] == "s3://data/datasets/projects/run=a/"


def test_a_chain_without_a_run_says_what_to_run_first() -> None:
    register("Approved")
    with pytest.raises(batch.NotReady, match="no run has completed below s3://data/datasets"):
        run(chained=True).resolve(NOW)


def publish(began: datetime = NOW, **changes: Any) -> dict[str, str]:
    put("artifacts", "pipelines/nightly/r1/completed/rows.json", json.dumps(KNOWN))
    return run(**changes).publish(
        run="r1",
        version="2",
        began=began.isoformat(),
        output="s3://data/datasets/forecasts/run=r1/",
        rows="s3://artifacts/pipelines/nightly/r1/completed/rows.json",
    )


def test_a_complete_run_is_told_and_catalogued() -> None:
    assert publish() == {"success": "s3://data/datasets/forecasts/run=r1/_SUCCESS"}
    put_there = boto3.client("s3").get_object(
        Bucket="data", Key="datasets/forecasts/run=r1/_SUCCESS"
    )
    manifest = json.loads(put_there["Body"].read())
    assert manifest == {"run": "r1", "version": "2", "began": NOW.isoformat(), **KNOWN}
    glue, names = boto3.client("glue"), {"DatabaseName": "churn_dev_nightly"}
    columns = [("x", "bigint"), ("name", "string"), ("prediction", "double")]
    table = glue.get_table(**names, Name="forecasts")["Table"]
    (partition,) = glue.get_partitions(**names, TableName="forecasts")["Partitions"]
    for each in (table, partition):
        described = each["StorageDescriptor"]["Columns"]
        assert [(column["Name"], column["Type"]) for column in described] == columns
    assert partition["Values"] == ["r1"]
    assert partition["StorageDescriptor"]["Location"] == "s3://data/datasets/forecasts/run=r1/"
    assert [each["Name"] for each in table["PartitionKeys"]] == ["run"]
    names_of = {
        each["MetricName"]
        for each in boto3.client("cloudwatch").list_metrics(Namespace="MlopsIac/Batch")["Metrics"]
    }
    assert names_of == {"CompletedRuns", "Rows", "RowsWithoutPrediction"}


def test_publishing_again_changes_nothing() -> None:
    assert publish() == publish()
    glue = boto3.client("glue")
    found = glue.get_partitions(DatabaseName="churn_dev_nightly", TableName="forecasts")
    assert len(found["Partitions"]) == 1


def test_an_output_elsewhere_is_not_catalogued() -> None:
    publish(table=None, database=None)
    glue = boto3.client("glue")
    found = glue.get_partitions(DatabaseName="churn_dev_nightly", TableName="forecasts")
    assert found["Partitions"] == []


@pytest.mark.parametrize(
    ("key", "before", "starts"),
    [
        ("datasets/projects/new/b.csv", timedelta(minutes=5), 1),
        ("datasets/projects/new/b.csv", -timedelta(minutes=5), 0),
        ("datasets/other/b.csv", timedelta(minutes=5), 0),
    ],
)
def test_files_that_arrived_during_a_run_start_one_more(
    key: str, before: timedelta, starts: int
) -> None:
    client = boto3.client("sagemaker")
    client.create_pipeline(
        PipelineName=PIPELINE,
        PipelineDisplayName=PIPELINE,
        RoleArn=ROLE,
        ClientRequestToken="x" * 32,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": []}),
    )
    put("data", key)
    place = {"uri": "s3://data/datasets/projects/new/", "ending": ""}
    publish(datetime.now(UTC) - before, watched=[place])
    found = client.list_pipeline_executions(PipelineName=PIPELINE)["PipelineExecutionSummaries"]
    assert len(found) == starts


def test_the_handler_does_what_its_pipeline_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    register("Approved")
    monkeypatch.setenv("SETTINGS", json.dumps(SETTINGS))
    answer = batch.handler({"do": "resolve"}, None)
    assert json.loads(capsys.readouterr().out) == {"do": "resolve", **answer}
    put("artifacts", "rows.json", json.dumps(KNOWN))
    event = {"do": "publish", "run": "r1", "version": "1", "began": answer["began"]}
    event |= {"output": "s3://data/f/run=r1/", "rows": "s3://artifacts/rows.json"}
    assert batch.handler(event, None) == {"success": "s3://data/f/run=r1/_SUCCESS"}
