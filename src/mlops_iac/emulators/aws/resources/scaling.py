"""Application Auto Scaling and Budgets."""

# ruff: noqa: RUF012  (the base class declares these tables as ClassVar)

from __future__ import annotations

from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value


class Target(Handler):
    """A scalable target. Its id is the resource's."""

    type = "aws:appautoscaling/target:Target"
    service = "application-autoscaling"
    create_op = update_op = "RegisterScalableTarget"
    read_op, answer = "DescribeScalableTargets", "ScalableTargets"
    id = "{resourceId}"
    renames = {"arn": "ScalableTargetARN", "roleArn": "RoleARN"}
    computed = {
        "arn": "arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/{}",
        "roleArn": "arn:{partition}:iam::{account}:role/aws-service-role/{}",
    }
    # moto lists no tags of scalable targets.
    not_kept = frozenset({"tags", "suspendedState"})

    def _key(self, known: Properties) -> dict[str, Any]:
        names = ("serviceNamespace", "scalableDimension", "resourceId")
        service, dimension, resource = (known[name] for name in names)
        return {
            "ServiceNamespace": service,
            "ScalableDimension": dimension,
            "ResourceId": resource,
        }

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Listed by resource and dimension."""
        key = self._key(known)
        ids = [key.pop("ResourceId")]
        answer = api.look(self.service, self.read_op, **key, ResourceIds=ids) or {}
        for target in answer.get("ScalableTargets", []):
            return self.from_answer(api, target)
        return None

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Register again; tags go by their own operation, which moto lacks."""
        sent = self.sent(new, "tags")
        parameters = api.params(self.service, self.update_op, sent, self.renames)
        api.call(self.service, self.update_op, **parameters)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Deregister."""
        api.look(self.service, "DeregisterScalableTarget", **self._key(state.inputs))


class Policy(Handler):
    """A scaling policy. Its id is its name."""

    type = "aws:appautoscaling/policy:Policy"
    service = "application-autoscaling"
    create_op = update_op = "PutScalingPolicy"
    read_op, answer = "DescribeScalingPolicies", "ScalingPolicies"
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

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Listed by resource, dimension and name."""
        answer = api.look(
            self.service,
            self.read_op,
            ServiceNamespace=known["serviceNamespace"],
            ScalableDimension=known["scalableDimension"],
            ResourceId=known["resourceId"],
            PolicyNames=[id_],
        )
        for policy in (answer or {}).get("ScalingPolicies", []):
            if policy["PolicyName"] == id_:
                alarms = [alarm["AlarmARN"] for alarm in policy.get("Alarms", [])]
                return {**self.from_answer(api, policy), "alarmArns": alarms}
        return None

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete."""
        api.look(
            self.service,
            "DeleteScalingPolicy",
            PolicyName=id_,
            ServiceNamespace=state.inputs["serviceNamespace"],
            ScalableDimension=state.inputs["scalableDimension"],
            ResourceId=state.inputs["resourceId"],
        )


class Budget(Handler):
    """A budget. Its id is `account:name`.

    moto has no UpdateBudget: an update checks that request, then deletes and creates the budget.
    Subscribers and tags are checked and sent, and moto does not give them back.
    """

    type = "aws:budgets/budget:Budget"
    service = "budgets"
    create_op = "CreateBudget"
    name = NameRule(limit=100, prefix="namePrefix")
    renames = {"name": "BudgetName"}
    computed = {"arn": "arn:{partition}:budgets::{account}:budget/{name}", "accountId": "{account}"}
    not_kept = frozenset({"notifications", "tags", "timePeriodStart", "timePeriodEnd"})

    def id_of(self, outputs: Properties) -> str:
        """Account and name; the account is the emulator's only one."""
        return f"{outputs.get('accountId') or '123456789012'}:{outputs['name']}"

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Create with its notifications."""
        sent = self.sent(inputs, "accountId")
        notifications = [_notification(n) for n in sent.pop("notifications", None) or []]
        tags = sent.pop("tags", None) or {}
        request: dict[str, Any] = {
            "AccountId": api.place.account,
            "Budget": self._budget(api, sent),
            "NotificationsWithSubscribers": notifications,
            "ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        api.call("budgets", "CreateBudget", **{k: v for k, v in request.items() if v})
        return f"{api.place.account}:{inputs['name']}"

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

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Described by name."""
        account, name = id_.split(":", 1)
        answer = api.look("budgets", "DescribeBudget", AccountId=account, BudgetName=name)
        if answer is None:
            return None
        budget = answer["Budget"]
        fields = {k: v for k, v in self.schema.outputs.items() if k not in _BUDGET_OWN}
        found = api.properties("budgets", "Budget", budget, fields, self.renames)
        limit = budget.get("BudgetLimit")
        if limit:
            found.update(limitAmount=limit["Amount"], limitUnit=limit["Unit"])
        filters = budget.get("CostFilters") or {}
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

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete."""
        account, name = id_.split(":", 1)
        api.look("budgets", "DeleteBudget", AccountId=account, BudgetName=name)


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
