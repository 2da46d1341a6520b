"""What starts a training: exact resources, narrow roles, and no way to train in a circle."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import pytest

from mlops_iac.clouds.aws.components.retrain_triggers import (
    NewData,
    RetrainTriggers,
    RetrainTriggersArgs,
)
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, names, of_type, one, policy, types

COMPONENT = "mlops-iac:aws:RetrainTriggers"
QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
SCHEDULE = "aws:scheduler/schedule:Schedule"
GROUP = "aws:scheduler/scheduleGroup:ScheduleGroup"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
FUNCTION = "aws:lambda/function:Function"
PERMISSION = "aws:lambda/permission:Permission"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
LOG = "aws:cloudwatch/logGroup:LogGroup"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"

PIPELINE = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p"
DRIFT = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:drift"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"
DATA = NewData(dataset="schedules", bucket="data", prefix="datasets/schedules/")
SOURCE = "def handler(event, context): ..."


def triggers(**changes: Any) -> list[Resource]:
    arguments = {
        "pipeline_name": "p",
        "pipeline_arn": PIPELINE,
        "handler": SOURCE,
        "code_bucket": "artifacts",
        "key_arn": KEY,
        "log_key_arn": KEY,
        "tags": {"project": "p"},
        **changes,
    }
    return capture(lambda: RetrainTriggers("adherence", RetrainTriggersArgs(**arguments)))


def test_a_schedule_alone_needs_no_function() -> None:
    assert types(triggers(schedule="0 3 * * 1")) == {
        COMPONENT: 1,
        QUEUE: 1,
        QUEUE_POLICY: 1,
        GROUP: 1,
        SCHEDULE: 1,
        ROLE: 1,
        ROLE_POLICY: 1,
    }


def test_all_three_triggers_have_exactly_these_resources() -> None:
    graph = triggers(
        schedule="0 3 * * 1", new_data=[DATA], alarm_arns=[DRIFT], topic_arn="arn:topic"
    )
    assert types(graph) == {
        COMPONENT: 1,
        QUEUE: 1,
        QUEUE_POLICY: 1,
        GROUP: 1,
        SCHEDULE: 1,
        ROLE: 2,
        ROLE_POLICY: 2,
        LOG: 1,
        OBJECT: 1,
        FUNCTION: 1,
        RULE: 2,
        TARGET: 2,
        PERMISSION: 2,
        ALARM: 2,
    }
    parent = one(graph, COMPONENT).urn
    assert {each.parent for each in graph if each.custom} == {parent}
    untagged = {QUEUE_POLICY, SCHEDULE, ROLE_POLICY, TARGET, PERMISSION}
    assert all(
        each.inputs["tags"] == {"project": "p"}
        for each in graph
        if each.custom and each.type not in untagged
    )


def test_the_clock_starts_the_pipeline_itself_in_the_users_time_zone() -> None:
    """Trap 13."""
    graph = triggers(schedule="0 3 * * 1", timezone="Europe/Amsterdam")
    schedule = one(graph, SCHEDULE)
    assert schedule.inputs["scheduleExpression"] == "cron(0 3 ? * MON *)"
    assert schedule.inputs["scheduleExpressionTimezone"] == "Europe/Amsterdam"
    assert schedule.inputs["flexibleTimeWindow"] == {"mode": "OFF"}
    target = schedule.inputs["target"]
    assert target["arn"] == PIPELINE
    assert target["retryPolicy"]["maximumEventAgeInSeconds"] <= 3600
    assert target["deadLetterConfig"]["arn"].endswith(one(graph, QUEUE).outputs["name"])
    assert "adherence-scheduler-policy" in names(schedule.dependencies)


def test_the_schedulers_role_trusts_its_group_and_may_do_two_things() -> None:
    """Traps 1 and 13: the ARN of the group; dead-letter rights in the role."""
    graph = triggers(schedule="0 3 * * 1")
    trust = policy(one(graph, ROLE).inputs["assumeRolePolicy"])["Assume"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnEquals": {"aws:SourceArn": one(graph, GROUP).outputs["arn"]},
    }
    rights = policy(one(graph, ROLE_POLICY).inputs["policy"])
    assert {sid: (each["Action"], each["Resource"]) for sid, each in rights.items()} == {
        "StartPipeline": ("sagemaker:StartPipelineExecution", PIPELINE),
        "KeepUndelivered": ("sqs:SendMessage", one(graph, QUEUE).outputs["arn"]),
    }


def test_new_files_reach_the_guard_and_never_the_pipeline() -> None:
    """Trap 14: the cooldown is enforced by running code."""
    graph = triggers(new_data=[DATA])
    rule = one(graph, RULE)
    assert json.loads(rule.inputs["eventPattern"]) == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": ["data"]},
            "object": {"key": [{"prefix": "datasets/schedules/"}]},
        },
    }
    target = one(graph, TARGET).inputs
    assert target["arn"] == one(graph, FUNCTION).outputs["arn"]
    assert target["rule"] == rule.outputs["name"]
    # Trap 13: a Lambda target takes no role.
    assert "roleArn" not in target
    assert target["deadLetterConfig"]["arn"] == one(graph, QUEUE).outputs["arn"]
    permission = one(graph, PERMISSION).inputs
    assert permission["principal"] == "events.amazonaws.com"
    assert permission["sourceArn"] == rule.outputs["arn"]


def test_the_alarm_rule_lists_its_alarms() -> None:
    """Trap 14: any other alarm of the account must not train a model."""
    pattern = json.loads(one(triggers(alarm_arns=[DRIFT]), RULE).inputs["eventPattern"])
    assert pattern["resources"] == [DRIFT]
    assert pattern["detail"] == {"state": {"value": ["ALARM"]}}


def test_the_guard_runs_the_given_source() -> None:
    graph = triggers(new_data=[DATA], cooldown_hours=12)
    function, code = one(graph, FUNCTION).inputs, one(graph, OBJECT).inputs
    package = zipfile.ZipFile(io.BytesIO(base64.b64decode(code["contentBase64"])))
    assert package.read("cooldown.py").decode() == SOURCE
    assert function["handler"] == "cooldown.handler"
    assert (function["s3Bucket"], function["s3Key"]) == ("artifacts", code["key"])
    assert code["kmsKeyId"] == KEY
    assert function["environment"]["variables"] == {"PIPELINE_NAME": "p", "COOLDOWN_HOURS": "12"}
    assert function["loggingConfig"]["logGroup"] == one(graph, LOG).outputs["name"]
    assert function["deadLetterConfig"]["targetArn"] == one(graph, QUEUE).outputs["arn"]
    assert one(graph, LOG).inputs["kmsKeyId"] == KEY
    assert one(graph, LOG).inputs["retentionInDays"] == 90


def test_the_package_depends_on_the_source_alone() -> None:
    first, again = (one(triggers(new_data=[DATA]), OBJECT).inputs for _ in range(2))
    other = one(triggers(new_data=[DATA], handler="x = 1"), OBJECT).inputs
    assert first == again
    assert first["key"] != other["key"]


def test_the_guard_may_look_start_write_and_keep_and_nothing_else() -> None:
    graph = triggers(new_data=[DATA])
    trust = policy(one(graph, ROLE).inputs["assumeRolePolicy"])["Assume"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    # Trap 1: Lambda sends no source condition; one here would lock it out.
    assert "Condition" not in trust
    rights = policy(one(graph, ROLE_POLICY).inputs["policy"])
    assert {sid: each["Action"] for sid, each in rights.items()} == {
        "StartPipeline": ["sagemaker:ListPipelineExecutions", "sagemaker:StartPipelineExecution"],
        "WriteLog": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "KeepUndelivered": "sqs:SendMessage",
    }
    assert rights["StartPipeline"]["Resource"] == PIPELINE
    assert rights["WriteLog"]["Resource"] == one(graph, LOG).outputs["arn"] + ":*"
    assert "adherence-cooldown-policy" in names(one(graph, FUNCTION).dependencies)


def test_undelivered_events_come_by_the_queues_policy_from_these_rules() -> None:
    """Trap 13."""
    graph = triggers(new_data=[DATA], alarm_arns=[DRIFT])
    statements = policy(one(graph, QUEUE_POLICY).inputs["policy"])
    assert statements["DenyPlainText"]["Effect"] == "Deny"
    allowed = statements["RulesSend"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert sorted(allowed["Condition"]["ArnEquals"]["aws:SourceArn"]) == sorted(
        rule.outputs["arn"] for rule in of_type(graph, RULE)
    )
    assert one(graph, QUEUE).inputs["sqsManagedSseEnabled"] is True


def test_people_hear_of_undelivered_events() -> None:
    alarm = one(triggers(schedule="0 3 * * 1", topic_arn="arn:topic"), ALARM).inputs
    assert alarm["alarmActions"] == ["arn:topic"]
    assert alarm["metricName"] == "ApproximateNumberOfMessagesVisible"


def test_long_names_leave_room_for_what_automatic_naming_adds() -> None:
    model, dataset = "m" * 40, "d" * 40
    data = NewData(dataset=dataset, bucket="data", prefix="new/")
    other = NewData(dataset=f"{dataset[:-1]}e", bucket="data", prefix="other/")
    arguments = RetrainTriggersArgs(
        pipeline_name="p",
        pipeline_arn=PIPELINE,
        schedule="0 3 * * 1",
        new_data=[data, other],
        handler=SOURCE,
        code_bucket="artifacts",
    )
    graph = capture(lambda: RetrainTriggers(f"{model}-retrain", arguments))
    for kind in (ROLE, FUNCTION, RULE, GROUP):
        assert {len(each.name) + 8 <= 64 for each in of_type(graph, kind)} == {True}
    assert len(one(graph, SCHEDULE).inputs["name"]) <= 64
    assert len(one(graph, QUEUE).name) + 8 <= 80
    assert len({each.name for each in of_type(graph, RULE)}) == 2


def test_every_role_gets_the_boundary() -> None:
    graph = triggers(schedule="0 3 * * 1", new_data=[DATA], permissions_boundary="arn:boundary")
    roles = of_type(graph, ROLE)
    assert len(roles) == 2
    assert all(role.inputs["permissionsBoundary"] == "arn:boundary" for role in roles)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({}, "starts nothing"),
        ({"new_data": [DATA], "handler": None}, "source and a bucket"),
        ({"schedule": "0 0 1 * 1"}, "at once"),
    ],
)
def test_what_cannot_work_stops_the_program(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Exception, match=complaint):
        triggers(**wrong)
