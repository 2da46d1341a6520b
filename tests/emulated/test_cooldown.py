"""The retraining guard against moto: what starts a pipeline, and what must not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlops_iac.clouds.aws.runtime import cooldown

PIPELINE = "churn-dev-model"
EVENT = {"id": "7f1c", "detail-type": "Object Created", "source": "aws.s3"}


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("PIPELINE_NAME", PIPELINE)
    monkeypatch.setenv("COOLDOWN_HOURS", "24")
    cooldown._sagemaker.cache_clear()
    with mock_aws():
        client = boto3.client("sagemaker")
        client.create_pipeline(
            PipelineName=PIPELINE,
            PipelineDisplayName=PIPELINE,
            RoleArn="arn:aws:iam::123456789012:role/pipeline",
            ClientRequestToken="x" * 32,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": []}),
        )
        yield client
    cooldown._sagemaker.cache_clear()


def executions(client: Any) -> list[dict[str, Any]]:
    found = client.list_pipeline_executions(PipelineName=PIPELINE)
    return list(found["PipelineExecutionSummaries"])


def as_if(monkeypatch: pytest.MonkeyPatch, status: str, age: timedelta, client: Any) -> None:
    """moto finishes every execution at once: age and status are given here."""
    latest = dict(executions(client)[0])
    latest.update(PipelineExecutionStatus=status, StartTime=cooldown._now() - age)
    monkeypatch.setattr(cooldown, "_latest_execution", lambda _: latest)


def test_the_first_event_starts_an_execution(sagemaker: Any, capsys: Any) -> None:
    answer = cooldown.handler(EVENT, None)
    assert answer["decision"] == "started"
    assert [item["PipelineExecutionArn"] for item in executions(sagemaker)] == [answer["execution"]]
    assert json.loads(capsys.readouterr().out) == {
        **answer,
        "event": "7f1c",
        "cause": "Object Created",
    }


def test_a_second_event_within_the_cooldown_starts_nothing(sagemaker: Any) -> None:
    first = cooldown.handler(EVENT, None)
    second = cooldown.handler({**EVENT, "id": "7f1d"}, None)
    assert second == {"decision": "cooling down", "execution": first["execution"]}
    assert len(executions(sagemaker)) == 1


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Stopped"])
@pytest.mark.parametrize(("hours", "decision"), [(23.9, "cooling down"), (24.1, "started")])
def test_the_cooldown_counts_from_the_last_start_however_it_ended(
    sagemaker: Any, monkeypatch: pytest.MonkeyPatch, status: str, hours: float, decision: str
) -> None:
    cooldown.handler(EVENT, None)
    as_if(monkeypatch, status, timedelta(hours=hours), sagemaker)
    assert cooldown.handler(EVENT, None)["decision"] == decision


@pytest.mark.parametrize("status", ["Executing", "Stopping"])
def test_an_execution_under_way_blocks_even_without_a_cooldown(
    sagemaker: Any, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setenv("COOLDOWN_HOURS", "0")
    cooldown.handler(EVENT, None)
    as_if(monkeypatch, status, timedelta(days=3), sagemaker)
    assert cooldown.handler(EVENT, None)["decision"] == "running"
    assert len(executions(sagemaker)) == 1


def test_two_events_that_see_the_same_past_ask_with_the_same_token() -> None:
    past = {"PipelineExecutionArn": "arn:1"}
    assert cooldown._token("p", past) == cooldown._token("p", dict(past))
    assert cooldown._token("p", past) != cooldown._token("p", {"PipelineExecutionArn": "arn:2"})
    assert 32 <= len(cooldown._token("p", None)) <= 128


def test_a_service_error_is_raised_for_the_dead_letter_queue(
    sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_NAME", "gone")
    with pytest.raises(sagemaker.exceptions.ClientError):
        cooldown.handler(EVENT, None)
