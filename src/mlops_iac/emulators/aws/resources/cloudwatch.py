"""CloudWatch alarms and dashboards, log groups."""

# ruff: noqa: RUF012  (the base class declares these tables as ClassVar)

from __future__ import annotations

from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.handler import changed, made
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value

_ARN = "arn:{partition}:cloudwatch:"


class MetricAlarm(Handler):
    """An alarm. PutMetricAlarm writes it whole."""

    type = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    create_op = update_op = "PutMetricAlarm"
    read_op, answer = "DescribeAlarms", "MetricAlarms"
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

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Described by name."""
        answer = api.look("cloudwatch", "DescribeAlarms", AlarmNames=[id_]) or {}
        for alarm in answer.get("MetricAlarms", []):
            found = self.from_answer(api, alarm)
            for empty in ("alarmActions", "okActions", "insufficientDataActions"):
                if not found.get(empty):
                    found.pop(empty, None)
            return found
        return None

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete."""
        api.look("cloudwatch", "DeleteAlarms", AlarmNames=[id_])


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
    key = "DashboardName"
    id = "{dashboardName}"
    computed = {"dashboardArn": _ARN + ":{account}:dashboard/{dashboardName}"}

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete."""
        api.look("cloudwatch", "DeleteDashboards", DashboardNames=[id_])


class LogGroup(Handler):
    """A log group. Retention has an operation of its own."""

    type = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    create_op, delete_op = "CreateLogGroup", "DeleteLogGroup"
    read_op, answer, key = "DescribeLogGroups", "logGroups", "logGroupName"
    renames = {"name": "logGroupName"}
    name = NameRule(limit=512, prefix="namePrefix")
    computed = {"arn": "arn:{partition}:logs:{region}:{account}:log-group:{name}"}
    defaults = {"logGroupClass": "STANDARD", "retentionInDays": 0, "skipDestroy": False}
    local = frozenset({"retentionInDays", "skipDestroy"})
    not_kept = frozenset({"logGroupClass", "deletionProtectionEnabled", "skipDestroy"})
    tag_style = "logs"

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Create, then set the retention."""
        id_ = super().create(api, inputs, token)
        with made(id_):
            self._retain(api, id_, inputs)
        return id_

    def _retain(self, api: Api, name: str, inputs: Properties) -> None:
        days = inputs.get("retentionInDays")
        if days:
            api.call("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=days)

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Listed by prefix."""
        answer = api.look("logs", "DescribeLogGroups", logGroupNamePrefix=id_) or {}
        for group in answer.get("logGroups", []):
            if group["logGroupName"] == id_:
                data = {**group, "arn": group["arn"].removesuffix(":*")}
                return self.from_answer(api, data)
        return None

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Retention, key and tags."""
        if changed(old.inputs, new, ["retentionInDays"]):
            if not new.get("retentionInDays"):
                api.look("logs", "DeleteRetentionPolicy", logGroupName=id_)
            self._retain(api, id_, new)
        if changed(old.inputs, new, ["kmsKeyId"]):
            key = self.sent(new).get("kmsKeyId")
            if key:
                api.call("logs", "AssociateKmsKey", logGroupName=id_, kmsKeyId=key)
            else:
                api.call("logs", "DisassociateKmsKey", logGroupName=id_)
        self.settle_tags(api, old, new)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete, unless it is to stay."""
        if state.inputs.get("skipDestroy") is not True:
            super().delete(api, id_, state)


HANDLERS: list[Handler] = [MetricAlarm(), CompositeAlarm(), Dashboard(), LogGroup()]
