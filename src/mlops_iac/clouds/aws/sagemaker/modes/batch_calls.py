"""What a batch entry becomes: what it runs with, its pipeline, and what starts that."""

from __future__ import annotations

from typing import Any

from mlops_iac.blueprint.sections.serving import Batch
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.blocks.training_calls import STACK_TAGS, job_settings
from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings
from mlops_iac.clouds.aws.sagemaker.events import new_data
from mlops_iac.clouds.aws.sagemaker.modes.batch_definition import MOST_CALLS, definition, steps
from mlops_iac.clouds.aws.sagemaker.scope import (
    NETWORK,
    STACK_TAG,
    Scope,
    call,
    construct,
    function,
    identifier,
    registry_variable,
)
from mlops_iac.clouds.base import Archive, ComponentCall, Construct, Definition, Ref, Setting
from mlops_iac.pipeline.prediction import Prediction, prediction
from mlops_iac.records import replace
from mlops_iac.runtime.files import runtime_files

# What the jobs beside the prediction run on: they read and write rows, and no more.
_SMALL = "small"


def plan_batch(scope: Scope, name: str, entry: Batch) -> list[ComponentCall]:
    """The calls of one entry."""
    calls = [_prediction(scope, name, entry), _pipeline(scope, name, entry)]
    return [*calls, _starts(scope, name, entry)] if entry.schedule or entry.new_data else calls


def batch_steps(scope: Scope, name: str, entry: Batch) -> list[dict[str, Any]]:
    """The steps of the pipeline of one entry, with placeholders."""
    return steps(*compiled(scope, name, entry))


def variables(name: str) -> tuple[str, str, str]:
    """The program's variables for an entry, its pipeline, and what starts that."""
    stem = identifier(name)
    return stem, f"{stem}_pipeline", f"{stem}_starts"


def _names(scope: Scope, name: str) -> tuple[str, tuple[str, ...]]:
    """The name of an entry's pipeline in the program, and what that was before a rename."""
    former = scope.moved_from("serving", name)
    return f"{name}-prediction", (f"{former}-prediction",) if former else ()


def _prediction(scope: Scope, name: str, entry: Batch) -> ComponentCall:
    path, former = f"serving.{name}", scope.moved_from("serving", name)
    made_of = scope.blueprint.datasets
    limits = entry.monitor.limits if entry.monitor else {}
    late = limits.get("lag_seconds")
    return call(
        variables(name)[0],
        "batch_prediction:BatchPrediction",
        {
            "model": _model(scope, name, entry),
            "source": place(scope, entry.input or ""),
            "output": place(scope, entry.output or ""),
            "chained": made_of[entry.input or ""].is_made or None,
            "form": made_of[entry.output or ""].format,
            "watched": [new_data(scope, each) for each in entry.new_data] or None,
            "data_bucket": Ref("data", "data.bucket"),
            "data_bucket_arn": Ref("data", "data.arn"),
            "artifacts_bucket": Ref("data", "artifacts.bucket"),
            "artifacts_bucket_arn": Ref("data", "artifacts.arn"),
            "handler": function("batch"),
            "images": Setting(machines.ecr(_images(scope, entry).values()), f"{path}.images"),
            "job_tags": {STACK_TAG: scope.tags[STACK_TAG]},
            "late_seconds": (
                Setting(int(late.at_most or 0), f"{path}.monitor.limits.lag_seconds.at_most")
                if late
                else None
            ),
            "topic_arn": scope.topic,
            "key_arn": scope.data_key,
            "log_key_arn": scope.log_key,
            "subnets": scope.placed("subnets"),
            "security_groups": scope.placed("security_groups"),
            "egress": scope.egress,
            "permissions_boundary": scope.permissions_boundary,
            "known_as": former,
            "tags": scope.tags,
        },
        path=path,
        name=name,
        depends_on=("data", *((NETWORK,) if scope.places else ())),
        exports={f"{identifier(name)}_output": "output_uri"},
        aliases=(former,) if former else (),
    )


def _pipeline(scope: Scope, name: str, entry: Batch) -> ComponentCall:
    path, (named, aliases) = f"serving.{name}", _names(scope, name)
    batch, variable, _ = variables(name)
    printed, settings = compiled(scope, name, entry)
    values: dict[str, Any] = {
        "execution_role_arn": Ref(batch, "job_role_arn"),
        "function_arn": Ref(batch, "function_arn"),
        "output_uri": Ref(batch, "output_uri"),
        **{tag: scope.tags[tag] for tag in STACK_TAGS},
    }
    return call(
        variable,
        "training_pipeline:TrainingPipeline",
        {
            "role_arn": Ref(batch, "pipeline_role_arn"),
            "bucket": Ref("data", "artifacts.bucket"),
            "key_arn": scope.data_key,
            "definition": Definition(f"pipelines/{name}.json", definition(printed, settings)),
            "code": Archive("code/rows.tar.gz", "", runtime_files()),
            "values": values,
            "subnets": scope.placed("subnets") if scope.places else None,
            "security_groups": scope.placed("security_groups") if scope.places else None,
            "description": entry.description or None,
            "known_as": scope.known_as("serving", name),
            "told": scope.told,
            "without": "nothing of it was published",
            "tags": scope.tags,
        },
        path=path,
        name=named,
        depends_on=("data", *((NETWORK,) if scope.places else ())),
        exports={f"{identifier(name)}_pipeline": "pipeline_name"},
        aliases=aliases,
    )


def _starts(scope: Scope, name: str, entry: Batch) -> ComponentCall:
    path, former = f"serving.{name}", scope.moved_from("serving", name)
    _, pipeline, variable = variables(name)
    waits = bool(entry.new_data)
    return call(
        variable,
        "retrain_triggers:RetrainTriggers",
        {
            "pipeline_name": Ref(pipeline, "pipeline_name"),
            "pipeline_arn": Ref(pipeline, "pipeline_arn"),
            "starts": "prediction",
            "schedule": Setting(entry.schedule, f"{path}.schedule") if entry.schedule else None,
            "timezone": Setting(scope.blueprint.timezone, "timezone"),
            "new_data": [new_data(scope, each) for each in entry.new_data] or None,
            # A run that goes on holds the next one back; what arrived meanwhile starts it then.
            "cooldown_hours": 0 if waits else None,
            "handler": function("cooldown") if waits else None,
            "code_bucket": Ref("data", "artifacts.bucket") if waits else None,
            "key_arn": scope.data_key if waits else None,
            "log_key_arn": scope.log_key if waits else None,
            "topic_arn": scope.topic,
            "permissions_boundary": scope.permissions_boundary,
            "known_as": f"{former}-starts" if former else None,
            "tags": scope.tags,
        },
        path=path,
        depends_on=("data",) if waits else (),
        aliases=(f"{former}-starts",) if former else (),
    )


def _model(scope: Scope, name: str, entry: Batch) -> Construct:
    model = scope.blueprint.models[entry.model or ""]
    if model.source is not None:
        environment = {**machines.source_environment(model)}
        return construct(
            "batch_prediction:Given",
            {
                "image": Setting(
                    machines.serving_image(scope, entry.model or "", model),
                    f"models.{entry.model}.runtime.image",
                ),
                "model_data": Setting(model.source, f"models.{entry.model}.source"),
                "environment": environment or None,
            },
        )
    return construct(
        "batch_prediction:Registered",
        {
            "model": scope.known_as("models", entry.model or ""),
            "package_group": Ref(registry_variable(entry.model or ""), "group_name"),
            # Not `models.*.version`, where `up` writes the newest one that it found.
            "version": Setting(model.version, f"serving.{name}.version", optional=True),
        },
    )


def place(scope: Scope, dataset: str) -> Construct:
    """Where a dataset lies, as an argument."""
    section = scope.blueprint.datasets[dataset]
    uri = None
    if section.source is not None and not section.is_local:
        at = section.source if "." in section.source.rpartition("/")[2] else folder(section.source)
        uri = Setting(at, f"datasets.{dataset}.source")
    named = {"name": scope.known_as("datasets", dataset), "uri": uri}
    return construct("batch_prediction:Place", named)


def folder(uri: str) -> str:
    """An `s3://` prefix as one of a folder, so that nothing beside it is meant."""
    return f"{uri.rstrip('/')}/"


def compiled(scope: Scope, name: str, entry: Batch) -> tuple[Prediction, SageMakerSettings]:
    """What the definition of the pipeline of one entry is printed of."""
    small = catalogue.instance_type(_SMALL, "processing")
    instance = machines.instance(entry.compute, "transform")
    images = _images(scope, entry)
    settings = job_settings(
        scope,
        {"check": images["rows"], "complete": images["rows"]},
        {"check": small, "complete": small, "transform": instance},
    )
    cores = (catalogue.spec(instance) or (1,))[0]
    calls = max(1, min(MOST_CALLS, int(cores)))
    # What was stored under the former name stays where it is.
    known = scope.known_as("serving", name)
    return replace(prediction(scope.resolved, name), entry=known, calls=calls), settings


def _images(scope: Scope, entry: Batch) -> dict[str, str]:
    """What predicts, and what the jobs beside it run in."""
    model = scope.blueprint.models[entry.model or ""]
    assert model.runtime is not None
    region = scope.blueprint.region
    gpu = catalogue.is_gpu(machines.instance(entry.compute, "transform"))
    return {
        "serve": machines.image(model.runtime, "inference", region, gpu=gpu),
        "rows": machines.image(model.runtime, "training", region, gpu=False),
    }
