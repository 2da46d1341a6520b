"""The function of a monitoring against moto: what is compared with what, and which metrics there are."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlops_iac.clouds.aws.runtime import monitor

SETTINGS: dict[str, Any] = {
    "endpoint": "churn-dev-api",
    "variants": ["main"],
    "captures": "s3://captures/api/",
    "work": "s3://artifacts/pipelines/api-monitoring/",
    "outcome_days": 0,
    "namespace": "MlopsIac/Monitoring",
}
NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
WORK = "pipelines/api-monitoring"


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        for bucket in ("captures", "artifacts"):
            place = {"LocationConstraint": "eu-west-1"}
            boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        yield


class Serving:
    """What SageMaker says of one endpoint: a version, a model from elsewhere, or that it is gone."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, container: dict[str, str] | None) -> None:
        self.container = container

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        if self.container is None:
            error = {"Code": "ValidationException", "Message": f"no {EndpointName}"}
            raise ClientError({"Error": error}, "DescribeEndpoint")
        return {"EndpointConfigName": "c"}

    def describe_endpoint_config(self, **_: str) -> dict[str, Any]:
        return {"ProductionVariants": [{"VariantName": "main", "ModelName": "m"}]}

    def describe_model(self, **_: str) -> dict[str, Any]:
        return {"PrimaryContainer": self.container}

    def describe_model_package(self, **_: str) -> dict[str, Any]:
        kept = "s3://artifacts/models/churn/1/abc/examples.json"
        return {"CustomerMetadataProperties": {"examples": kept}}


VERSION = {"ModelPackageName": "arn:…:model-package/churn/3"}


def watch(container: dict[str, str] | None = VERSION, **changes: Any) -> monitor.Watch:
    serving = Serving(container)
    return monitor.Watch(
        {**SETTINGS, **changes},
        lambda service: serving if service == "sagemaker" else boto3.client(service),  # type: ignore[call-overload]
    )


def put(bucket: str, key: str, body: str | bytes = "{}") -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def got(key: str) -> Any:
    return json.loads(boto3.client("s3").get_object(Bucket="artifacts", Key=key)["Body"].read())


def captured(at: datetime, size: int = 10, variant: str = "main") -> str:
    below = f"{variant}/{at:%Y/%m/%d/%H}/{at:%M-%S}-000-x.jsonl"
    put("captures", f"api/churn-dev-api/{below}", b"x" * size)
    return below


def metrics(name: str) -> list[float]:
    found = boto3.client("cloudwatch").get_metric_data(
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(hours=1),
        MetricDataQueries=[
            {
                "Id": "m",
                "MetricStat": {
                    "Metric": {
                        "Namespace": SETTINGS["namespace"],
                        "MetricName": name,
                        "Dimensions": [
                            {"Name": "EndpointName", "Value": "churn-dev-api"},
                            {"Name": "VariantName", "Value": "main"},
                        ],
                    },
                    "Period": 60,
                    "Stat": "Maximum",
                },
            }
        ],
    )
    return list(found["MetricDataResults"][0]["Values"])


def test_a_window_begins_where_the_last_one_ended() -> None:
    put("artifacts", "models/churn/1/abc/examples.json", '{"reference": 1}')
    put("artifacts", f"{WORK}/last.json", '{"since": "x", "until": "2026-03-02T09:15:00Z"}')
    now = captured(NOW)
    same_hour = captured(NOW.replace(hour=9, minute=1))
    before = [captured(NOW - timedelta(hours=hours)) for hours in (20, 3)]
    captured(NOW - timedelta(days=31))
    captured(NOW, variant="other")
    answer = watch().resolve("r1", NOW)
    assert answer == {
        "captures": f"s3://artifacts/{WORK}/r1/captures.manifest",
        "known": f"s3://artifacts/{WORK}/r1/known/",
        "files": "4",
    }
    assert got(f"{WORK}/r1/captures.manifest") == [
        {"prefix": "s3://captures/api/churn-dev-api/"},
        *(same_hour, now, *reversed(before)),
    ]
    assert got(f"{WORK}/r1/known/settings.json") == {
        "since": "2026-03-02T09:15:00Z",
        "until": "2026-03-02T10:25:00Z",
        "variants": ["main"],
    }
    assert got(f"{WORK}/r1/known/main/examples.json") == {"reference": 1}


@pytest.mark.parametrize(("days", "files"), [(0, "2"), (14, "3")])
def test_outcomes_are_waited_for_and_older_calls_otherwise_only_make_up_for_few(
    days: int, files: str
) -> None:
    for hours in (0, 30, 60):
        captured(NOW - timedelta(hours=hours), size=5 * 2**20)
    assert watch(outcome_days=days).resolve("r", NOW)["files"] == files


def test_that_nobody_called_is_told_and_begins_a_new_window() -> None:
    assert watch().resolve("r", NOW)["files"] == "0"
    assert metrics("CapturedCalls") == [0.0]
    assert metrics("drift_psi") == []
    assert got(f"{WORK}/last.json")["until"] == "2026-03-02T10:25:00Z"


@pytest.mark.parametrize(
    "container", [None, {"Image": "1.dkr", "ModelDataUrl": "s3://a/b"}, VERSION]
)
def test_a_version_that_keeps_no_rows_is_no_error(container: dict[str, str] | None) -> None:
    captured(NOW)
    assert watch(container).resolve("r", NOW)["files"] == "1"
    listed = boto3.client("s3").list_objects_v2(Bucket="artifacts", Prefix=f"{WORK}/r/known/main")
    assert listed["KeyCount"] == 0


def test_what_was_measured_becomes_metrics_and_what_was_not_does_not() -> None:
    variant = {
        "calls": 7,
        "unreadable": 2,
        "metrics": {"drift_psi": 0.31, "rmse": math.inf},
        "missing": {"accuracy": "no outcomes"},
    }
    report = {"state": "broken", "since": "a", "until": "b", "variants": {"main": variant}}
    put("artifacts", f"{WORK}/r/report/monitor.json", json.dumps(report))
    answer = watch().publish(f"s3://artifacts/{WORK}/r/report")
    assert answer == {"page": f"s3://artifacts/{WORK}/r/report/monitor.html", "state": "broken"}
    found = {
        name: metrics(name)
        for name in ("drift_psi", "rmse", "accuracy", "CapturedCalls", "UnreadableCalls")
    }
    assert found == {
        "drift_psi": [0.31],
        "rmse": [],
        "accuracy": [],
        "CapturedCalls": [7.0],
        "UnreadableCalls": [2.0],
    }
    assert got(f"{WORK}/last.json") == {"since": "a", "until": "b"}
