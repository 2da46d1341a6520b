"""A real stack whose blueprint names another region or account: refused before the engine starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.api import load
from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.api.deploy.places import moved_place
from mlops_iac.clouds.access import Place
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.errors import UsageError
from mlops_iac.graph.model import Resource

BLUEPRINT = """\
blueprint: 1
name: churn
owner: risk@acme.example
platform: sagemaker
region: us-east-1
environments:
  prod: {account: "123456789012"}
"""
ACCOUNTS = ["123456789012"]


def provider(**inputs: Any) -> Resource:
    urn = "urn:pulumi:prod::churn::pulumi:providers:aws::default"
    return Resource(urn, "pulumi:providers:aws", "default", custom=True, inputs=inputs)


BUCKET = Resource(
    "urn:pulumi:prod::churn::aws:s3/bucket:Bucket::b", "aws:s3/bucket:Bucket", "b", custom=True
)


OLD = provider(region="eu-west-1", allowedAccountIds=json.dumps(ACCOUNTS))


@pytest.mark.parametrize(
    ("resources", "now", "moved"),
    [
        ((OLD, BUCKET), Place("eu-west-1", *ACCOUNTS), []),
        (
            (OLD, BUCKET),
            Place("us-east-1", "210987654321"),
            [("region", "eu-west-1", "us-east-1"), ("account", ACCOUNTS[0], "210987654321")],
        ),
        # Nothing stands, so nothing is lost; and what nobody said has not changed.
        ((OLD,), Place("us-east-1"), []),
        ((provider(), BUCKET), Place("us-east-1", *ACCOUNTS), []),
        ((OLD, BUCKET), Place("eu-west-1"), []),
    ],
)
def test_what_moved(resources: Any, now: Place, moved: Any) -> None:
    assert moved_place(resources, now) == moved


class Engine:
    """Holds a stack that was deployed to another region."""

    name = "pulumi"

    def __init__(self) -> None:
        self.ran: list[str] = []

    def resources(self, _: StackTarget) -> list[Resource]:
        return [OLD, BUCKET]

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self.ran.append(name)


def test_a_real_stack_is_not_deployed_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "blueprint.yaml").write_text(BLUEPRINT, encoding="utf-8")
    project = load(tmp_path / "blueprint.yaml")
    project.compile()
    deployment = Deployment(project, "prod", engine=None)
    engine = deployment.__dict__["engine"] = Engine()
    for operation in (deployment.preview, deployment.up):
        with pytest.raises(UsageError) as caught:
            operation()
        assert "prod holds resources, and the region goes from eu-west-1 to us-east-1" in str(
            caught.value.message
        )
        assert "`mlops-iac destroy -s prod` deletes it where it was made" in caught.value.hint
    assert engine.ran == []
    assert deployment.region == "eu-west-1"
