"""Who limits drift keeps what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlops_iac.clouds.aws.rules._serving import configurations
from mlops_iac.clouds.aws.types import ENDPOINT
from mlops_iac.policy.context import Context, at, is_set
from mlops_iac.policy.model import Rule, Violation

_JOBS = (
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule",
)
_SERVICE_METRICS = ("latency", "error", "cpu", "memory", "gpu", "invocations", "concurrency")


def check(context: Context) -> Iterator[Violation]:
    """Find limits or jobs of drift beside endpoints that keep nothing of what they are asked."""
    for endpoint in context.of_type(ENDPOINT):
        found = configurations(context, endpoint)
        if any(_captures(each.inputs.get("dataCaptureConfig")) for each in found) or not found:
            continue
        path = context.path_of(endpoint, "capture")
        if limits := _drift_limits(context, context.path_of(endpoint)):
            message = f"{', '.join(limits)} cannot be computed: calls are not captured"
            yield Violation(message, endpoint, path)
        elif jobs := context.of_type(*_JOBS):
            yield Violation(
                f"{jobs[0].name} has nothing to read: calls are not captured", endpoint, path
            )


def _captures(config: Any) -> bool:
    share = at(config, "initialSamplingPercentage")
    return is_set(at(config, "enableCapture")) and share != 0


def _drift_limits(context: Context, path: str) -> list[str]:
    """Metrics of data and predictions that the entry limits, as the blueprint has them."""
    section, _, name = path.partition(".")
    if context.blueprint is None or section != "serving":
        return []
    entry = context.blueprint.blueprint.serving.get(name.partition(".")[0])
    monitor = getattr(entry, "monitor", None)
    limits = getattr(monitor, "limits", None) or {}
    return [metric for metric in limits if not metric.startswith(_SERVICE_METRICS)]


RULE = Rule(
    id="drift-capture",
    title="Who limits drift captures calls",
    severity="mandatory",
    why="Drift is computed from captured calls; without them the limit never trips, in silence.",
    remediation="write `capture: {percent: 100}` in the entry",
    source="SageMaker developer guide, https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html",
    check=check,
)
