"""Roles: who may do what, statement by statement."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_iac.clouds.aws.components.identity import Identity, IdentityArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, names, of_type, one, policy, types

DATA = "arn:aws:s3:::data"
ARTIFACTS = "arn:aws:s3:::artifacts"
CAPTURES = "arn:aws:s3:::captures"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
ROLE, POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
EXECUTION_ARN = "arn:aws:iam::123456789012:role/id-execution-1a2b3c4"
FULL: dict[str, Any] = {
    "captures_bucket_arn": CAPTURES,
    "key_arn": KEY,
    "models": ["churn"],
    "jobs": ["Processing", "Training", "Tuning"],
    "job_tags": {"stack": "churn-prod"},
    "endpoints": ["api", "batch"],
    "captures": ["api"],
    "images": ["141502667606/sagemaker-scikit-learn"],
    "source_uris": ["s3://lake/projects/"],
    "model_uris": ["s3://models/baseline.tar.gz"],
    "seal_function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:seal",
    "rollback_alarms": ["churn-prod-api-live-rollback-error-rate"],
    "private_network": True,
    "subnets": ["subnet-1", "subnet-2"],
    "security_groups": ["sg-1"],
}


def identity(**args: Any) -> Identity:
    return Identity(
        "id", IdentityArgs(data_bucket_arn=DATA, artifacts_bucket_arn=ARTIFACTS, **args)
    )


def graph(**args: Any) -> list[Resource]:
    return capture(lambda: identity(**args))


def granted(found: list[Resource], plane: str) -> dict[str, dict[str, Any]]:
    return policy(one(found, POLICY, f"id-{plane}-policy").inputs["policy"])


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def actions(found: list[Resource], plane: str) -> set[str]:
    return {action for each in granted(found, plane).values() for action in listed(each["Action"])}


def test_three_roles_with_a_policy_each() -> None:
    found = graph(**FULL)
    assert types(found) == {"mlops-iac:aws:Identity": 1, ROLE: 3, POLICY: 3}
    assert {role.name for role in of_type(found, ROLE)} == {
        "id-pipeline",
        "id-execution",
        "id-endpoint",
    }
    component = one(found, "mlops-iac:aws:Identity")
    assert {each.parent for each in found if each.custom} == {component.urn}


def test_trust_is_one_service_for_one_account() -> None:
    for role in of_type(graph(**FULL), ROLE):
        assert policy(role.inputs["assumeRolePolicy"]) == {
            "Assume": {
                "Sid": "Assume",
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
            }
        }


def test_only_the_pipeline_passes_a_role_and_only_the_execution_role_to_sagemaker() -> None:
    found = graph(**FULL)
    assert granted(found, "pipeline")["PassStepRoles"] == {
        "Sid": "PassStepRoles",
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": EXECUTION_ARN,
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    assert "iam:PassRole" not in actions(found, "execution") | actions(found, "endpoint")


def test_nobody_approves_and_nobody_starts_pipelines() -> None:
    found = graph(**FULL)
    for plane in ("pipeline", "execution", "endpoint"):
        assert not actions(found, plane) & {
            "sagemaker:UpdateModelPackage",
            "sagemaker:StartPipelineExecution",
        }


def test_the_pipeline_reads_the_gates_report_and_tags_its_jobs() -> None:
    statements = granted(graph(**FULL), "pipeline")
    assert statements["ReadReports"]["Resource"] == [
        f"{ARTIFACTS}/pipelines/*",
        f"{ARTIFACTS}/models/*",
    ]
    assert statements["Decrypt"]["Action"] == "kms:Decrypt"
    for kind in FULL["jobs"]:
        assert "sagemaker:AddTags" in statements[f"Start{kind}Jobs"]["Action"]


def test_the_pipeline_calls_the_one_function_that_seals() -> None:
    assert granted(graph(**FULL), "pipeline")["Seal"] == {
        "Sid": "Seal",
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": FULL["seal_function_arn"],
    }


def test_the_pipeline_registers_into_its_own_groups() -> None:
    registered = granted(graph(models=["churn", "value"]), "pipeline")["Register"]["Resource"]
    start = "arn:aws:sagemaker:eu-west-1:123456789012:"
    assert registered == [
        f"{start}model-package-group/project-stack-churn",
        f"{start}model-package/project-stack-churn/*",
        f"{start}model-package-group/project-stack-value",
        f"{start}model-package/project-stack-value/*",
    ]


def test_other_stacks_jobs_are_neither_started_nor_stopped() -> None:
    """All pipelines of an account call their jobs alike: the stack's tag tells them apart."""
    statements = granted(graph(**FULL), "pipeline")
    for kind in FULL["jobs"]:
        for verb, key in (("Start", "aws:RequestTag/stack"), ("Follow", "aws:ResourceTag/stack")):
            condition = statements[f"{verb}{kind}Jobs"]["Condition"]
            assert condition == {"StringEquals": {key: "churn-prod"}}


@pytest.mark.parametrize("kind", ["Processing", "Training", "Tuning"])
def test_a_pipeline_starts_what_its_steps_are_and_nothing_else(kind: str) -> None:
    found = graph(models=["churn"], jobs=[kind])
    started = {each for each in actions(found, "pipeline") if each.startswith("sagemaker:Create")}
    job = {"Tuning": "HyperParameterTuning"}.get(kind, kind)
    assert started == {f"sagemaker:Create{job}Job", "sagemaker:CreateModelPackage"}
    group = "ProcessingJobs" if kind == "Processing" else "TrainingJobs"
    logs = granted(found, "execution")["WriteLogs"]["Resource"]
    assert {each.split("/")[3].split(":")[0] for each in logs} == {group}


def test_steps_read_data_and_write_artifacts_only() -> None:
    statements = granted(graph(**FULL), "execution")
    writing = [each["Resource"] for each in statements.values() if "s3:PutObject" in each["Action"]]
    # Not the code: what a step runs today must not change what runs tomorrow. Not the models: what
    # is approved is what runs.
    assert writing == [f"{ARTIFACTS}/pipelines/*"]
    assert statements["ReadData"]["Resource"] == f"{DATA}/datasets/*"
    assert statements["ReadSources"]["Resource"] == "arn:aws:s3:::lake/projects/*"
    assert statements["ListSources"]["Resource"] == "arn:aws:s3:::lake"
    assert statements["ReadModels"]["Resource"] == "arn:aws:s3:::models/baseline.tar.gz"


def test_the_endpoint_sees_its_alarms_and_writes_captures_under_the_key() -> None:
    statements = granted(graph(**FULL), "endpoint")
    assert statements["WatchRollbackAlarms"] == {
        "Sid": "WatchRollbackAlarms",
        "Effect": "Allow",
        "Action": "cloudwatch:DescribeAlarms",
        "Resource": (
            "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:churn-prod-api-live-rollback-error-rate"
        ),
    }
    assert statements["WriteCaptures"]["Resource"] == f"{CAPTURES}/api/*"
    assert "kms:GenerateDataKey" in statements["UseKey"]["Action"]


def test_the_endpoint_writes_the_logs_of_its_endpoints() -> None:
    start = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/Endpoints/project-stack"
    assert granted(graph(**FULL), "endpoint")["WriteLogs"]["Resource"] == [
        f"{start}-api",
        f"{start}-api:log-stream:*",
        f"{start}-batch",
        f"{start}-batch:log-stream:*",
    ]


@pytest.mark.parametrize("plane", ["pipeline", "execution", "endpoint"])
def test_the_key_opens_objects_and_nothing_that_code_asks_for_itself(plane: str) -> None:
    for each in granted(graph(**FULL), plane).values():
        if {"kms:Decrypt", "kms:GenerateDataKey"} & {*listed(each["Action"])}:
            assert each["Condition"] == {
                "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
            }


@pytest.mark.parametrize("plane", ["execution", "endpoint"])
def test_grants_on_the_key_are_for_aws_resources_only(plane: str) -> None:
    grant = granted(graph(**FULL), plane)["GrantKey"]
    assert grant["Action"] == "kms:CreateGrant"
    assert grant["Resource"] == KEY
    assert grant["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


@pytest.mark.parametrize("plane", ["execution", "endpoint"])
def test_images_come_from_the_named_account_only(plane: str) -> None:
    assert granted(graph(**FULL), plane)["PullImages"]["Resource"] == (
        "arn:aws:ecr:eu-west-1:141502667606:repository/sagemaker-scikit-learn"
    )


def test_without_a_key_nothing_of_kms_is_granted() -> None:
    found = graph(models=["churn"], endpoints=["api"])
    for plane in ("pipeline", "execution", "endpoint"):
        assert not [action for action in actions(found, plane) if action.startswith("kms:")]


def test_a_section_left_out_makes_no_role() -> None:
    assert types(graph()) == {"mlops-iac:aws:Identity": 1}
    assert [role.name for role in of_type(graph(endpoints=["api"]), ROLE)] == ["id-endpoint"]
    for attribute in ("pipeline_role_arn", "execution_role_arn", "endpoint_role_arn"):
        with pytest.raises(ValueError, match="role"):
            capture(lambda attribute=attribute: getattr(identity(), attribute))


def test_existing_roles_are_used_as_they_are() -> None:
    own = {
        plane: f"arn:aws:iam::123456789012:role/{plane}" for plane in ("train", "serve", "pipeline")
    }
    found = graph(models=["churn"], endpoints=["api"], existing_roles=own)
    assert [role.name for role in of_type(found, ROLE)] == ["id-execution"]
    assert one(found, "mlops-iac:aws:Identity").outputs == {
        "pipelineRoleArn": own["pipeline"],
        "executionRoleArn": EXECUTION_ARN,
        "endpointRoleArn": own["serve"],
    }


def test_a_pipeline_passes_the_existing_roles_of_steps_too() -> None:
    train = "arn:aws:iam::123456789012:role/train"
    found = graph(models=["churn"], existing_roles={"train": train})
    assert granted(found, "pipeline")["PassStepRoles"]["Resource"] == [EXECUTION_ARN, train]


def test_a_role_for_no_plane_is_refused() -> None:
    with pytest.raises(ValueError, match="trian"):
        graph(models=["churn"], existing_roles={"trian": "arn:aws:iam::1:role/x"})


def test_who_uses_a_role_waits_for_its_policy() -> None:
    attached = one(graph(**FULL), POLICY, "id-pipeline-policy")
    assert {"id-execution", "id-execution-policy"} <= names(attached.dependencies)


def test_boundary_and_tags_reach_every_role() -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    found = graph(models=["m"], endpoints=["api"], permissions_boundary=boundary, tags={"a": "b"})
    for role in of_type(found, ROLE):
        assert role.inputs["permissionsBoundary"] == boundary
        assert role.inputs["tags"] == {"a": "b"}


def test_every_statement_has_a_reason_and_every_wildcard_a_second_one() -> None:
    made: list[Identity] = []
    capture(lambda: made.append(identity(**FULL)))
    statements = [each for group in made[0].statements.values() for each in group]
    assert len(statements) > 20
    assert all(each.reason for each in statements)
    assert all(not action.endswith("*") for each in statements for action in each.actions)
    assert {each.sid for each in statements if "*" in each.resources} == {
        "RegistryToken",
        "PutMetrics",
        "DescribeNetwork",
    }


def test_policies_fit_into_a_role() -> None:
    for attached in of_type(graph(**FULL), POLICY):
        assert len(json.dumps(json.loads(attached.inputs["policy"]))) < 10_240


EC2 = "arn:aws:ec2:eu-west-1:123456789012"


@pytest.mark.parametrize("plane", ["execution", "endpoint"])
def test_interfaces_are_made_in_the_given_network_alone(plane: str) -> None:
    rights = granted(graph(**FULL), plane)
    assert rights["AttachNetwork"]["Action"] == "ec2:CreateNetworkInterface"
    assert rights["AttachNetwork"]["Resource"] == [
        f"{EC2}:network-interface/*",
        f"{EC2}:subnet/subnet-1",
        f"{EC2}:subnet/subnet-2",
        f"{EC2}:security-group/sg-1",
    ]
    assert rights["UseInterfaces"]["Condition"] == {
        "ArnEquals": {"ec2:Subnet": [f"{EC2}:subnet/subnet-1", f"{EC2}:subnet/subnet-2"]}
    }
    assert "AttachNetwork" not in granted(graph(**{**FULL, "private_network": False}), plane)


def test_a_private_network_takes_its_places() -> None:
    with pytest.raises(ValueError, match="takes its subnets"):
        graph(**{**FULL, "subnets": []})
