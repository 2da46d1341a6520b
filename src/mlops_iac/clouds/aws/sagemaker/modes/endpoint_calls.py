"""What serves: one endpoint per real-time entry, and what tells people how it does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.blueprint.sections.serving import Variant as VariantSection
from mlops_iac.clouds.aws.components._naming import ENDPOINT_LIMIT, alarm_name, physical_name
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.blocks.promotion import PROMOTION, promoting
from mlops_iac.clouds.aws.sagemaker.scope import (
    NETWORK,
    Scope,
    call,
    call_name,
    construct,
    identifier,
    registry_variable,
)
from mlops_iac.clouds.base import ComponentCall, Construct, Definition, Ref, Setting
from mlops_iac.jsontext import indented

# The variant of an entry that names a model and no variants. A constant: a variant that is
# renamed is another variant, and its endpoint starts anew.
ONLY_VARIANT = "main"
# Where a rollout has no limit on errors of its own.
DEFAULT_ERROR_RATE_PERCENT = 5.0


def variants(entry: RealTime) -> dict[str, VariantSection]:
    """The variants of an entry, with the one that a single model makes."""
    if entry.variants:
        return entry.variants
    return {ONLY_VARIANT: VariantSection(model=entry.model, traffic_percent=100)}


def plan_endpoint(scope: Scope, name: str, entry: RealTime) -> list[ComponentCall]:
    """The endpoint of one entry and its monitor."""
    path = f"serving.{name}"
    variable, former = identifier(name), scope.moved_from("serving", name)
    endpoint = call(
        variable,
        "real_time_endpoint:RealTimeEndpoint",
        {
            "role_arn": Ref("identity", "endpoint_role_arn"),
            "variants": [
                _variant(scope, name, entry, key, each) for key, each in variants(entry).items()
            ],
            "scaling": _scaling(name, entry),
            "rollout": _rollout(name, entry),
            "capture": _capture(scope, name, entry),
            "key_arn": scope.data_key,
            "subnets": scope.placed("subnets"),
            "security_groups": scope.placed("security_groups"),
            "egress": scope.egress,
            "keep_replaced": scope.protect,
            "protect": scope.protect,
            "told": scope.told,
            "log_key_arn": scope.log_key,
            "known_as": former,
            "tags": scope.tags,
        },
        path=path,
        name=name,
        aliases=(former,) if former else (),
        depends_on=(
            *((PROMOTION,) if promoting(scope)[0] else ()),
            # Nothing starts before the ways that it needs are there.
            *((NETWORK,) if scope.places else ()),
        ),
        exports={
            f"{variable}_endpoint": "endpoint_name",
            f"{variable}_pending": "pending",
        },
    )
    return [endpoint, *_monitor(scope, name, entry)]


def _variant(
    scope: Scope, entry_name: str, entry: RealTime, name: str, variant: VariantSection
) -> Construct:
    path = f"serving.{entry_name}"
    model_name = variant.model or ""
    at = f"{path}.variants.{name}" if entry.variants else path
    compute = entry.compute
    instance = machines.instance(compute, "hosting")
    # A version that an open stack registered starts in a closed one, too.
    given = machines.offline_environment(scope, scope.blueprint.models[model_name])
    environment = {
        key: Setting(value, f"{path}.env.{key}")
        for key, value in {**given, **_text_env(entry)}.items()
    }
    shadow = variant.shadow_percent
    return construct(
        "real_time_endpoint:Variant",
        {
            "name": name,
            "model": model_name,
            **_served(scope, model_name, environment),
            "instance_type": Setting(instance, f"{path}.compute.instance"),
            "disk_gb": (
                Setting(compute.disk_gb, f"{path}.compute.disk_gb") if compute.disk_gb else None
            ),
            "traffic_percent": (
                None
                if shadow is not None or not entry.variants
                else Setting(variant.traffic_percent or 0, f"{at}.traffic_percent")
            ),
            "shadow_percent": (None if shadow is None else Setting(shadow, f"{at}.shadow_percent")),
        },
    )


def _served(scope: Scope, name: str, environment: dict[str, Any]) -> dict[str, Any]:
    """What a variant serves: a registered version, or a model from elsewhere."""
    model = scope.blueprint.models[name]
    path = f"models.{name}"
    if model.source is not None:
        serving = {**machines.source_environment(model), **environment}
        return {
            "image": Setting(machines.serving_image(scope, name, model), f"{path}.runtime.image"),
            "model_data": Setting(model.source, f"{path}.source"),
            "environment": serving or None,
        }
    home = scope.home(name)
    here = home.environment == scope.environment
    return {
        "package_group": Ref(registry_variable(name), "group_name") if here else home.group,
        "registry_account": (None if here else Setting(home.account, f"{path}.registry_account")),
        "version": Setting(model.version, f"{path}.version", optional=True),
        "environment": environment or None,
    }


def _text_env(entry: RealTime) -> dict[str, str]:
    return {key: value for key, value in entry.env.items() if isinstance(value, str)}


def _scaling(name: str, entry: RealTime) -> Construct | None:
    scaling = entry.scaling
    if scaling is None:
        return None
    path = f"serving.{name}.scaling"
    metric, value = target(entry)
    return construct(
        "real_time_endpoint:Scaling",
        {
            "min": Setting(scaling.min, f"{path}.min"),
            "max": Setting(scaling.max, f"{path}.max"),
            "metric": metric,
            "value": None if metric is None else Setting(value, f"{path}.target.{metric}"),
            "units": (
                Setting(machines.units(entry.compute, metric), f"{path}.target.units")
                if metric in ("cpu_percent", "gpu_percent")
                else None
            ),
        },
    )


def endpoint_alarms(scope: Scope, name: str, entry: RealTime) -> list[str]:
    """Those of one serving entry."""
    endpoint = physical_name(
        scope.blueprint.name, scope.environment, scope.known_as("serving", name), ENDPOINT_LIMIT
    )
    return [
        alarm_name(endpoint, variant, metric)
        for variant, section in variants(entry).items()
        if section.shadow_percent is None
        for metric in _rollback_metrics(entry)
    ]


def _rollback_metrics(entry: RealTime) -> list[str]:
    limits = entry.rollout.limits if entry.rollout else {}
    slow = ["rollback-latency-p99"] if "latency_p99_ms" in limits else []
    return ["rollback-error-rate", *slow]


def target(entry: RealTime) -> tuple[str | None, float | None]:
    """What the scaling of an entry keeps each instance at; nothing where it does not scale."""
    section = entry.scaling.target if entry.scaling else None
    for metric in ("requests_per_minute", "concurrency", "cpu_percent", "gpu_percent"):
        if section is not None and (value := getattr(section, metric)) is not None:
            return metric, value
    return None, None


def _rollout(name: str, entry: RealTime) -> Construct | None:
    rollout = entry.rollout
    if rollout is None:
        return None
    path = f"serving.{name}.rollout"
    limits = {metric: limit.at_most for metric, limit in rollout.limits.items()}
    errors = limits.get("error_rate_percent")
    latency = limits.get("latency_p99_ms")
    return construct(
        "real_time_endpoint:Rollout",
        {
            "strategy": Setting(rollout.strategy, f"{path}.strategy"),
            "percent": _optional(rollout.percent, f"{path}.percent"),
            "wait_minutes": _optional(rollout.wait_minutes, f"{path}.wait_minutes"),
            "error_rate_percent": Setting(
                DEFAULT_ERROR_RATE_PERCENT if errors is None else errors,
                f"{path}.limits.error_rate_percent.at_most",
            ),
            "latency_p99_ms": _optional(latency, f"{path}.limits.latency_p99_ms.at_most"),
        },
    )


def _capture(scope: Scope, name: str, entry: RealTime) -> Construct | None:
    if entry.capture is None:
        return None
    return construct(
        "real_time_endpoint:Capture",
        {
            "bucket": Ref("data", "captures.bucket"),
            "prefix": scope.known_as("serving", name),
            "percent": Setting(entry.capture.percent, f"serving.{name}.capture.percent"),
        },
    )


def _monitor(scope: Scope, name: str, entry: RealTime) -> Iterator[ComponentCall]:
    if entry.monitor is None:
        return
    path = f"serving.{name}.monitor"
    limits = {
        metric: Setting(limit.at_most, f"{path}.limits.{metric}.at_most")
        for metric, limit in entry.monitor.limits.items()
    }
    answering = [key for key, variant in variants(entry).items() if variant.shadow_percent is None]
    variable, former = f"{identifier(name)}_monitor", scope.moved_from("serving", name)
    yield call(
        variable,
        "service_monitor:ServiceMonitor",
        {
            "endpoint_name": Ref(identifier(name), "endpoint_name"),
            "variants": answering,
            "latency_p99_ms": limits.get("latency_p99_ms"),
            "error_rate_percent": limits.get("error_rate_percent"),
            "topic_arn": scope.topic,
            "dashboard": Definition(f"dashboards/{name}.json", dashboard(answering)),
            "tags": scope.tags,
        },
        path=path,
        exports={f"{identifier(name)}_dashboard": "dashboard_name"},
        aliases=(call_name(f"{identifier(former)}_monitor"),) if former else (),
    )


def dashboard(names: list[str]) -> str:
    """A CloudWatch dashboard of an endpoint's variants, with its name and region to be filled in.

    Source: CloudWatch user guide, "Dashboard body structure and syntax".
    """

    def widget(title: str, namespace: str, rows: list[tuple[str, str]], x: int, y: int) -> Any:
        return {
            "type": "metric",
            "x": x,
            "y": y,
            "width": 12,
            "height": 6,
            "properties": {
                "title": title,
                "region": "${region}",
                "view": "timeSeries",
                "stacked": False,
                "period": 60,
                "metrics": [
                    [
                        namespace,
                        metric,
                        "EndpointName",
                        "${endpoint_name}",
                        "VariantName",
                        variant,
                        {"stat": statistic, "label": f"{variant} {metric}"},
                    ]
                    for metric, statistic in rows
                    for variant in names
                ],
            },
        }

    calls, machine = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
    errors = [("Invocation5XXErrors", "Average"), ("Invocation4XXErrors", "Average")]
    load = [("CPUUtilization", "Average"), ("MemoryUtilization", "Average")]
    widgets = [
        widget("Calls", calls, [("Invocations", "Sum")], 0, 0),
        widget("Latency (µs)", calls, [("ModelLatency", "p50"), ("ModelLatency", "p99")], 12, 0),
        widget("Share of errors", calls, errors, 0, 6),
        widget("Machines (%)", machine, load, 12, 6),
    ]
    return indented({"widgets": widgets}, 2) + "\n"


def _optional(value: Any, path: str) -> Setting | None:
    return None if value is None else Setting(value, path)
