"""Application Auto Scaling and Budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value

_SCALED = ("serviceNamespace", "scalableDimension", "resourceId")


class Target(Handler):
    """A scalable target. Its id is the resource's."""

    type = "aws:appautoscaling/target:Target"
    service = "application-autoscaling"
    create_op = update_op = "RegisterScalableTarget"
    delete_op = "DeregisterScalableTarget"
    read_op, answer = "DescribeScalableTargets", "ScalableTargets"
    key = {name[0].upper() + name[1:]: name for name in _SCALED}
    id = "{resourceId}"
    renames = {"arn": "ScalableTargetARN", "roleArn": "RoleARN"}
    computed = {
        "arn": "arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/{}",
        "roleArn": "arn:{partition}:iam::{account}:role/aws-service-role/{}",
    }
    # moto lists no tags of scalable targets.
    not_kept = frozenset({"tags", "suspendedState"})

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Register again; tags go by their own operation, which moto lacks."""
        sent = self.sent(new, "tags")
        parameters = api.params(self.service, self.update_op, sent, self.renames)
        api.call(self.service, self.update_op, **parameters)


class Policy(Handler):
    """A scaling policy. Its id is its name."""

    type = "aws:appautoscaling/policy:Policy"
    service = "application-autoscaling"
    create_op = update_op = "PutScalingPolicy"
    delete_op = "DeleteScalingPolicy"
    read_op, answer = "DescribeScalingPolicies", "ScalingPolicies"
    key = {**Target.key, "PolicyName": "name"}
    renames = {"name": "PolicyName", "arn": "PolicyARN"}
    name = NameRule(limit=255)
    computed = {
        "arn": (
            "arn:{partition}:autoscaling:{region}:{account}:scalingPolicy:{}:resource/"
            "{serviceNamespace}/{resourceId}:policyName/{name}"
        ),
        "alarmArns": "",
    }
    defaults = {"policyType": "StepScaling", "alarmArns": []}

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """With the alarms that it made."""
        alarms = [alarm["AlarmARN"] for alarm in data.get("Alarms", [])]
        return {**(super().from_answer(api, data) or {}), "alarmArns": alarms}


class Budget(Handler):
    """A budget. Its id is `account:name`.

    moto has no UpdateBudget: an update checks that request, then deletes and creates the budget.
    Subscribers and tags are checked and sent, and moto does not give them back.
    """

    type = "aws:budgets/budget:Budget"
    service = "budgets"
    create_op, read_op, delete_op = "CreateBudget", "DescribeBudget", "DeleteBudget"
    answer, key = "Budget", {"AccountId": "accountId", "BudgetName": "name"}
    id = "{accountId}:{name}"
    name = NameRule(limit=100, prefix="namePrefix")
    renames = {"name": "BudgetName"}
    computed = {"arn": "arn:{partition}:budgets::{account}:budget/{name}", "accountId": "{account}"}
    not_kept = frozenset({"notifications", "tags", "timePeriodStart", "timePeriodEnd"})

    def id_of(self, outputs: Properties) -> str:
        """Account and name; the account is the emulator's only one."""
        return super().id_of({"accountId": "123456789012", **outputs})

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """With its notifications."""
        sent = self.sent(inputs, "accountId")
        notifications = [_notification(n) for n in sent.pop("notifications", None) or []]
        tags = sent.pop("tags", None) or {}
        request: dict[str, Any] = {
            "AccountId": api.place.account,
            "Budget": self._budget(api, sent),
            "NotificationsWithSubscribers": notifications,
            "ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        return {key: value for key, value in request.items() if value}

    def _budget(self, api: Api, sent: dict[str, Value]) -> dict[str, Any]:
        amount, unit = sent.pop("limitAmount", None), sent.pop("limitUnit", None)
        start, end = sent.pop("timePeriodStart", None), sent.pop("timePeriodEnd", None)
        filters = sent.pop("costFilters", None) or []
        body = api.part("budgets", "Budget", sent, self.renames)
        if amount is not None:
            body["BudgetLimit"] = {"Amount": str(amount), "Unit": unit}
        if filters:
            body["CostFilters"] = {entry["name"]: list(entry["values"]) for entry in filters}
        period = {"Start": _moment(start), "End": _moment(end)}
        if start or end:
            body["TimePeriod"] = {key: value for key, value in period.items() if value}
        return body

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """What stands deeper in the API than here."""
        fields = {k: v for k, v in self.schema.outputs.items() if k not in _BUDGET_OWN}
        found = api.properties("budgets", "Budget", data, fields, self.renames)
        limit = data.get("BudgetLimit")
        if limit:
            found.update(limitAmount=limit["Amount"], limitUnit=limit["Unit"])
        filters = data.get("CostFilters") or {}
        if filters:
            found["costFilters"] = [{"name": k, "values": v} for k, v in filters.items()]
        return found

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Check UpdateBudget; put the budget up again."""
        sent = self.sent(new, "accountId", "notifications", "tags")
        request = {"AccountId": api.place.account, "NewBudget": self._budget(api, sent)}
        api.check("budgets", "UpdateBudget", request)
        self.delete(api, id_, old)
        self.create(api, new, "")


_BUDGET_OWN = {"limitAmount", "limitUnit", "costFilters", "timePeriodStart", "timePeriodEnd",
               "notifications", "tags", "tagsAll", "accountId"}  # fmt: skip


def _moment(text: Any) -> Any:
    """`2026-01-31_00:00`, the provider's own way to write a moment in UTC."""
    from datetime import UTC, datetime

    return datetime.strptime(str(text), "%Y-%m-%d_%H:%M").replace(tzinfo=UTC) if text else None


def _notification(entry: dict[str, Any]) -> dict[str, Any]:
    """A notification with its subscribers."""
    mails = entry.get("subscriberEmailAddresses") or []
    topics = entry.get("subscriberSnsTopicArns") or []
    return {
        "Notification": {
            "NotificationType": entry["notificationType"],
            "ComparisonOperator": entry["comparisonOperator"],
            "Threshold": float(entry["threshold"]),
            "ThresholdType": entry["thresholdType"],
        },
        "Subscribers": [
            *({"SubscriptionType": "EMAIL", "Address": mail} for mail in mails),
            *({"SubscriptionType": "SNS", "Address": topic} for topic in topics),
        ],
    }


HANDLERS: list[Handler] = [Target(), Policy(), Budget()]
