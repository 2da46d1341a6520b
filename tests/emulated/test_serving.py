"""Endpoints of the emulated AWS answer with their models, read by boto3 and by plain HTTP."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from mlops_iac.emulators.aws import server
from mlops_iac.emulators.aws.clients import service_model
from mlops_iac.workload.environments import OVERRIDE
from tests.emulated import models

ROLE = "arn:aws:iam::123456789012:role/r"
# A prebuilt image, without which a model's server counts as somebody's own.
IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
TRIPLES = "def load(folder):\n    return 3\n\n\n" + models.DOUBLES.split("\n\n\n")[1]
BREAKS = "def load(folder):\n    raise OSError('no weights')\n\n\ndef predict(model, rows): ...\n"
ROW = b'{"instances": [{"x": 21}]}'
JSON = "application/json"


class Cloud:
    """Clients, and what is made with them; names are unique within a test's `name`."""

    def __init__(self, url: str, name: str) -> None:
        session = boto3.Session("x", "x", region_name="eu-west-1")
        retries = Config(retries={"total_max_attempts": 1})
        self._client = lambda it: session.client(it, endpoint_url=url, config=retries)
        self.name = name
        self.url = url
        self.sagemaker, self.runtime = self("sagemaker"), self("sagemaker-runtime")
        self("s3").create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )

    def __call__(self, service: str) -> Any:
        return self._client(service)

    def model(self, name: str, archive: bytes | None) -> str:
        full = f"{self.name}-{name}"
        if archive is not None:
            self("s3").put_object(Bucket=self.name, Key=f"{name}.tar.gz", Body=archive)
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{self.name}/{name}.tar.gz"}
        self.sagemaker.create_model(
            ModelName=full, ExecutionRoleArn=ROLE, PrimaryContainer=container
        )
        return full

    def configuration(
        self, name: str, shadow: str = "", called: str = "", count: int = 1, **weights: float
    ) -> str:
        """With a variant for each model of `weights`, called like it, or as is said."""
        full = f"{self.name}-{name}"

        def variant(model: str, weight: float) -> dict[str, Any]:
            return {
                "VariantName": called or model,
                "ModelName": f"{self.name}-{model}",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": count,
                "InitialVariantWeight": weight,
            }

        more = {"ShadowProductionVariants": [variant(shadow, 1)]} if shadow else {}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=full,
            ProductionVariants=[variant(*each) for each in weights.items()],
            DataCaptureConfig={
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{self.name}/captures",
                "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
                "CaptureContentTypeHeader": {"JsonContentTypes": [JSON]},
            },
            **more,
        )
        return full

    def endpoint(self, configuration: str) -> dict[str, Any]:
        """Create it, and say how it ended."""
        self.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=configuration)
        return self.settled()

    def update(self, configuration: str) -> dict[str, Any]:
        self.sagemaker.update_endpoint(EndpointName=self.name, EndpointConfigName=configuration)
        return self.settled()

    def rolled_out(self, configuration: str, **said: Any) -> tuple[list[Any], list[dict[str, Any]]]:
        """Roll it out while it is called: the answers, and how the endpoint stood at each."""
        answers, stood = [], []
        self.ask()
        self.sagemaker.update_endpoint(
            EndpointName=self.name, EndpointConfigName=configuration, **said
        )
        while not stood or stood[-1]["EndpointStatus"] == "Updating":
            stood.append(self.described())
            try:
                answers.append(self.ask()[0]["predictions"][0])
            except ClientError as error:
                answers.append(error.response["Error"]["Code"])
        return answers, stood

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=self.name)
        return found

    def settled(self) -> dict[str, Any]:
        while (found := self.described())["EndpointStatus"] in ("Creating", "Updating"):
            time.sleep(0.02)
        return found

    def ask(self, body: bytes = ROW, **more: Any) -> tuple[Any, str]:
        """The answer and the variant that gave it."""
        more = {"ContentType": JSON, **more}
        answer = self.runtime.invoke_endpoint(EndpointName=self.name, Body=body, **more)
        return json.loads(answer["Body"].read()), answer["InvokedProductionVariant"]

    def refused(self, call: Callable[[], Any]) -> dict[str, Any]:
        with pytest.raises(ClientError) as caught:
            call()
        found: dict[str, Any] = caught.value.response
        return found

    def metric(self, name: str, variant: str) -> dict[str, float]:
        now = datetime.now(UTC)
        places = {"EndpointName": self.name, "VariantName": variant}
        points = self("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in places.items()],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=1),
            Period=600,
            Statistics=["Sum", "SampleCount", "Maximum"],
        )["Datapoints"]
        return points[0] if points else {"Sum": 0, "SampleCount": 0, "Maximum": 0}

    def captured(self, variant: str) -> list[dict[str, Any]]:
        s3 = self("s3")
        found = s3.list_objects_v2(
            Bucket=self.name, Prefix=f"captures/{self.name}/{variant}/{datetime.now(UTC):%Y/}"
        )
        return [
            json.loads(line)
            for each in found.get("Contents", ())
            for line in s3.get_object(Bucket=self.name, Key=each["Key"])["Body"].read().splitlines()
        ]

    def log(self) -> list[str]:
        logs, group = self("logs"), f"/aws/sagemaker/Endpoints/{self.name}"
        return [each["message"] for each in logs.filter_log_events(logGroupName=group)["events"]]


@pytest.fixture
def cloud(moto: Any, request: pytest.FixtureRequest) -> Iterator[Cloud]:
    name = re.sub(r"\W|_", "-", request.node.name.removeprefix("test_")).strip("-")[-40:].strip("-")
    cloud = Cloud(moto.url, name)
    yield cloud
    if cloud.sagemaker.list_endpoints(NameContains=name)["Endpoints"]:
        cloud.sagemaker.delete_endpoint(EndpointName=name)


def complete(operation: str, answer: dict[str, Any]) -> None:
    """Every member that the API's model requires is there, as the SDK's strict models want it."""

    def look(shape: Any, value: Any, path: str) -> None:
        if shape.type_name == "structure":
            assert set(shape.required_members) <= set(value), path
            for name in value.keys() & shape.members.keys():
                look(shape.members[name], value[name], f"{path}.{name}")
        elif shape.type_name == "list":
            for each in value:
                look(shape.member, each, path)

    look(service_model("sagemaker").operation_model(operation).output_shape, answer, operation)


def test_an_endpoint_answers(cloud: Cloud) -> None:
    cloud.model("main", models.archive())
    found = cloud.endpoint(cloud.configuration("1", main=1))
    assert found["EndpointStatus"] == "InService"
    complete("DescribeEndpoint", found)
    capture = found["DataCaptureConfig"]
    assert (capture["CaptureStatus"], capture["CurrentSamplingPercentage"]) == ("Started", 100)
    [variant] = found["ProductionVariants"]
    assert variant["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert (variant["CurrentWeight"], variant["DesiredInstanceCount"]) == (1.0, 1)
    assert cloud.ask() == ({"predictions": [42]}, "main")

    # Plain HTTP, on loopback, needs no signature.
    plain = http.client.HTTPConnection(cloud.url.removeprefix("http://"))
    plain.request(
        "POST",
        f"/endpoints/{cloud.name}/invocations",
        ROW,
        {"Content-Type": f"{JSON}; charset=utf-8"},
    )
    answer = plain.getresponse()
    assert (answer.status, json.loads(answer.read())) == (200, {"predictions": [42]})
    assert answer.getheader("x-Amzn-Invoked-Production-Variant") == "main"
    assert cloud.log()


def test_whose_fault_it_is_is_told_as_the_service_does(cloud: Cloud) -> None:
    cloud.model("main", models.archive())
    cloud.endpoint(cloud.configuration("1", main=1))
    error = cloud.refused(lambda: cloud.ask(b'{"instances": [{"x": 1}, {"y": 1}]}'))
    assert error["Error"]["Code"] == "ModelError"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert error["OriginalStatusCode"] == 400
    assert json.loads(error["OriginalMessage"])["row"] == 2
    assert error["LogStreamArn"].endswith(f"/aws/sagemaker/Endpoints/{cloud.name}")
    assert 'Received client error (400) from primary with message "' in error["Error"]["Message"]
    assert "KeyError" in error["OriginalMessage"]

    error = cloud.refused(lambda: cloud.ask(TargetVariant="other"))
    assert (error["Error"]["Code"], "main" in error["Error"]["Message"]) == (
        "ValidationError",
        True,
    )
    error = cloud.refused(lambda: cloud.ask(b"x" * 6_291_457))
    assert error["Error"]["Message"] == "HTTP content length exceeded 6291456 bytes."
    error = cloud.refused(lambda: cloud.ask(TargetModel="m.tar.gz"))
    assert error["Error"]["Code"] == "ValidationError"
    error = cloud.refused(
        lambda: cloud.runtime.invoke_endpoint_async(
            EndpointName=cloud.name, InputLocation="s3://b/k"
        )
    )
    assert error["Error"]["Code"] == "ValidationError"
    error = cloud.refused(
        lambda: cloud.runtime.invoke_endpoint(EndpointName="nobody", Body=ROW, ContentType=JSON)
    )
    said = "Endpoint nobody of account 123456789012 not found."
    assert error["Error"] == {"Code": "ValidationError", "Message": said}
    # Of what reached the model one was the caller's fault.
    assert cloud.metric("Invocation4XXErrors", "main")["Sum"] == 1
    assert cloud.metric("Invocations", "main")["Sum"] == 1


def test_variants_share_the_requests_and_a_shadow_gets_copies(cloud: Cloud) -> None:
    for name, predict in (("two", models.DOUBLES), ("three", TRIPLES), ("four", models.DOUBLES)):
        cloud.model(name, models.archive(predict.replace("2", "4" if name == "four" else "2")))
    found = cloud.endpoint(cloud.configuration("1", shadow="four", two=1, three=0))
    complete("DescribeEndpoint", found)
    assert found["ShadowProductionVariants"][0]["VariantName"] == "four"
    complete("DescribeEndpointConfig", cloud.sagemaker.describe_endpoint_config(
        EndpointConfigName=found["EndpointConfigName"]
    ))  # fmt: skip
    assert {cloud.ask()[1] for _ in range(5)} == {"two"}
    assert cloud.ask(TargetVariant="three") == ({"predictions": [63]}, "three")
    cloud.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=cloud.name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "two", "DesiredWeight": 0},
            {"VariantName": "three", "DesiredWeight": 1, "DesiredInstanceCount": 2},
        ],
    )
    assert {cloud.ask()[1] for _ in range(5)} == {"three"}
    now = {each["VariantName"]: each for each in cloud.described()["ProductionVariants"]}
    assert (now["two"]["CurrentWeight"], now["two"]["CurrentInstanceCount"]) == (0.0, 1)
    assert (now["three"]["CurrentWeight"], now["three"]["CurrentInstanceCount"]) == (1.0, 2)
    # The shadow's answers are counted and captured, and reach nobody.
    while cloud.metric("Invocations", "four")["Sum"] < 11:
        time.sleep(0.02)
    assert cloud.metric("Invocations", "two")["Sum"] == 5
    assert cloud.metric("Invocations", "three")["Sum"] == 6
    answers = [each["captureData"]["endpointOutput"]["data"] for each in cloud.captured("four")]
    assert set(answers) == {'{"predictions": [84]}'}


def test_requests_are_captured_and_measured(cloud: Cloud) -> None:
    cloud.model("main", models.archive())
    cloud.endpoint(cloud.configuration("1", main=1))
    cloud.ask(InferenceId="k3v1", CustomAttributes="trace")
    cloud.ask(b'{"x": 1}\n{"x": 2}', ContentType="application/jsonlines", Accept=JSON)
    first, second = cloud.captured("main")
    assert first["captureData"] == {
        "endpointInput": {
            "observedContentType": JSON, "mode": "INPUT", "data": ROW.decode(), "encoding": "JSON",
        },
        "endpointOutput": {
            "observedContentType": JSON, "mode": "OUTPUT",
            "data": '{"predictions": [42]}', "encoding": "JSON",
        },
    }  # fmt: skip
    about = first["eventMetadata"]
    assert (about["inferenceId"], about["customAttributes"]) == ("k3v1", ["trace"])
    at = datetime.strptime(about["inferenceTime"], "%Y-%m-%dT%H:%M:%S%z")
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
    assert first["eventVersion"] == "0"
    assert about["eventId"] != second["eventMetadata"]["eventId"]
    # What the configuration does not name is BASE64.
    said = second["captureData"]["endpointInput"]
    assert (said["encoding"], base64.b64decode(said["data"])) == ("BASE64", b'{"x": 1}\n{"x": 2}')

    assert cloud.metric("Invocations", "main")["SampleCount"] == 2
    assert cloud.metric("InvocationModelErrors", "main")["Sum"] == 0
    latency = cloud.metric("ModelLatency", "main")
    assert 0 < latency["Maximum"] <= latency["Sum"] < 60e6


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (models.archive(BREAKS), "OSError: no weights"),
        (b"no archive", "cannot be unpacked"),
        (models.archive(more={"code/inference.py": b"1 / 0"}), "ZeroDivisionError"),
        (None, "Failed to download model data for container"),
    ],
    ids=["load", "torn", "handlers", "missing"],
)
def test_an_endpoint_that_cannot_serve(cloud: Cloud, archive: bytes | None, reason: str) -> None:
    cloud.model("main", archive)
    found = cloud.endpoint(cloud.configuration("1", main=1))
    assert found["EndpointStatus"] == "Failed"
    complete("DescribeEndpoint", found)
    assert reason in found["FailureReason"]
    if archive is not None:
        words = "main did not pass the ping health check. Please check CloudWatch logs"
        assert words in found["FailureReason"]
        assert any(reason in line for line in cloud.log())
    assert "not found. Its status is Failed" in cloud.refused(cloud.ask)["Error"]["Message"]


def test_what_serves_goes_on_where_an_update_fails(cloud: Cloud) -> None:
    for name, predict in (("two", models.DOUBLES), ("broken", BREAKS), ("three", TRIPLES)):
        cloud.model(name, models.archive(predict))
    first = cloud.configuration("1", two=1)
    cloud.endpoint(first)
    found = cloud.update(cloud.configuration("2", broken=1))
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", first)
    assert "no weights" in found["FailureReason"]
    assert cloud.ask() == ({"predictions": [42]}, "two")
    found = cloud.update(cloud.configuration("3", three=1))
    assert "FailureReason" not in found
    assert cloud.ask() == ({"predictions": [63]}, "three")


def status(stood: dict[str, Any]) -> tuple[str, str, int | None]:
    """What a deployment on its way says of its variant."""
    [variant] = stood["PendingDeploymentSummary"]["ProductionVariants"]
    [said] = variant["VariantStatus"]
    return said["Status"], said["StatusMessage"], variant.get("CurrentInstanceCount")


def test_a_canary_gets_a_part_of_the_calls_and_an_alarm_takes_it_back(cloud: Cloud) -> None:
    raises = (
        "def load(folder):\n    return 1\n\n\ndef predict(model, rows):\n    raise OSError('x')\n"
    )
    for name, predict in (("two", models.DOUBLES), ("bad", raises), ("three", TRIPLES)):
        cloud.model(name, models.archive(predict))
    like = {"called": "main", "count": 4}
    first = cloud.configuration("1", two=1, **like)
    assert cloud.endpoint(first)["ProductionVariants"][0]["CurrentInstanceCount"] == 4
    alarm = f"{cloud.name}-errors"
    cloud("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": cloud.name},
            {"Name": "VariantName", "Value": "main"},
        ],
        Statistic="Average",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0.05,
        Period=60,
        EvaluationPeriods=2,
        TreatMissingData="notBreaching",
    )
    canary = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 120,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
            },
            "TerminationWaitInSeconds": 60,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
    }

    bad = cloud.configuration("2", bad=1, **like)
    answers, stood = cloud.rolled_out(bad, DeploymentConfig=canary)
    assert set(answers) == {42, "ModelError"} and cloud.ask()[0] == {"predictions": [42]}
    assert (stood[-1]["EndpointStatus"], stood[-1]["EndpointConfigName"]) == ("InService", first)
    reason = stood[-1]["FailureReason"]
    assert reason.startswith(f"ALARM {alarm}: Threshold Crossed: 2 out of the last 2 datapoints [")
    told = cloud("cloudwatch").describe_alarm_history(AlarmName=alarm)["AlarmHistoryItems"]
    sounded = [each for each in told if each["HistorySummary"] == "Alarm updated from OK to ALARM"]
    assert any(
        json.loads(each["HistoryData"])["newState"]["stateReason"] in reason for each in sounded
    )

    answers, stood = cloud.rolled_out(
        cloud.configuration("3", three=1, **like), RetainDeploymentConfig=True
    )
    under_way = [each for each in stood if "PendingDeploymentSummary" in each]
    for each in under_way[:: len(under_way) // 3]:
        complete("DescribeEndpoint", each)
    said = list(dict.fromkeys(map(status, under_way)))
    assert said[0] == ("Creating", "Launching 4 instance(s).", None)
    # Ten percent of four instances are one whole one.
    part, every = "canary capacity of 1 instance(s).", "full capacity of 4 instance(s)."
    waited = "Baking for 120 seconds (WaitIntervalInSeconds) with traffic enabled on"
    ends = "Baking for 60 seconds (TerminationWaitInSeconds) with traffic enabled on"
    baking = [each for each in said if each[0] == "Baking"]
    assert baking == [
        ("Baking", f"{waited} {part}", 1),
        ("Baking", f"{waited} {every}", 4),
        ("Baking", f"{ends} {every}", 4),
    ]
    canaries = [a for a, each in zip(answers, stood, strict=True) if status_is(each, baking[0])]
    assert 0.1 < canaries.count(63) / len(canaries) < 0.45
    assert (stood[-1]["EndpointStatus"], "FailureReason" in stood[-1]) == ("InService", False)
    assert answers[-1] == 63


def status_is(stood: dict[str, Any], wanted: tuple[str, str, int | None]) -> bool:
    return "PendingDeploymentSummary" in stood and status(stood) == wanted


def test_nothing_is_in_service_before_it_answers(cloud: Cloud, tmp_path: Path) -> None:
    there = tmp_path / "there"
    waits = f"import os, time\nwhile not os.path.exists({str(there)!r}): time.sleep(0.01)\n"
    cloud.model("slow", models.archive(waits + models.DOUBLES))
    cloud.model("three", models.archive(waits + TRIPLES))
    first = cloud.configuration("1", slow=1)
    cloud.sagemaker.create_endpoint(EndpointName=cloud.name, EndpointConfigName=first)
    found = cloud.described()
    complete("DescribeEndpoint", found)
    assert found["EndpointStatus"] == "Creating"
    assert "Its status is Creating" in cloud.refused(cloud.ask)["Error"]["Message"]
    there.touch()
    assert cloud.settled()["EndpointStatus"] == "InService"
    there.unlink()
    second = cloud.configuration("2", three=1)
    # Two minutes here, were it not that nobody calls.
    waits = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 3600}
    green = {"TrafficRoutingConfiguration": waits, "TerminationWaitInSeconds": 3600}
    cloud.sagemaker.update_endpoint(
        EndpointName=cloud.name,
        EndpointConfigName=second,
        DeploymentConfig={"BlueGreenUpdatePolicy": green},
    )
    found = cloud.described()
    complete("DescribeEndpoint", found)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("Updating", first)
    assert found["PendingDeploymentSummary"]["EndpointConfigName"] == second
    assert cloud.ask()[0] == {"predictions": [42]}
    there.touch()
    began = time.monotonic()
    assert cloud.settled()["EndpointConfigName"] == second
    assert time.monotonic() - began < 100
    assert cloud.ask()[0] == {"predictions": [63]}


def test_a_server_that_died_is_started_again(cloud: Cloud) -> None:
    dies_once = models.DOUBLES.replace(
        "    return [", "    if rows[0]['x'] < 0:\n        import os; os._exit(3)\n    return ["
    )
    cloud.model("main", models.archive(dies_once))
    cloud.endpoint(cloud.configuration("1", main=1))
    error = cloud.refused(lambda: cloud.ask(b'{"instances": [{"x": -1}]}'))
    assert (error["Error"]["Code"], error["OriginalStatusCode"]) == ("ModelError", 0)
    while True:
        try:
            assert cloud.ask()[0] == {"predictions": [42]}
            break
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ServiceUnavailable"
            time.sleep(0.02)
    assert any("exit code 3" in line for line in cloud.log())


def processes(work: Path) -> list[int]:
    """The servers whose models are unpacked below this folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes()
        except OSError:
            continue
        if b"server.py" in words and bytes(work) in words:
            found.append(int(each.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_no_server_outlives_the_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERRIDE, sys.executable)
    work = tmp_path / ".mlops-iac"
    for end in ("killed", "stopped"):
        info = server.AwsServer(work).ensure()
        cloud = Cloud(info.url, "outlived")
        cloud.model("main", models.archive())
        assert cloud.endpoint(cloud.configuration("1", main=1))["EndpointStatus"] == "InService"
        assert len(processes(work)) == 1
        if end == "killed":
            os.kill(info.pid, signal.SIGKILL)
        else:
            assert server.AwsServer(work).stop()
        deadline = time.monotonic() + 60
        while processes(work) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert processes(work) == []
