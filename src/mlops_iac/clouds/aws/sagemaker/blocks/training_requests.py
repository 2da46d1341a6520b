"""What is sent to train models: by a deployment, and by the pipelines that it makes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_iac.blueprint.torn import Unknown, judged
from mlops_iac.clouds.aws.sagemaker.blocks.training_calls import dataset_uris, pipeline_steps
from mlops_iac.clouds.aws.sagemaker.parts import TAG_PLACES, Request
from mlops_iac.clouds.aws.sagemaker.scope import STEPS, Scope
from mlops_iac.clouds.base import Setting
from mlops_iac.errors import UsageError
from mlops_iac.pipeline.reading import serving_entry
from mlops_iac.runtime import contract
from mlops_iac.values import mapped

_JOBS = {
    "Processing": "sagemaker.CreateProcessingJob",
    "Training": "sagemaker.CreateTrainingJob",
    "Tuning": "sagemaker.CreateHyperParameterTuningJob",
    "RegisterModel": "sagemaker.CreateModelPackage",
}
_STEPS = {"Prepare": "prepare", "Evaluate": "evaluate"}


def requests(scope: Scope) -> Iterator[Request]:
    """Those of every model that is trained here."""
    for name in scope.trained:
        yield from judged(_training(scope, name), _jobs(scope, name))


def _training(scope: Scope, name: str) -> Iterator[Request]:
    model, path = scope.blueprint.models[name], f"models.{name}"
    yield Request(
        "sagemaker.CreatePipeline",
        {"PipelineDescription": Setting(model.description, f"{path}.description")},
        path,
    )


def _jobs(scope: Scope, name: str) -> Iterator[Request]:
    path = f"models.{name}"
    uris = dataset_uris(scope, name).items()
    known = {"${" + key + "}": uri for key, uri in uris if isinstance(uri, Setting)}
    try:
        printed = pipeline_steps(scope, name)
    except UsageError:  # no image, and not known either which of its parts is wrong
        raise Unknown from None
    for step in printed:
        if step["Type"] in _JOBS:
            kind = _STEPS.get(step["Name"], "train")
            arguments = mapped(
                step["Arguments"],
                lambda leaf: known.get(leaf, leaf) if isinstance(leaf, str) else leaf,
            )
            own = step["Type"] != "RegisterModel" and step["Name"] != "Try"
            at = f"{path}.{kind}" if own else path
            places = dict(_of_job(path, kind, arguments))
            if step["Name"] == "Try" and (entry := serving_entry(scope.resolved, name)):
                places |= _of_try(path, f"serving.{entry[0]}")
            yield Request(_JOBS[step["Type"]], arguments, at, places)


def _of_try(model: str, entry: str) -> Mapping[str, tuple[str, ...]]:
    compute = (f"{entry}.compute.instance", f"{entry}.compute.size", entry)
    return {
        "Environment": (f"{entry}.env",),
        "ImageUri": (f"{model}.runtime",),
        "InstanceType": compute,
        "VolumeSizeInGB": tuple(f"{model}.{step}.compute.disk_gb" for step in STEPS),
        contract.TARGET: ("datasets",),
    }


def _of_job(model: str, kind: str, arguments: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    step, tune = f"{model}.{kind}", f"{model}.tune"
    parameters = (f"{step}.hyperparameters",)
    data = (f"{model}.datasets", "datasets")
    image = (f"{step}.runtime.image", f"{model}.runtime.image", f"{model}.runtime")
    search = (f"{tune}.search",)
    places = {
        "CategoricalParameterRanges": search,
        "Containers": (f"{model}.runtime.image", f"{model}.runtime"),
        "ContinuousParameterRanges": search,
        "Environment": (f"{step}.env", f"{model}.env"),
        "HyperParameters": parameters,
        "ImageUri": image,
        "InputDataConfig": data,
        "InstanceCount": (f"{step}.compute.count",),
        "InstanceType": (f"{step}.compute.instance", f"{step}.compute.size"),
        "IntegerParameterRanges": search,
        "MaxNumberOfTrainingJobs": (f"{tune}.trials", *search),
        "MaxParallelTrainingJobs": (f"{tune}.parallel",),
        "MaxRuntimeInSeconds": (f"{step}.timeout_minutes",),
        "MaxWaitTimeInSeconds": (f"{step}.spot_wait_minutes", f"{step}.timeout_minutes"),
        "MetricDefinitions": (f"{model}.metrics",),
        "ProcessingInputs": data,
        "SecurityGroupIds": ("existing.security_groups",),
        "StaticHyperParameters": parameters,
        "Subnets": ("existing.subnets",),
        "Tags": TAG_PLACES,
        "TrainingImage": image,
        "VolumeSizeInGB": (f"{step}.compute.disk_gb",),
        contract.DATASETS: data,
        contract.METRICS: (f"{model}.metrics",),
        contract.SCRIPT: (f"{step}.script",),
    }
    job = arguments.get("TrainingJobDefinition", arguments)
    for name, value in job.get("Environment", {}).items():
        if name.startswith((contract.CHECK, contract.WINDOW)):
            places[name] = (f"datasets.{json.loads(value)['dataset']}",)
        elif name.startswith(contract.GATE):
            places[name] = (f"{model}.evaluate.gates",)
    return places
