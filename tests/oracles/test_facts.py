"""Facts everybody knows, and that the committed files are what the real provider says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_iac.emulators.aws.facts import FACTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("type_", "path", "expected"),
    [
        ("sagemaker/endpointConfiguration:EndpointConfiguration", "productionVariants.instanceType", True),
        ("sagemaker/endpointConfiguration:EndpointConfiguration", "tags", False),
        ("sagemaker/endpoint:Endpoint", "endpointConfigName", False),
        ("sagemaker/endpoint:Endpoint", "name", True),
        ("sagemaker/endpoint:Endpoint", "deploymentConfig.autoRollbackConfiguration.alarms", False),
        ("sagemaker/pipeline:Pipeline", "pipelineName", True),
        ("sagemaker/pipeline:Pipeline", "pipelineDefinition", False),
        ("sagemaker/pipeline:Pipeline", "roleArn", False),
        ("sagemaker/modelPackageGroup:ModelPackageGroup", "modelPackageGroupDescription", True),
        ("sagemaker/model:Model", "primaryContainer.image", True),
        ("s3/bucket:Bucket", "bucket", True),
        ("s3/bucket:Bucket", "forceDestroy", False),
        ("s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "rules.expiration.days", False),
        ("iam/role:Role", "assumeRolePolicy", False),
        ("iam/role:Role", "path", True),
        ("iam/policy:Policy", "description", True),
        ("kms/key:Key", "description", False),
        ("sqs/queue:Queue", "fifoQueue", True),
        ("sqs/queue:Queue", "visibilityTimeoutSeconds", False),
        ("sns/topicSubscription:TopicSubscription", "endpoint", True),
        ("lambda/function:Function", "packageType", True),
        ("lambda/function:Function", "timeout", False),
        ("scheduler/schedule:Schedule", "scheduleExpression", False),
        ("appautoscaling/target:Target", "resourceId", True),
        ("appautoscaling/target:Target", "maxCapacity", False),
        ("sagemaker/endpoint:Endpoint", "region", None),
    ],
)  # fmt: skip
def test_whether_a_changed_property_replaces(type_, path, expected):
    assert FACTS.properties(f"aws:{type_}")[path].replaces is expected


def test_adding_automatic_rollback_replaces_the_endpoint_but_changing_it_does_not():
    fact = FACTS.properties("aws:sagemaker/endpoint:Endpoint")[
        "deploymentConfig.autoRollbackConfiguration"
    ]
    assert [fact.replaces_when(kind) for kind in ("add", "update", "delete")] == [True, False, True]


ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
ROLLBACK = {"autoRollbackConfiguration": {"alarms": [{"alarmName": "a"}]}}


@pytest.mark.parametrize(
    ("type_", "path", "change", "value", "expected"),
    [
        (CONFIGURATION, "productionVariants[0].instanceType", None, None, True),
        (CONFIGURATION, "productionVariants[1]", "add", None, True),
        (CONFIGURATION, 'tags["a.b"]', None, None, False),
        (CONFIGURATION, "tags.owner", "add", None, False),
        (CONFIGURATION, "region", None, None, None),
        (CONFIGURATION, "nothing", None, None, None),
        (ENDPOINT, "endpointConfigName", None, None, False),
        (ENDPOINT, "deploymentConfig.autoRollbackConfiguration", "add", None, True),
        (ENDPOINT, "deploymentConfig.autoRollbackConfiguration", "update", None, False),
        (ENDPOINT, "deploymentConfig", "add", ROLLBACK, True),
        (ENDPOINT, "deploymentConfig", "add", {"rollingUpdatePolicy": {}}, False),
        (ENDPOINT, "deploymentConfig", "add", None, None),
        ("aws:iam/role:Role", "assumeRolePolicy", None, None, False),
        ("aws:rds/instance:Instance", "engine", None, None, None),
    ],
)
def test_what_a_difference_at_a_path_forces(type_, path, change, value, expected):
    answer, source = FACTS.replaces(type_, path, change, value)
    assert answer is expected
    assert bool(source) is (expected is not None)


def test_a_fact_names_its_source_and_no_fact_names_none():
    properties = FACTS.properties("aws:sagemaker/endpointConfiguration:EndpointConfiguration")
    assert properties["kmsKeyArn"].source == "hashicorp/aws 5.100.0"
    assert properties["executionRoleArn"].source.startswith("cfn-lint ")
    assert properties["executionRoleArn"].replaces is True
    assert properties["region"].source == ""


def test_json_is_what_the_provider_compares_as_json():
    assert FACTS.properties("aws:iam/role:Role")["assumeRolePolicy"].json
    assert FACTS.properties("aws:cloudwatch/dashboard:Dashboard")["dashboardBody"].kind == "json"
    assert not FACTS.properties("aws:iam/role:Role")["description"].json


def test_kinds_follow_the_sdk_where_the_bridge_flattens_and_the_provider_where_it_is_silent():
    endpoint = FACTS.properties("aws:sagemaker/endpoint:Endpoint")
    assert endpoint["deploymentConfig"].kind == "object"
    alarms = endpoint["deploymentConfig.autoRollbackConfiguration.alarms"]
    assert (alarms.kind, alarms.element) == ("set", "object")
    assert FACTS.properties("aws:lambda/function:Function")["code"].asset
    assert (
        FACTS.properties("aws:sns/topicSubscription:TopicSubscription")["topic"].tf_path
        == "topic_arn"
    )
    assert FACTS.properties("aws:iam/role:Role")["maxSessionDuration"].default == 3600


def test_every_listed_type_has_facts_and_every_property_a_provider_path_or_no_fact():
    listed = [
        line.split()[0]
        for line in (ROOT / "tools/aws_facts/types.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert sorted(listed) == FACTS.types()
    for type_ in listed:
        for path, fact in FACTS.properties(type_).items():
            if fact.tf_path:
                assert fact.replaces is not None, (type_, path)
            else:
                assert fact.replaces is None or fact.source.startswith("cfn-lint "), (type_, path)


def test_a_type_without_facts_is_none_and_not_a_guess():
    assert FACTS.of("aws:ec2/instance:Instance") is None
    assert FACTS.of("pulumi:pulumi:Stack") is None
    assert FACTS.properties("gcp:storage/bucket:Bucket") == {}


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.aws_facts", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.terraform
def test_the_committed_facts_are_what_the_provider_says():
    done = _run("--check")
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.terraform
def test_a_wrong_fact_is_noticed(tmp_path):
    name = "sns.TopicPolicy.json"
    data = json.loads((FACTS.folder / name).read_text("utf-8"))
    data["properties"]["arn"]["replaces"] = False
    (tmp_path / name).write_text(json.dumps(data), "utf-8")
    only = ("--only", "aws:sns/topicPolicy:TopicPolicy")
    done = _run("--check", *only, "--target", str(tmp_path))
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 1
    assert name in done.stderr
