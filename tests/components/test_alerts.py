"""The alert topic."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.clouds.aws.components.alerts import Alerts, AlertsArgs
from mlops_iac.clouds.aws.components.budget import Budget, BudgetArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, names, one, policy, types

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
TOPIC = "aws:sns/topic:Topic"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
QUEUE = "aws:sqs/queue:Queue"


def graph(**args: Any) -> list[Resource]:
    return capture(lambda: Alerts("alerts", AlertsArgs(**args)))


def test_topic_policy_and_subscriptions() -> None:
    found = graph(key_arn=KEY, emails={"oncall": "oncall@acme.example"}, tags={"a": "b"})
    assert types(found) == {
        "mlops-iac:aws:Alerts": 1,
        ALARM: 1,
        QUEUE: 1,
        "aws:sqs/queuePolicy:QueuePolicy": 1,
        TOPIC: 1,
        "aws:sns/topicPolicy:TopicPolicy": 1,
        "aws:sns/topicSubscription:TopicSubscription": 1,
    }
    assert one(found, TOPIC).inputs == {"kmsMasterKeyId": KEY, "tags": {"a": "b"}}
    arn = "arn:aws:sns:eu-west-1:123456789012:alerts-topic-1a2b3c4"
    assert one(found, "aws:sns/topicSubscription:TopicSubscription").inputs == {
        "topic": arn,
        "protocol": "email",
        "endpoint": "oncall@acme.example",
    }


def test_the_policy_keeps_the_owner_and_admits_publishers_of_this_account() -> None:
    found = graph(key_arn=KEY, publishers=["cloudwatch", "events"])
    statements = policy(one(found, "aws:sns/topicPolicy:TopicPolicy").inputs["policy"])
    assert set(statements) == {"Owner", "CloudwatchPublishes", "EventsPublishes"}
    assert statements["Owner"]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert "sns:SetTopicAttributes" in statements["Owner"]["Action"]
    assert {statements[name]["Action"] for name in statements if name != "Owner"} == {"sns:Publish"}
    assert statements["CloudwatchPublishes"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"}
    }
    # EventBridge sends no source here: with a condition, what it tells would vanish.
    assert "Condition" not in statements["EventsPublishes"]


def test_an_event_that_does_not_reach_the_topic_is_kept_and_told_by_another_way() -> None:
    found = graph(key_arn=KEY)
    queue, alarm = one(found, QUEUE), one(found, ALARM)
    statements = policy(one(found, "aws:sqs/queuePolicy:QueuePolicy").inputs["policy"])
    assert statements["RulesSend"]["Principal"] == {"Service": "events.amazonaws.com"}
    assert statements["RulesSend"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"}
    }
    assert queue.inputs["sqsManagedSseEnabled"] is True
    assert alarm.inputs["dimensions"] == {"QueueName": queue.outputs["name"]}
    assert alarm.inputs["alarmActions"] == [one(found, TOPIC).outputs["arn"]]


def test_publishers_wait_for_the_policy() -> None:
    def program() -> None:
        alerts = Alerts("alerts", AlertsArgs(key_arn=KEY))
        Budget("budget", BudgetArgs(1, "project", "x", topic_arn=alerts.topic_arn))

    budget = one(capture(program), "aws:budgets/budget:Budget")
    assert "alerts-topic-policy" in names(budget.dependencies)


def test_without_a_customer_key_it_is_refused() -> None:
    with pytest.raises(ValueError, match="customer key"):
        graph(key_arn=None)
