"""What an endpoint runs, compared with what it was asked to run."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from mlops_iac.api.deploy import rollbacks
from mlops_iac.api.deploy.smoke import Smoke
from mlops_iac.cli import up
from mlops_iac.clouds.aws.sagemaker.endpoints import differing
from mlops_iac.clouds.aws.types import ENDPOINT
from mlops_iac.engine.protocol import Result
from mlops_iac.errors import ResourceFailed
from mlops_iac.graph.model import Resource


class Cloud:
    """Answers as SageMaker does."""

    def client(self, service: str, region: str = "", account: str = "") -> Any:
        assert (service, region, account) == ("sagemaker", "", "")
        return self

    def __init__(self, runs: str, status: str = "InService") -> None:
        self.answer = {"EndpointConfigName": runs, "EndpointStatus": status}

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        assert EndpointName == "churn-prod-api"
        return self.answer


ASKED = Resource(
    urn=f"urn:pulumi:prod::churn::{ENDPOINT}::api-endpoint",
    type=ENDPOINT,
    name="api-endpoint",
    custom=True,
    inputs={"name": "churn-prod-api", "endpointConfigName": "api-2"},
)


class Gone(Cloud):
    def __init__(self) -> None:
        pass

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N803
        said = {"Error": {"Code": "ValidationException", "Message": "Could not find endpoint"}}
        raise ClientError(said, "DescribeEndpoint")  # type: ignore[arg-type]


def test_an_endpoint_that_somebody_deleted_is_told_with_the_way_back() -> None:
    (line,) = differing([ASKED], Gone(), " -s prod")
    assert "churn-prod-api is gone" in line
    assert "`mlops-iac refresh -s prod`, then `mlops-iac up -s prod`" in line


def test_an_endpoint_that_runs_what_was_asked_is_not_mentioned() -> None:
    assert [*differing([ASKED], Cloud("api-2"))] == []


def test_a_rollout_that_was_taken_back_is_told_with_the_way_out() -> None:
    (line,) = differing([ASKED], Cloud("api-1"))
    assert "churn-prod-api runs api-1, not api-2" in line
    assert "models.NAME.version" in line


def test_a_rollout_under_way_is_no_rollback() -> None:
    (line,) = differing([ASKED], Cloud("api-1", "Updating"))
    assert "goes on" in line
    assert "taken back" not in line


@pytest.mark.parametrize("op", ["update", "same"])
def test_up_fails_by_what_it_has_changed_and_notes_what_was_so_before(
    monkeypatch: pytest.MonkeyPatch, op: str
) -> None:
    """The provider calls a rollback a success."""
    deployment = SimpleNamespace(
        project=SimpleNamespace(
            operations=SimpleNamespace(endpoints=lambda _: {"api": ASKED}, differing=differing),
            emulates=lambda _: False,
        ),
        stack="prod",
        resources=lambda: [ASKED],
        region="",
    )
    project = SimpleNamespace(
        deployment=lambda _: nullcontext(deployment), next_steps=lambda *_: ["prod stands"]
    )
    step = SimpleNamespace(urn=ASKED.urn, op=op)
    result = Result(steps=[step], outputs={}, duration_seconds=1.0)  # type: ignore[list-item]
    monkeypatch.setattr(rollbacks, "session", lambda *_, **__: Cloud("api-1"))
    monkeypatch.setattr(up, "project_of", lambda *_: project)
    monkeypatch.setattr(up, "deploy", lambda *_, **__: (SimpleNamespace(engine="pulumi"), result))
    monkeypatch.setattr(up, "smoke", lambda *_: Smoke())
    ran = CliRunner().invoke(up.command, ["-s", "prod", "--yes"])
    assert isinstance(ran.exception, ResourceFailed) is (op == "update")
    told = ran.output if op == "same" else str(ran.exception)
    assert "churn-prod-api runs api-1, not api-2" in told
