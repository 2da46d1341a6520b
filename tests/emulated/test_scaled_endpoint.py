"""Another instance type under a scalable target: refused as AWS does it, seen before, and the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.clouds.aws.scaled import refused
from mlops_iac.emulators.aws import server
from mlops_iac.emulators.aws.provider import AwsProvider
from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.errors import UsageError
from mlops_iac.graph.plan import Plan
from tests.engine_support.programs import make_target

PROGRAM = """
from mlops_iac.clouds.aws.components.real_time_endpoint import (
    RealTimeEndpoint, RealTimeEndpointArgs, Scaling, Variant,
)

RealTimeEndpoint("api", RealTimeEndpointArgs(
    role_arn="arn:aws:iam::123456789012:role/endpoint",
    variants=[Variant(
        name="main", model="m", instance_type="ml.m5.INSTANCE",
        image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/m:1", model_data="s3://models/m/",
    )],
    tags={"project": "p"},
    scaling=Scaling(min=1, max=MAX, metric="requests_per_minute", value=200),
))
"""


def target(folder: Path, instance: str, most: int) -> StackTarget:
    body = PROGRAM.replace("INSTANCE", instance).replace("MAX", str(most))
    return make_target(folder, body, config={"aws:region": "eu-west-1"}, region="eu-west-1")


def failing(result: Any) -> list[str]:
    return [f"{urn.rsplit('::', 1)[-1]}: {why}" for urn, why in result.failures.items()]


def told(plan: Plan) -> Sequence[str]:
    return [words for _, words in refused(plan.steps)]


def test_what_aws_refuses_is_seen_before_and_has_a_way_round(tmp_path: Path, moto: Any) -> None:
    engine = EmbeddedEngine({"aws": AwsProvider(moto.url)})
    assert failing(engine.up(target(tmp_path, "xlarge", 4))) == []
    larger = target(tmp_path, "2xlarge", 4)
    (words,) = told(engine.preview(larger))
    assert "ml.m5.xlarge to ml.m5.2xlarge" in words
    # What scales depends on the endpoint, so taking both away at once comes too late.
    assert told(engine.preview(target(tmp_path, "2xlarge", 1))) == [words]
    (failure,) = failing(engine.up(larger))
    assert failure.startswith("api-endpoint: ")
    assert "registered for automatic scaling" in failure
    assert failing(engine.up(target(tmp_path, "xlarge", 4))) == []
    for instance, most in (("xlarge", 1), ("2xlarge", 1), ("2xlarge", 4)):
        step = target(tmp_path, instance, most)
        assert told(engine.preview(step)) == []
        assert failing(engine.up(step)) == []
    sagemaker = server.client("sagemaker", moto, "eu-west-1")
    config = sagemaker.describe_endpoint(EndpointName="proj-local-api")["EndpointConfigName"]
    described = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    assert described["ProductionVariants"][0]["InstanceType"] == "ml.m5.2xlarge"


def test_a_deployment_that_would_be_refused_does_not_begin() -> None:
    deployment = Deployment.__new__(Deployment)
    vars(deployment).update(
        _refused=("api-endpoint: AWS changes no instance type",),
        _unchanged=None,
        _unapproved=[],
        stack="local",
        emulated=True,
        target=None,
        _runs=[None],
        engine=SimpleNamespace(),  # which knows no `up`
    )
    with pytest.raises(UsageError, match=r"AWS changes no instance type.*nothing was changed"):
        deployment.up()
