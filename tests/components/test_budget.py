"""The monthly budget."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.clouds.aws.components.budget import Budget, BudgetArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, one, types

BUDGET = "aws:budgets/budget:Budget"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"


def graph(**args: Any) -> list[Resource]:
    given = {"monthly_usd": 300, "tag_key": "project", "tag_value": "churn", **args}
    return capture(lambda: Budget("budget", BudgetArgs(**given)))


def test_the_whole_budget() -> None:
    found = graph(topic_arn=TOPIC, alert_percent=[80], tags={"a": "b"})
    assert types(found) == {"mlops-iac:aws:Budget": 1, BUDGET: 1}
    assert one(found, BUDGET).inputs == {
        "budgetType": "COST",
        "timeUnit": "MONTHLY",
        "limitAmount": "300.0",
        "limitUnit": "USD",
        "costFilters": [{"name": "TagKeyValue", "values": ["user:project$churn"]}],
        "notifications": [
            {
                "comparisonOperator": "GREATER_THAN",
                "notificationType": "ACTUAL",
                "threshold": 80,
                "thresholdType": "PERCENTAGE",
                "subscriberSnsTopicArns": [TOPIC],
            },
            {
                "comparisonOperator": "GREATER_THAN",
                "notificationType": "FORECASTED",
                "threshold": 100,
                "thresholdType": "PERCENTAGE",
                "subscriberSnsTopicArns": [TOPIC],
            },
        ],
        "tags": {"a": "b"},
    }
    assert one(found, BUDGET).parent == one(found, "mlops-iac:aws:Budget").urn


def test_the_start_is_left_to_the_service() -> None:
    assert "timePeriodStart" not in one(graph(topic_arn=TOPIC), BUDGET).inputs


def test_addresses_without_a_topic() -> None:
    notifications = one(graph(emails=["a@acme.example"]), BUDGET).inputs["notifications"]
    assert [each["threshold"] for each in notifications] == [80, 100, 100]
    assert all("subscriberSnsTopicArns" not in each for each in notifications)
    assert all(each["subscriberEmailAddresses"] == ["a@acme.example"] for each in notifications)


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"topic_arn": TOPIC, "alert_percent": list(range(1, 11))},
        {"emails": [f"{n}@acme.example" for n in range(11)]},
    ],
)
def test_what_tells_nobody_or_too_many_is_refused(args: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="budget"):
        graph(**args)
