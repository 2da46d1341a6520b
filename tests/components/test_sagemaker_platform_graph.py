"""Whole plans run as their program would: exact resources, and what holds over all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.blueprint import load
from mlops_iac.clouds.registry import platform
from mlops_iac.graph.model import Resource
from tests.components.capture import names, of_type, one, policy, types
from tests.components.planned import captured
from tests.sagemaker_blueprints import MAXIMAL, MINIMAL, loaded

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence" / "blueprint.yaml"
VERSION = "models.adherence.version"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
PIPELINE = "aws:sagemaker/pipeline:Pipeline"
LOG = "aws:cloudwatch/logGroup:LogGroup"
SERVES = {
    "aws:sagemaker/model:Model",
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
    ENDPOINT,
    "aws:appautoscaling/target:Target",
    "aws:appautoscaling/policy:Policy",
}


def example(environment: str, **settings: Any) -> list[Resource]:
    resolved = load(EXAMPLE).resolve(environment)
    calls = platform("sagemaker").plan(resolved)
    return captured(calls, stack=environment, project=resolved.name, settings=settings)


@pytest.fixture(scope="module")
def graphs() -> dict[str, list[Resource]]:
    return {
        name: example(name, **{VERSION: "approved"}) for name in ("local", "dev", "staging", "prod")
    }


def test_the_example_s_resources_by_environment(graphs: dict[str, list[Resource]]) -> None:
    custom = {
        name: {kind: count for kind, count in types(graph).items() if kind.startswith("aws:")}
        for name, graph in graphs.items()
    }
    assert custom["staging"] == custom["prod"]
    # dev alone has other accounts that read.
    readers = {"aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": 1}
    assert custom["dev"] == {**custom["local"], **readers}
    assert {kind for kind in custom["dev"] if kind not in custom["prod"]} == {
        *readers,
        "aws:lambda/permission:Permission",
        "aws:s3/bucketNotification:BucketNotification",
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
    }
    assert set(custom["prod"]) >= SERVES


def test_before_the_first_version_everything_but_the_serving_is_there() -> None:
    """Trap 19: the first approved version then only creates."""
    before = {each.urn: each for each in example("dev")}
    after = {each.urn: each for each in example("dev", **{VERSION: "1"})}
    assert set(before) < set(after)
    assert {after[urn].type for urn in set(after) - set(before)} == {*SERVES, LOG}
    assert all(after[urn].inputs == each.inputs for urn, each in before.items() if each.custom)


def test_prod_serves_what_dev_registered(graphs: dict[str, list[Resource]]) -> None:
    group = one(graphs["dev"], "aws:sagemaker/modelPackageGroup:ModelPackageGroup")
    model = one(graphs["prod"], "aws:sagemaker/model:Model")
    assert model.inputs["primaryContainer"]["modelPackageName"] == (
        "arn:aws:sagemaker:eu-west-1:012345678901:model-package/"
        f"{group.inputs['modelPackageGroupName']}/approved"
    )


BUCKET = "arn:aws:s3:::schedule-adherence-dev-data-artifacts-*"


def test_prod_may_read_what_dev_trained_and_nothing_else(
    graphs: dict[str, list[Resource]],
) -> None:
    attached = one(graphs["prod"], "aws:iam/rolePolicy:RolePolicy", "promotion-policy")
    role = one(graphs["prod"], "aws:iam/role:Role", "identity-endpoint")
    assert attached.inputs["role"] == role.outputs["name"]
    rights = policy(attached.inputs["policy"])
    assert rights["ReadPromoted"]["Resource"] == f"{BUCKET}/models/*"
    assert rights["ReadPromoted"]["Condition"] == {
        "StringEquals": {"aws:ResourceAccount": ["012345678901"]}
    }
    assert rights["DecryptPromoted"]["Resource"] == "arn:aws:kms:eu-west-1:012345678901:key/*"
    assert rights["DecryptPromoted"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [BUCKET]},
    }
    for kind in ("aws:sagemaker/model:Model", ENDPOINT):
        assert "promotion-policy" in names(one(graphs["prod"], kind).dependencies)
    # The other side says yes to the name that is granted here.
    bucket = one(graphs["dev"], "aws:s3/bucket:Bucket", "data-artifacts")
    assert bucket.name == "data-artifacts"
    assert "bucket" not in bucket.inputs


def test_the_endpoint_role_watches_the_alarms_that_exist(
    graphs: dict[str, list[Resource]],
) -> None:
    """Traps 2 and 6."""
    for graph in graphs.values():
        endpoint = one(graph, ENDPOINT)
        watched = {
            alarm["alarmName"]
            for alarm in endpoint.inputs["deploymentConfig"]["autoRollbackConfiguration"]["alarms"]
        }
        role = one(graph, "aws:iam/rolePolicy:RolePolicy", "identity-endpoint-policy")
        resources = policy(role.inputs["policy"])["WatchRollbackAlarms"]["Resource"]
        allowed = {resources} if isinstance(resources, str) else {*resources}
        assert {arn.rsplit(":", 1)[1] for arn in allowed} == watched


def test_pipelines_and_endpoints_wait_for_policies(graphs: dict[str, list[Resource]]) -> None:
    """P5."""
    graph = graphs["dev"]
    assert "identity-pipeline-policy" in names(
        one(graph, PIPELINE, "adherence-training-pipeline").dependencies
    )
    model = one(graph, "aws:sagemaker/model:Model")
    assert "identity-endpoint-policy" in names(model.dependencies)


def test_new_data_arrives_where_the_stack_never_writes(graphs: dict[str, list[Resource]]) -> None:
    """Trap 14."""
    graph = graphs["dev"]
    new_data = one(graph, "aws:cloudwatch/eventRule:EventRule", "adherence-retrain-new-schedules")
    pattern = json.loads(new_data.inputs["eventPattern"])
    (rule,) = pattern["detail"]["object"]["key"]
    written = [
        each.inputs["key"] for each in of_type(graph, "aws:s3/bucketObjectv2:BucketObjectv2")
    ]
    assert written
    assert not any(key.startswith(rule["prefix"]) for key in written)
    definition = one(graph, PIPELINE, "adherence-training-pipeline").inputs["pipelineDefinition"]
    assert rule["prefix"] not in definition


def test_no_placeholder_is_left(graphs: dict[str, list[Resource]]) -> None:
    for graph in graphs.values():
        for each in graph:
            assert "${" not in json.dumps(each.inputs, default=str), each.urn


def test_no_partition_is_written_down(graphs: dict[str, list[Resource]]) -> None:
    """Trap 20: partition and suffix come from the provider."""
    resolved = load(EXAMPLE).resolve("dev")
    for call in platform("sagemaker").plan(resolved):
        assert "arn:aws:" not in str(
            {key: value for key, value in call.args.items() if key not in ("code", "handler")}
        )


def test_data_is_protected_where_the_blueprint_says_so(graphs: dict[str, list[Resource]]) -> None:
    protected = {
        name: {each.protect for each in of_type(graph, "aws:s3/bucket:Bucket")}
        for name, graph in graphs.items()
    }
    assert protected == {"local": {False}, "dev": {False}, "staging": {True}, "prod": {True}}


def test_every_resource_that_takes_tags_has_them(graphs: dict[str, list[Resource]]) -> None:
    for name, graph in graphs.items():
        for each in graph:
            if "tags" in each.inputs:
                assert each.inputs["tags"]["stack"] == f"schedule-adherence-{name}", each.urn


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_everything_that_is_planned_can_be_made(tmp_path: Path, environment: str) -> None:
    resolved = loaded(tmp_path, MAXIMAL).resolve(environment)
    graph = captured(
        platform("sagemaker").plan(resolved),
        stack=environment,
        project=resolved.name,
        settings={VERSION: "3"},
    )
    assert len(of_type(graph, ENDPOINT)) == 3
    (shadow,) = one(
        graph,
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        "shadowed-configuration",
    ).inputs["shadowProductionVariants"]
    assert shadow["variantName"] == "copy"
    patterns = [
        json.loads(each.inputs["eventPattern"])
        for each in of_type(graph, "aws:cloudwatch/eventRule:EventRule")
    ]
    (alarms,) = [pattern["resources"] for pattern in patterns if "resources" in pattern]
    # Two limits of two variants, and the drift of one.
    assert len(alarms) == 5
    boundary = {
        each.inputs.get("permissionsBoundary") for each in of_type(graph, "aws:iam/role:Role")
    }
    expected = "arn:aws:iam::210987654321:policy/boundary" if environment == "prod" else None
    assert boundary == {expected}


def test_the_smallest_blueprint_makes_a_complete_stack(tmp_path: Path) -> None:
    resolved = loaded(tmp_path, MINIMAL).resolve("local")
    graph = captured(
        platform("sagemaker").plan(resolved),
        stack="local",
        project="churn",
        settings={"models.churn.version": "1"},
    )
    assert one(graph, ENDPOINT).inputs["name"] == "churn-local-api"
    assert not of_type(graph, "aws:kms/key:Key")
