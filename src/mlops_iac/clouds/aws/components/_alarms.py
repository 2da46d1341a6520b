"""Alarms over one variant of an endpoint: for rollbacks and for people.

Metrics, namespaces, dimensions and units: Amazon SageMaker developer guide, "Monitor Amazon
SageMaker AI with Amazon CloudWatch" (ModelLatency in microseconds; Invocation5XXErrors is 0 or 1
per invocation, so that its average is the error rate). Few samples: CloudWatch user guide,
"Percentile-based CloudWatch alarms and low data samples"; a p99 takes 1,000 of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from ._naming import alarm_name

INVOCATIONS = "AWS/SageMaker"
INSTANCES = "/aws/sagemaker/Endpoints"
_HOUR = 3600


def error_rate_alarm(
    name: str,
    *,
    endpoint_name: str,
    variant_name: str,
    percent: pulumi.Input[float],
    opts: pulumi.ResourceOptions,
    period_seconds: int = 60,
    evaluation_periods: int = 5,
    datapoints: int = 3,
    actions: Sequence[pulumi.Input[str]] = (),
    tags: Mapping[str, pulumi.Input[str]] | None = None,
    metric: str = "error-rate",
) -> aws.cloudwatch.MetricAlarm:
    """An alarm on the share of invocations that a variant answers with 5xx, above `percent`.

    `metric` ends the physical name, `alarm_name(endpoint_name, variant_name, metric)`.
    """
    return aws.cloudwatch.MetricAlarm(
        name,
        name=alarm_name(endpoint_name, variant_name, metric),
        alarm_description=f"{variant_name} of {endpoint_name} answers with server errors",
        namespace=INVOCATIONS,
        metric_name="Invocation5XXErrors",
        dimensions={"EndpointName": endpoint_name, "VariantName": variant_name},
        statistic="Average",
        threshold=pulumi.Output.from_input(percent).apply(lambda value: value / 100),
        comparison_operator="GreaterThanThreshold",
        period=period_seconds,
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=datapoints,
        # No traffic is no failure: a quiet endpoint must neither page nor roll back.
        treat_missing_data="notBreaching",
        alarm_actions=list(actions),
        ok_actions=list(actions),
        tags=tags,
        opts=opts,
    )


def latency_alarm(
    name: str,
    *,
    endpoint_name: str,
    variant_name: str,
    p99_ms: pulumi.Input[float],
    opts: pulumi.ResourceOptions,
    period_seconds: int = 60,
    evaluation_periods: int = 5,
    datapoints: int = 3,
    actions: Sequence[pulumi.Input[str]] = (),
    tags: Mapping[str, pulumi.Input[str]] | None = None,
    metric: str = "latency-p99",
) -> aws.cloudwatch.MetricAlarm:
    """An alarm on the 99th percentile of a variant's model latency, above `p99_ms` milliseconds.

    Where there are too few calls for a percentile it keeps the state it has: a single slow call on
    a quiet endpoint neither pages nor rolls back.
    """
    return aws.cloudwatch.MetricAlarm(
        name,
        name=alarm_name(endpoint_name, variant_name, metric),
        alarm_description=f"{variant_name} of {endpoint_name} is slow at the 99th percentile",
        namespace=INVOCATIONS,
        metric_name="ModelLatency",
        dimensions={"EndpointName": endpoint_name, "VariantName": variant_name},
        extended_statistic="p99",
        threshold=pulumi.Output.from_input(p99_ms).apply(lambda value: value * 1000),
        comparison_operator="GreaterThanThreshold",
        period=period_seconds,
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=datapoints,
        evaluate_low_sample_count_percentiles="ignore",
        treat_missing_data="notBreaching",
        alarm_actions=list(actions),
        ok_actions=list(actions),
        tags=tags,
        opts=opts,
    )


def utilization_alarm(
    name: str,
    *,
    endpoint_name: str,
    variant_name: str,
    metric_name: str,
    percent: pulumi.Input[float],
    opts: pulumi.ResourceOptions,
    metric: str,
    period_seconds: int = 60,
    evaluation_periods: int = 5,
    datapoints: int = 3,
    actions: Sequence[pulumi.Input[str]] = (),
    tags: Mapping[str, pulumi.Input[str]] | None = None,
) -> aws.cloudwatch.MetricAlarm:
    """An alarm on `CPUUtilization`, `MemoryUtilization`, `GPUUtilization` … of a variant."""
    return aws.cloudwatch.MetricAlarm(
        name,
        name=alarm_name(endpoint_name, variant_name, metric),
        alarm_description=f"{variant_name} of {endpoint_name} is short of capacity ({metric})",
        namespace=INSTANCES,
        metric_name=metric_name,
        dimensions={"EndpointName": endpoint_name, "VariantName": variant_name},
        statistic="Average",
        threshold=percent,
        comparison_operator="GreaterThanThreshold",
        period=period_seconds,
        evaluation_periods=evaluation_periods,
        datapoints_to_alarm=datapoints,
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
