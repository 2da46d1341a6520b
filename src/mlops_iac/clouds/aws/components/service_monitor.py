"""What tells people how an endpoint does: alarms by variant, and a dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from ._alarms import error_rate_alarm, latency_alarm, utilization_alarm
from ._context import Context
from ._definitions import fill
from ._naming import truncate

_DASHBOARD_LIMIT = 255  # not in botocore's model; an endpoint's name is far below it


@dataclass(frozen=True)
class ServiceMonitorArgs:
    """Limits of an endpoint. An alarm exists for each limit that is set, per variant.

    `endpoint_name` is the literal name; the endpoint need not exist yet. `dashboard` is the text
    of a definition file with the placeholders `${endpoint_name}` and `${region}`.
    """

    endpoint_name: str
    variants: Sequence[str]
    latency_p99_ms: pulumi.Input[float] | None = None
    error_rate_percent: pulumi.Input[float] | None = None
    cpu_percent: pulumi.Input[float] | None = None
    memory_percent: pulumi.Input[float] | None = None
    topic_arn: pulumi.Input[str] | None = None
    dashboard: str | None = None
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class ServiceMonitor(pulumi.ComponentResource):
    """`alarm_names` and `alarm_arns` by limit (`latency_p99_ms`), one per variant, in order."""

    alarm_names: dict[str, list[pulumi.Output[str]]]
    alarm_arns: dict[str, list[pulumi.Output[str]]]
    dashboard_name: pulumi.Output[str] | None

    def __init__(
        self, name: str, args: ServiceMonitorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:ServiceMonitor", name, None, opts)
        alarms: dict[str, list[aws.cloudwatch.MetricAlarm]] = {}
        for variant in args.variants:
            for limit, alarm in _alarms(self, name, variant, args):
                alarms.setdefault(limit, []).append(alarm)
        self.alarm_names = {limit: [each.name for each in made] for limit, made in alarms.items()}
        self.alarm_arns = {limit: [each.arn for each in made] for limit, made in alarms.items()}
        self.dashboard_name = None
        if args.dashboard is not None:
            values: dict[str, pulumi.Input[str]] = {
                "endpoint_name": args.endpoint_name,
                "region": Context(self).region,
            }
            dashboard = aws.cloudwatch.Dashboard(
                f"{name}-dashboard",
                dashboard_name=truncate(args.endpoint_name, _DASHBOARD_LIMIT),
                dashboard_body=fill(args.dashboard, values),
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.dashboard_name = dashboard.dashboard_name
        self.register_outputs(
            {"alarmNames": self.alarm_names, "dashboardName": self.dashboard_name}
        )


def _alarms(
    parent: ServiceMonitor, name: str, variant: str, args: ServiceMonitorArgs
) -> list[tuple[str, aws.cloudwatch.MetricAlarm]]:
    opts = pulumi.ResourceOptions(parent=parent)
    actions = [] if args.topic_arn is None else [args.topic_arn]
    made: list[tuple[str, aws.cloudwatch.MetricAlarm]] = []
    if args.latency_p99_ms is not None:
        alarm = latency_alarm(
            f"{name}-{variant}-latency",
            endpoint_name=args.endpoint_name,
            variant_name=variant,
            p99_ms=args.latency_p99_ms,
            actions=actions,
            tags=args.tags,
            opts=opts,
        )
        made.append(("latency_p99_ms", alarm))
    if args.error_rate_percent is not None:
        alarm = error_rate_alarm(
            f"{name}-{variant}-errors",
            endpoint_name=args.endpoint_name,
            variant_name=variant,
            percent=args.error_rate_percent,
            actions=actions,
            tags=args.tags,
            opts=opts,
        )
        made.append(("error_rate_percent", alarm))
    for limit, metric, percent in (
        ("cpu_percent", "CPUUtilization", args.cpu_percent),
        ("memory_percent", "MemoryUtilization", args.memory_percent),
    ):
        if percent is not None:
            short = limit.removesuffix("_percent")
            alarm = utilization_alarm(
                f"{name}-{variant}-{short}",
                endpoint_name=args.endpoint_name,
                variant_name=variant,
                metric_name=metric,
                percent=percent,
                metric=short,
                actions=actions,
                tags=args.tags,
                opts=opts,
            )
            made.append((limit, alarm))
    return made
