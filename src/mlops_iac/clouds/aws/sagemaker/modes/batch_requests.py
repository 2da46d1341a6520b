"""What is sent for a batch entry: by a deployment, and by its pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlops_iac.blueprint.sections.serving import Batch
from mlops_iac.blueprint.torn import Unknown
from mlops_iac.clouds.aws.components._cron import schedule_expression
from mlops_iac.clouds.aws.sagemaker.modes.batch_calls import batch_steps
from mlops_iac.clouds.aws.sagemaker.parts import TAG_PLACES, Request
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.base import Setting
from mlops_iac.errors import UsageError
from mlops_iac.runtime import contract

_JOBS = {
    "Processing": "sagemaker.CreateProcessingJob",
    "Transform": "sagemaker.CreateTransformJob",
}


def batch_requests(scope: Scope, name: str, entry: Batch) -> Iterator[Request]:
    """Those of one entry."""
    path = f"serving.{name}"
    description = Setting(entry.description, f"{path}.description")
    yield Request("sagemaker.CreatePipeline", {"PipelineDescription": description}, path)
    if entry.schedule:
        expression = Setting(schedule_expression(entry.schedule), f"{path}.schedule")
        zone = Setting(scope.blueprint.timezone, "timezone")
        schedule = {"ScheduleExpression": expression, "ScheduleExpressionTimezone": zone}
        yield Request("scheduler.CreateSchedule", schedule, path)
    try:
        steps = batch_steps(scope, name, entry)
    except UsageError:  # no image, which is told of the model
        raise Unknown from None
    for step in steps:
        if step["Type"] in _JOBS:
            yield Request(_JOBS[step["Type"]], step["Arguments"], path, _places(path, entry, step))


def _places(path: str, entry: Batch, step: dict[str, object]) -> dict[str, tuple[str, ...]]:
    arguments = step["Arguments"]
    assert isinstance(arguments, dict)
    image = (f"models.{entry.model}.runtime.image", f"models.{entry.model}.runtime")
    places: dict[str, tuple[str, ...]] = {
        "Environment": (f"{path}.env",),
        "ImageUri": image,
        "InstanceCount": (f"{path}.compute.count",),
        "InstanceType": (f"{path}.compute.instance", f"{path}.compute.size"),
        "SecurityGroupIds": ("existing.security_groups",),
        "Subnets": ("existing.subnets",),
        "Tags": TAG_PLACES,
        "VolumeSizeInGB": (f"{path}.compute.disk_gb",),
    }
    for name, value in arguments["Environment"].items():
        if name.startswith((contract.CHECK, contract.WINDOW)):
            places[name] = (f"datasets.{json.loads(value)['dataset']}",)
    return places
