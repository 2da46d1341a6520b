"""What tells people how an endpoint does: alarms by variant, and a dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from ._alarms import variant_alarm
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
) -> Iterator[tuple[str, aws.cloudwatch.MetricAlarm]]:
    for limit, short, at_most in (
        ("latency_p99_ms", "latency", args.latency_p99_ms),
        ("error_rate_percent", "errors", args.error_rate_percent),
        ("cpu_percent", "cpu", args.cpu_percent),
        ("memory_percent", "memory", args.memory_percent),
    ):
        if at_most is not None:
            yield (
                limit,
                variant_alarm(
                    f"{name}-{variant}-{short}",
                    limit,
                    at_most,
                    endpoint_name=args.endpoint_name,
                    variant_name=variant,
                    actions=[] if args.topic_arn is None else [args.topic_arn],
                    tags=args.tags,
                    opts=pulumi.ResourceOptions(parent=parent),
                ),
            )
