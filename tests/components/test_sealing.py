"""The function that seals: exact resources, one reader and writer, and who may call it."""

from __future__ import annotations

from typing import Any

from mlops_iac.clouds.aws.components.sealing import Sealing, SealingArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, names, one, policy, types

COMPONENT = "mlops-iac:aws:Sealing"
FUNCTION = "aws:lambda/function:Function"
LOG = "aws:cloudwatch/logGroup:LogGroup"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
PERMISSION = "aws:lambda/permission:Permission"
ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
BUCKET = "arn:aws:s3:::artifacts"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"
GIVEN = "arn:aws:iam::123456789012:role/given"


def sealing(**changes: Any) -> list[Resource]:
    arguments = {
        "bucket": "artifacts",
        "bucket_arn": BUCKET,
        "handler": "def handler(event, context): ...",
        "key_arn": KEY,
        "log_key_arn": KEY,
        "tags": {"project": "p"},
        **changes,
    }
    return capture(lambda: Sealing("sealing", SealingArgs(**arguments)))


def test_one_function_with_a_role_and_a_log_of_its_own() -> None:
    graph = sealing()
    assert types(graph) == {
        COMPONENT: 1, FUNCTION: 1, LOG: 1, OBJECT: 1, ROLE: 1, ROLE_POLICY: 1,
    }  # fmt: skip
    component = one(graph, COMPONENT)
    assert {each.parent for each in graph if each.custom} == {component.urn}
    assert all(
        each.inputs["tags"] == {"project": "p"}
        for each in graph
        if each.custom and each.type != ROLE_POLICY
    )
    log, function = one(graph, LOG), one(graph, FUNCTION)
    assert (log.inputs["retentionInDays"], log.inputs["kmsKeyId"]) == (90, KEY)
    assert component.outputs["functionArn"] == function.outputs["arn"]
    assert function.inputs["loggingConfig"] == {
        "logFormat": "Text", "logGroup": log.outputs["name"],
    }  # fmt: skip
    # A pipeline waits ten minutes for a function.
    assert function.inputs["timeout"] == 600
    assert function.inputs["handler"] == "seal.handler"
    assert function.inputs["s3Key"] == one(graph, OBJECT).inputs["key"]
    assert "sealing-policy" in names(function.dependencies)


def test_it_reads_what_jobs_leave_and_writes_models() -> None:
    rights = policy(one(sealing(), ROLE_POLICY).inputs["policy"])
    objects = {
        (action, each["Resource"])
        for each in rights.values()
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
        if action.startswith("s3:")
    }
    assert objects == {
        ("s3:GetObject", f"{BUCKET}/pipelines/*"),
        ("s3:ListBucket", BUCKET),
        ("s3:PutObject", f"{BUCKET}/models/*"),
        ("s3:AbortMultipartUpload", f"{BUCKET}/models/*"),
    }
    assert rights["UseKey"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert set(rights) == {"ReadWork", "ListWork", "WriteSealed", "UseKey", "WriteLog"}
    trust = policy(one(sealing(), ROLE).inputs["assumeRolePolicy"])["Assume"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_it_looks_up_the_versions_of_what_is_compared_and_of_nothing_else() -> None:
    rights = policy(one(sealing(compared=["churn"]), ROLE_POLICY).inputs["policy"])
    found = rights["LookUpVersions"]
    assert found["Action"] == ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"]
    assert [each.split(":")[-1].split("/")[0] for each in found["Resource"]] == [
        "model-package-group", "model-package",
    ]  # fmt: skip
    assert all("-churn" in each for each in found["Resource"])


def test_without_a_key_nothing_of_kms_is_granted() -> None:
    graph = sealing(key_arn=None, log_key_arn=None)
    assert "UseKey" not in policy(one(graph, ROLE_POLICY).inputs["policy"])
    assert "kmsKeyId" not in {*one(graph, LOG).inputs, *one(graph, OBJECT).inputs}


def test_a_role_of_the_users_is_used_as_it_is() -> None:
    graph = sealing(role_arn=GIVEN)
    assert types(graph) == {COMPONENT: 1, FUNCTION: 1, LOG: 1, OBJECT: 1}
    assert one(graph, FUNCTION).inputs["role"] == GIVEN


def test_a_pipeline_role_of_the_users_is_let_in_by_the_function() -> None:
    graph = sealing(pipeline_role_arn=GIVEN)
    permission = one(graph, PERMISSION).inputs
    assert permission == {
        "action": "lambda:InvokeFunction",
        "function": one(graph, FUNCTION).outputs["name"],
        "principal": GIVEN,
    }


def test_changed_code_lies_elsewhere_and_is_deployed() -> None:
    before, after = sealing(), sealing(handler="def handler(event, context): return 1")
    keys = [one(each, OBJECT).inputs["key"] for each in (before, after)]
    assert all(key.startswith("functions/sealing/") for key in keys)
    assert keys[0] != keys[1]
    digests = {one(each, FUNCTION).inputs["sourceCodeHash"] for each in (before, after)}
    assert len(digests) == 2


def test_people_are_told_when_it_fails() -> None:
    graph = sealing(topic_arn="arn:topic")
    alarm = one(graph, "aws:cloudwatch/metricAlarm:MetricAlarm").inputs
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/Lambda", "Errors")
    assert alarm["dimensions"] == {"FunctionName": one(graph, FUNCTION).outputs["name"]}
    assert alarm["alarmActions"] == ["arn:topic"]
