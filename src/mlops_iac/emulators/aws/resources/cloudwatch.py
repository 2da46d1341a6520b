"""CloudWatch alarms and dashboards, log groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler, Part
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value

_ARN = "arn:{partition}:cloudwatch:"


class MetricAlarm(Handler):
    """An alarm. PutMetricAlarm writes it whole."""

    type = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    create_op = update_op = "PutMetricAlarm"
    read_op, answer, delete_op = "DescribeAlarms", "MetricAlarms", "DeleteAlarms"
    key = {"AlarmName": "name"}
    renames = {
        "name": "AlarmName",
        "arn": "AlarmArn",
        "metricQueries": "Metrics",
        "metricQueries.metric": "MetricStat",
        "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    }
    name = NameRule(limit=255)
    computed = {"arn": _ARN + "{region}:{account}:alarm:{name}"}
    defaults = {
        "actionsEnabled": True,
        "treatMissingData": "missing",
        "evaluateLowSampleCountPercentiles": "",
    }
    tag_style = "cloudwatch"

    def sent(self, inputs: Properties, *more: str) -> dict[str, Value]:
        """A query's metric stands inside MetricStat."""
        found = super().sent(inputs, *more)
        queries = found.get("metricQueries")
        if queries:
            found["metricQueries"] = [_query(query) for query in queries]
        return found

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """Actions that there are none of are not written."""
        found = super().from_answer(api, data) or {}
        return {key: value for key, value in found.items() if value or not key.endswith("Actions")}


def _query(query: Any) -> dict[str, Any]:
    """Pulumi's `metric` block has the metric and its statistic in one."""
    rest = dict(query)
    metric = rest.pop("metric", None)
    if metric:
        inner = {k: v for k, v in metric.items() if k in ("metricName", "namespace", "dimensions")}
        outer = {k: v for k, v in metric.items() if k not in inner}
        rest["metricStat"] = {"metric": inner, **outer}
    return rest


class CompositeAlarm(Handler):
    """An alarm over alarms. moto has none: checked against the API model and recorded."""

    type = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
    service = "cloudwatch"
    create_op = update_op = "PutCompositeAlarm"
    id = "{alarmName}"
    computed = {"arn": _ARN + "{region}:{account}:alarm:{alarmName}"}
    defaults = {"actionsEnabled": True}
    recorded = True


class Dashboard(Handler):
    """A dashboard. Its id is its name."""

    type = "aws:cloudwatch/dashboard:Dashboard"
    service = "cloudwatch"
    create_op = update_op = "PutDashboard"
    read_op = "GetDashboard"
    delete_op, key = "DeleteDashboards", {"DashboardName": "dashboardName"}
    id = "{dashboardName}"
    computed = {"dashboardArn": _ARN + ":{account}:dashboard/{dashboardName}"}


class LogGroup(Handler):
    """A log group. Retention has an operation of its own."""

    type = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    create_op, delete_op = "CreateLogGroup", "DeleteLogGroup"
    read_op, answer = "DescribeLogGroups", "logGroups"
    key = {"logGroupName": "name"}
    renames = {"name": "logGroupName"}
    name = NameRule(limit=512, prefix="namePrefix")
    computed = {"arn": "arn:{partition}:logs:{region}:{account}:log-group:{name}"}
    defaults = {"logGroupClass": "STANDARD", "retentionInDays": 0, "skipDestroy": False}
    local = frozenset({"retentionInDays", "skipDestroy"})
    not_kept = frozenset({"logGroupClass", "deletionProtectionEnabled", "skipDestroy"})
    tag_style = "logs"
    parts = (
        Part(["retentionInDays"], "PutRetentionPolicy", "DeleteRetentionPolicy"),
        Part(["kmsKeyId"], "AssociateKmsKey", "DisassociateKmsKey"),
    )

    def where(self, operation: str, id_: str, known: Properties) -> dict[str, Any]:
        """Listed by prefix."""
        if operation == self.read_op:
            return {"logGroupNamePrefix": id_}
        return super().where(operation, id_, known)

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """What is listed ends in a wildcard."""
        return super().from_answer(api, {**data, "arn": data["arn"].removesuffix(":*")})

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete, unless it is to stay."""
        if state.inputs.get("skipDestroy") is not True:
            super().delete(api, id_, state)


HANDLERS: list[Handler] = [MetricAlarm(), CompositeAlarm(), Dashboard(), LogGroup()]
