"""How many instances a deployment has, by load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_azure_native import monitor

from ._context import start

Metric = Literal["requests_per_minute", "cpu_percent", "gpu_percent"]
# What measures it: of the endpoint for each deployment, or of the deployment itself.
# Source: azure-ai-docs, monitor-azure-machine-learning-reference, "Supported metrics".
_METRICS: Mapping[Metric, tuple[str, bool]] = {
    "requests_per_minute": ("RequestsPerMinute", True),
    "cpu_percent": ("CpuUtilizationPercentage", False),
    "gpu_percent": ("GpuUtilizationPercentage", False),
}
_SPACE = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
# One instance less must not bring the load above the target again.
_LOW = 0.5
_MORE = monitor.ComparisonOperationType.GREATER_THAN
_LESS = monitor.ComparisonOperationType.LESS_THAN


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """`min` to `max` instances, each kept at `value` of a `metric`; none is added without one."""

    min: int = 1
    max: int = 1
    metric: Metric | None = None
    value: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.min <= self.max:
            raise ValueError(f"{self.min} to {self.max} instances: at least one stays, and no more")
        if (self.metric is None) != (self.value is None):
            raise ValueError("scaling takes a metric and what it is kept at")


@dataclass(frozen=True, kw_only=True)
class Scaled:
    """A deployment by its id and name, and the id of its endpoint."""

    name: str
    deployment: str
    deployment_id: pulumi.Input[str]
    endpoint_id: pulumi.Input[str]
    group: pulumi.Input[str]
    location: pulumi.Input[str]
    tags: Mapping[str, pulumi.Input[str]]


def scale(at: Scaled, scaling: Scaling, opts: pulumi.ResourceOptions) -> None:
    """A rule to add and one to take away, where there is anything to scale."""
    if scaling.metric is None or scaling.value is None or scaling.max == scaling.min:
        return
    value = scaling.value
    monitor.AutoscaleSetting(
        f"{at.name}-scaling",
        resource_group_name=at.group,
        autoscale_setting_name=f"{start()}-{at.name}",
        location=at.location,
        enabled=True,
        target_resource_uri=at.deployment_id,
        profiles=[
            monitor.AutoscaleProfileArgs(
                name="load",
                capacity=monitor.ScaleCapacityArgs(
                    default=str(scaling.min), minimum=str(scaling.min), maximum=str(scaling.max)
                ),
                rules=[
                    _rule(at, scaling.metric, _MORE, value, monitor.ScaleDirection.INCREASE),
                    _rule(at, scaling.metric, _LESS, _LOW * value, monitor.ScaleDirection.DECREASE),
                ],
            )
        ],
        tags=at.tags,
        opts=opts,
    )


def _rule(
    at: Scaled,
    metric: Metric,
    operator: monitor.ComparisonOperationType,
    value: float,
    direction: monitor.ScaleDirection,
) -> monitor.ScaleRuleArgs:
    name, of_endpoint = _METRICS[metric]
    return monitor.ScaleRuleArgs(
        metric_trigger=monitor.MetricTriggerArgs(
            metric_name=name,
            metric_namespace=_SPACE if of_endpoint else f"{_SPACE}/deployments",
            metric_resource_uri=at.endpoint_id if of_endpoint else at.deployment_id,
            dimensions=[
                monitor.ScaleRuleMetricDimensionArgs(
                    dimension_name="deployment", operator="Equals", values=[at.deployment]
                )
            ]
            if of_endpoint
            else [],
            divide_per_instance=of_endpoint,
            statistic=monitor.MetricStatisticType.AVERAGE,
            time_aggregation=monitor.TimeAggregationType.AVERAGE,
            time_grain="PT1M",
            time_window="PT5M",
            operator=operator,
            threshold=value,
        ),
        scale_action=monitor.ScaleActionArgs(
            type=monitor.ScaleType.CHANGE_COUNT, direction=direction, value="1", cooldown="PT5M"
        ),
    )
