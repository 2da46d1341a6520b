"""Instances of an endpoint's variant by load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
# Application Auto Scaling API reference, PredefinedMetricSpecification.
_PREDEFINED = {
    "requests_per_minute": "SageMakerVariantInvocationsPerInstance",
    "concurrency": "SageMakerVariantConcurrentRequestsPerModelHighResolution",
}
_UTILIZATION = {"cpu_percent": "CPUUtilization", "gpu_percent": "GPUUtilization"}

Metric = Literal["requests_per_minute", "concurrency", "cpu_percent", "gpu_percent"]


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """From `min` to `max` instances, so that each is kept at `value` of `metric`.

    `units` is what one instance has of what a utilisation is measured on: SageMaker adds up the
    percentages of all cores (and GPUs), so that 70 % of four cores is 280.
    Without a metric the number stays at `min`.
    """

    min: int = 1
    max: int = 1
    metric: Metric | None = None
    value: float | None = None
    units: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.min <= self.max:
            raise ValueError(f"an endpoint has 1 ≤ min ≤ max instances, not {self.min}, {self.max}")
        if (self.metric is None) != (self.value is None):
            raise ValueError("scaling takes a metric and its value, or neither")
        if self.max > self.min and self.metric is None:
            raise ValueError("scaling between two numbers takes a metric")


def scale(
    name: str,
    *,
    endpoint_name: pulumi.Output[str],
    variant_name: str,
    scaling: Scaling,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    """Register the scaling of one variant. Nothing is made where the number cannot vary."""
    if scaling.max == scaling.min or scaling.metric is None or scaling.value is None:
        return
    target = aws.appautoscaling.Target(
        f"{name}-{variant_name}-scaling",
        service_namespace="sagemaker",
        # From the output: an endpoint that is replaced loses its registration.
        resource_id=pulumi.Output.concat("endpoint/", endpoint_name, "/variant/", variant_name),
        scalable_dimension=_DIMENSION,
        min_capacity=scaling.min,
        max_capacity=scaling.max,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    aws.appautoscaling.Policy(
        f"{name}-{variant_name}-{scaling.metric.replace('_', '-')}",
        policy_type="TargetTrackingScaling",
        service_namespace=target.service_namespace,
        resource_id=target.resource_id,
        scalable_dimension=target.scalable_dimension,
        target_tracking_scaling_policy_configuration=_tracking(
            scaling.metric, scaling.value, scaling.units, endpoint_name, variant_name
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _tracking(
    metric: Metric, value: float, units: int, endpoint_name: pulumi.Output[str], variant_name: str
) -> aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs:
    prefix = "PolicyTargetTrackingScalingPolicyConfiguration"
    configuration = aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs
    if metric in _PREDEFINED:
        predefined = getattr(aws.appautoscaling, f"{prefix}PredefinedMetricSpecificationArgs")
        return configuration(
            target_value=value,
            predefined_metric_specification=predefined(predefined_metric_type=_PREDEFINED[metric]),
            scale_in_cooldown=300,
            scale_out_cooldown=60,
        )
    customized = getattr(aws.appautoscaling, f"{prefix}CustomizedMetricSpecificationArgs")
    dimension = getattr(aws.appautoscaling, f"{prefix}CustomizedMetricSpecificationDimensionArgs")
    return configuration(
        target_value=value * units,
        customized_metric_specification=customized(
            namespace="/aws/sagemaker/Endpoints",
            metric_name=_UTILIZATION[metric],
            statistic="Average",
            dimensions=[
                dimension(name="EndpointName", value=endpoint_name),
                dimension(name="VariantName", value=variant_name),
            ],
        ),
        scale_in_cooldown=300,
        scale_out_cooldown=60,
    )
