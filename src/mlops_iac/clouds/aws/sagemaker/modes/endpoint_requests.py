"""What is sent to make an endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.clouds.aws.sagemaker.modes.endpoint_calls import endpoint_alarms, plan_endpoint
from mlops_iac.clouds.aws.sagemaker.parts import Request
from mlops_iac.clouds.aws.sagemaker.scope import Scope


def endpoint_requests(scope: Scope, name: str, entry: RealTime) -> Iterator[Request]:
    """Those of one entry, with the limits and variants that they come from."""
    path, args = f"serving.{name}", plan_endpoint(scope, name, entry)[0].args
    variants = [variant.args for variant in args["variants"]]
    for variant in variants:
        yield Request(
            "sagemaker.CreateModel", _model(args, variant), path, {"Environment": (f"{path}.env",)}
        )
    scaling, capture = args.get("scaling"), args.get("capture")
    instances = scaling.args["min"] if scaling else 1
    of_variants = (f"{path}.variants",)
    answering = [_variant(each, instances) for each in variants if "shadow_percent" not in each]
    shadows = [_variant(each, instances) for each in variants if "shadow_percent" in each]
    yield Request(
        "sagemaker.CreateEndpointConfig",
        {
            "ProductionVariants": answering,
            "ShadowProductionVariants": shadows or None,
            "DataCaptureConfig": (
                {"InitialSamplingPercentage": capture.args["percent"]} if capture else None
            ),
        },
        path,
        {"ProductionVariants": of_variants, "ShadowProductionVariants": of_variants},
    )
    alarms = [{"AlarmName": each} for each in endpoint_alarms(scope, name, entry)]
    yield Request(
        "sagemaker.CreateEndpoint",
        {"DeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": alarms}}},
        path,
        {"Alarms": (f"{path}.rollout.limits", *of_variants)},
    )


def _model(args: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
    data = variant.get("model_data")
    return {
        "PrimaryContainer": {
            "Environment": variant.get("environment"),
            "Image": variant.get("image"),
            "ModelDataSource": {"S3DataSource": {"S3Uri": data}} if data else None,
        },
        "VpcConfig": {
            "Subnets": args.get("subnets"),
            "SecurityGroupIds": args.get("security_groups"),
        },
    }


def _variant(variant: Mapping[str, Any], instances: Any) -> dict[str, Any]:
    return {
        "VariantName": variant["name"],
        "InstanceType": variant["instance_type"],
        "InitialInstanceCount": instances,
        "InitialVariantWeight": variant.get("shadow_percent", variant.get("traffic_percent")),
        "VolumeSizeInGB": variant.get("disk_gb"),
    }
