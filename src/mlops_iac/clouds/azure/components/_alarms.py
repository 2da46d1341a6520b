"""Alarms on what an endpoint itself measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import monitor

from ._context import start

_EVERY, _WINDOW = "PT1M", "PT5M"
# Logs arrive minutes later than measurements.
_LOGS_EVERY, _LOGS_WINDOW = "PT5M", "PT15M"
_SEVERITY = 1  # an error, of 0 (critical) to 4 (verbose)
# What the model refused or did not answer in time arrives as 424 and 408, what was too much as 429.
# Source: azure-ai-docs, how-to-troubleshoot-online-endpoints, "HTTP status codes".
_FAILED = "status in (408, 424, 429) or status >= 500"
_QUERY = f"""\
AmlOnlineEndpointTrafficLog
| extend status = toint(ResponseCode)
| summarize calls = count(), failed = countif({_FAILED})
| where calls > 0
| project percent = 100.0 * failed / calls
"""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What must hold of an endpoint; `action_group_id` is told where it does not."""

    latency_p99_ms: pulumi.Input[float] | None = None
    error_rate_percent: pulumi.Input[float] | None = None
    action_group_id: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Watched:
    """An endpoint and where its alarms stand."""

    name: str
    endpoint_id: pulumi.Input[str]
    group: pulumi.Input[str]
    location: pulumi.Input[str]
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


def watch(at: Watched, limits: Limits, opts: pulumi.ResourceOptions) -> None:
    """An alarm for each limit that is given. That on errors reads the endpoint's log of calls."""
    told = [limits.action_group_id] if limits.action_group_id else []
    if limits.latency_p99_ms is not None:
        monitor.MetricAlert(
            f"{at.name}-latency-p99",
            resource_group_name=at.group,
            rule_name=f"{start()}-{at.name}-latency-p99",
            # Of alarms on measurements, it is the only place.
            location="global",
            description=f"the slowest of a hundred calls of {at.name} takes too long",
            enabled=True,
            severity=_SEVERITY,
            scopes=[at.endpoint_id],
            evaluation_frequency=_EVERY,
            window_size=_WINDOW,
            criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                all_of=[
                    monitor.MetricCriteriaArgs(
                        criterion_type="StaticThresholdCriterion",
                        name="latency",
                        metric_namespace="Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
                        metric_name="RequestLatency_P99",
                        operator="GreaterThan",
                        threshold=limits.latency_p99_ms,
                        time_aggregation="Average",
                        # Each deployment on its own, whatever it is called by then.
                        dimensions=[
                            monitor.MetricDimensionArgs(
                                name="deployment", operator="Include", values=["*"]
                            )
                        ],
                    )
                ],
            ),
            actions=[monitor.MetricAlertActionArgs(action_group_id=each) for each in told],
            tags=at.tags,
            opts=opts,
        )
    if limits.error_rate_percent is not None:
        monitor.ScheduledQueryRule(
            f"{at.name}-error-rate",
            resource_group_name=at.group,
            rule_name=f"{start()}-{at.name}-error-rate",
            location=at.location,
            kind="LogAlert",
            description=f"too many calls of {at.name} fail",
            enabled=True,
            severity=_SEVERITY,
            scopes=[at.endpoint_id],
            evaluation_frequency=_LOGS_EVERY,
            window_size=_LOGS_WINDOW,
            criteria=monitor.ScheduledQueryRuleCriteriaArgs(
                all_of=[
                    monitor.ConditionArgs(
                        query=_QUERY,
                        metric_measure_column="percent",
                        time_aggregation="Maximum",
                        operator="GreaterThan",
                        threshold=limits.error_rate_percent,
                        failing_periods=monitor.ConditionFailingPeriodsArgs(
                            number_of_evaluation_periods=1, min_failing_periods_to_alert=1
                        ),
                    )
                ]
            ),
            # The table is there with the first call alone.
            skip_query_validation=True,
            actions=monitor.ActionsArgs(action_groups=told),
            tags=at.tags,
            opts=opts,
        )
