"""Alarms over one variant of an endpoint: for rollbacks and for people.

Metrics, namespaces, dimensions and units: Amazon SageMaker developer guide, "Monitor Amazon
SageMaker AI with Amazon CloudWatch" (ModelLatency in microseconds; Invocation5XXErrors is 0 or 1
per invocation, so that its average is the error rate). Few samples: CloudWatch user guide,
"Percentile-based CloudWatch alarms and low data samples"; a p99 takes 1,000 of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from ._naming import alarm_name

_CALLS = "AWS/SageMaker"
_MACHINES = "/aws/sagemaker/Endpoints"
_MANY = "is short of capacity"
_HOUR = 3600


@dataclass(frozen=True)
class _Limit:
    """What a limit is held to; `unit` makes CloudWatch's unit of the limit's."""

    namespace: str
    metric: str
    ending: str  # of the alarm's physical name
    fails: str
    unit: Callable[[float], float] = lambda percent: percent
    percentile: str | None = None


_LIMITS: Mapping[str, _Limit] = {
    "latency_p99_ms": _Limit(
        _CALLS,
        "ModelLatency",
        "latency-p99",
        "is slow at the 99th percentile",
        lambda milliseconds: milliseconds * 1000,
        "p99",
    ),
    "error_rate_percent": _Limit(
        _CALLS,
        "Invocation5XXErrors",
        "error-rate",
        "answers with server errors",
        lambda percent: percent / 100,
    ),
    "cpu_percent": _Limit(_MACHINES, "CPUUtilization", "cpu", f"{_MANY} (cpu)"),
    "memory_percent": _Limit(_MACHINES, "MemoryUtilization", "memory", f"{_MANY} (memory)"),
}


def variant_alarm(
    name: str,
    limit: str,
    at_most: pulumi.Input[float],
    *,
    endpoint_name: str,
    variant_name: str,
    opts: pulumi.ResourceOptions,
    evaluation_periods: int = 5,
    datapoints: int = 3,
    actions: Sequence[pulumi.Input[str]] = (),
    tags: Mapping[str, pulumi.Input[str]] | None = None,
    start: str = "",
) -> aws.cloudwatch.MetricAlarm:
    """An alarm on what a variant does above a limit, as `ServiceMonitorArgs` has them.

    Where there are too few calls for a percentile it keeps the state it has: a single slow call on
    a quiet endpoint neither pages nor rolls back. `start` begins the last part of the physical
    name: `alarm_name(endpoint_name, variant_name, "rollback-error-rate")`.
    """
    found = _LIMITS[limit]
    return aws.cloudwatch.MetricAlarm(
        name,
        name=alarm_name(endpoint_name, variant_name, start + found.ending),
        alarm_description=f"{variant_name} of {endpoint_name} {found.fails}",
        namespace=found.namespace,
        metric_name=found.metric,
        dimensions={"EndpointName": endpoint_name, "VariantName": variant_name},
        statistic=None if found.percentile else "Average",
        extended_statistic=found.percentile,
        threshold=pulumi.Output.from_input(at_most).apply(found.unit),
        comparison_operator="GreaterThanThreshold",
        period=60,
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=datapoints,
        evaluate_low_sample_count_percentiles="ignore" if found.percentile else None,
        # No traffic is no failure: a quiet endpoint must neither page nor roll back.
        treat_missing_data="notBreaching",
        alarm_actions=list(actions),
        ok_actions=list(actions),
        tags=tags,
        opts=opts,
    )


def failing_alarm(
    name: str,
    function: aws.lambda_.Function,
    *,
    topic_arn: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
    tags: Mapping[str, pulumi.Input[str]] | None = None,
) -> aws.cloudwatch.MetricAlarm:
    """An alarm on any failed run of a function.

    Source: Lambda developer guide, "Types of metrics for Lambda functions" (Errors).
    """
    return _any_alarm(
        name,
        ("AWS/Lambda", "Errors", "Sum"),
        dimensions={"FunctionName": function.name},
        description=pulumi.Output.concat("The function ", function.name, " fails; see its log"),
        topic_arn=topic_arn,
        tags=tags,
        opts=opts,
    )


def undelivered_alarm(
    name: str,
    queue: aws.sqs.Queue,
    *,
    description: str,
    topic_arn: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
    tags: Mapping[str, pulumi.Input[str]] | None = None,
) -> aws.cloudwatch.MetricAlarm:
    """An alarm on anything that lies in a queue of what could not be delivered."""
    return _any_alarm(
        name,
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
        dimensions={"QueueName": queue.name},
        description=description,
        topic_arn=topic_arn,
        tags=tags,
        opts=opts,
    )


def late_alarm(
    name: str,
    *,
    metric: tuple[str, str],
    dimensions: Mapping[str, pulumi.Input[str]],
    seconds: pulumi.Input[int],
    description: str,
    opts: pulumi.ResourceOptions,
    actions: Sequence[pulumi.Input[str]] = (),
    tags: Mapping[str, pulumi.Input[str]] | None = None,
) -> aws.cloudwatch.MetricAlarm:
    """An alarm on a metric (namespace and name) that counts nothing for `seconds`.

    Source: CloudWatch API reference, PutMetricAlarm: all periods together are a day at most, or
    seven where each is an hour or longer.
    """
    namespace, metric_name = metric
    late = pulumi.Output.from_input(seconds)
    period = late.apply(lambda value: 60 if value < _HOUR else _HOUR)
    periods = late.apply(lambda value: -(-value // (60 if value < _HOUR else _HOUR)))
    return aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=description,
        namespace=namespace,
        metric_name=metric_name,
        dimensions=dimensions,
        statistic="Sum",
        threshold=1,
        comparison_operator="LessThanThreshold",
        period=period,
        evaluation_periods=periods,
        datapoints_to_alarm=periods,
        # Nothing at all is what it waits for.
        treat_missing_data="breaching",
        alarm_actions=list(actions),
        ok_actions=list(actions),
        tags=tags,
        opts=opts,
    )


def measured_alarm(
    name: str,
    metric: tuple[str, str],
    *,
    endpoint_name: str,
    variant_name: str,
    opts: pulumi.ResourceOptions,
    at_least: pulumi.Input[float] | None = None,
    at_most: pulumi.Input[float] | None = None,
    actions: Sequence[pulumi.Input[str]] = (),
    tags: Mapping[str, pulumi.Input[str]] | None = None,
) -> aws.cloudwatch.MetricAlarm:
    """An alarm on a metric (namespace and name) of a variant that is measured now and then.

    One measurement beyond the limit is enough. Between two, and where there was no data, it keeps the
    state it has: it neither pages again nor calls a breach mended.
    """
    namespace, metric_name = metric
    least = at_least is not None
    return aws.cloudwatch.MetricAlarm(
        name,
        name=alarm_name(endpoint_name, variant_name, metric_name.replace("_", "-")),
        alarm_description=f"{metric_name} of {variant_name} of {endpoint_name} breaks its limit;"
        " the report of its monitoring says where",
        namespace=namespace,
        metric_name=metric_name,
        dimensions={"EndpointName": endpoint_name, "VariantName": variant_name},
        statistic="Minimum" if least else "Maximum",
        threshold=at_least if least else at_most,
        comparison_operator="LessThanThreshold" if least else "GreaterThanThreshold",
        period=300,
        evaluation_periods=1,
        treat_missing_data="ignore",
        alarm_actions=list(actions),
        ok_actions=list(actions),
        tags=tags,
        opts=opts,
    )


def _any_alarm(
    name: str,
    metric: tuple[str, str, str],
    *,
    dimensions: Mapping[str, pulumi.Input[str]],
    description: pulumi.Input[str],
    topic_arn: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
    tags: Mapping[str, pulumi.Input[str]] | None,
) -> aws.cloudwatch.MetricAlarm:
    """An alarm on anything above zero of a metric: its namespace, name and statistic."""
    namespace, metric_name, statistic = metric
    return aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=description,
        namespace=namespace,
        metric_name=metric_name,
        dimensions=dimensions,
        statistic=statistic,
        threshold=0,
        comparison_operator="GreaterThanThreshold",
        period=300,
        evaluation_periods=1,
        treat_missing_data="notBreaching",
        alarm_actions=[topic_arn],
        tags=tags,
        opts=opts,
    )
