"""The pipeline that trains one model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_iac.blueprint.sections.models import Model
from mlops_iac.clouds.aws import containers
from mlops_iac.clouds.aws.components._disks import has_local_disk
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.blocks.sealing import SEALING
from mlops_iac.clouds.aws.sagemaker.blocks.tracking import TRACKING
from mlops_iac.clouds.aws.sagemaker.definition.parts import (
    SageMakerSettings,
    dataset_placeholder,
)
from mlops_iac.clouds.aws.sagemaker.definition.printer import definition, steps
from mlops_iac.clouds.aws.sagemaker.scope import (
    NETWORK,
    STACK_TAG,
    STEPS,
    Scope,
    call,
    former_names,
    identifier,
    pipeline_variable,
    registry_variable,
    trained_here,
)
from mlops_iac.clouds.base import Archive, ComponentCall, Definition, Ref, Setting
from mlops_iac.pipeline.lifecycle import lifecycle
from mlops_iac.pipeline.reading import training_datasets
from mlops_iac.pipeline.steps import Lifecycle
from mlops_iac.records import replace
from mlops_iac.runtime.files import runtime_files

# Tags whose value is the stack's name or made of it: filled in by the program, so that all
# environments can share one definition.
STACK_TAGS = ("environment", STACK_TAG)


def pipeline(scope: Scope, name: str) -> ComponentCall:
    """The training pipeline of one model."""
    model = scope.blueprint.models[name]
    path = f"models.{name}"
    text, wanted = definition(*compiled(scope, name))
    aliases = former_names(scope, name, _training)
    values: dict[str, Any] = {
        "execution_role_arn": Ref("identity", "execution_role_arn"),
        "seal_function_arn": Ref(SEALING, "function_arn"),
        **({"tracking_server_arn": Ref(TRACKING, "server_arn")} if scope.tracks else {}),
        "model_package_group_name": Ref(registry_variable(name), "group_name"),
        "environment": scope.tags["environment"],
        STACK_TAG: scope.tags[STACK_TAG],
        **dataset_uris(scope, name),
        **{
            _role_placeholder(step): Ref("identity", f'step_role_arns["{step}"]')
            for step in _steps_with_roles(scope)
        },
    }
    return call(
        pipeline_variable(name),
        "training_pipeline:TrainingPipeline",
        {
            "role_arn": Ref("identity", "pipeline_role_arn"),
            "bucket": Ref("data", "artifacts.bucket"),
            "key_arn": scope.data_key,
            "definition": Definition(f"pipelines/{name}.json", text),
            "code": Archive(
                f"code/{name}.tar.gz",
                str(scope.resolved.file(model.code or "")),
                runtime_files(_card(scope, model)),
            ),
            "values": {key: value for key, value in values.items() if key in wanted},
            "subnets": scope.placed("subnets") if scope.places else None,
            "security_groups": scope.placed("security_groups") if scope.places else None,
            "description": model.description or None,
            "known_as": next(iter(aliases), None),
            "told": scope.told,
            "tags": scope.tags,
        },
        path=path,
        name=_training(name),
        depends_on=(
            "data",
            registry_variable(name),
            *((NETWORK,) if scope.places else ()),
        ),
        exports={f"{identifier(name)}_pipeline": "pipeline_name"},
        flag=trained_here(name),
        aliases=aliases,
    )


def _card(scope: Scope, model: Model) -> Path | None:
    return scope.resolved.file(model.registry.card) if model.registry.card else None


def _training(model: str) -> str:
    return f"{model}-training"


def pipeline_steps(scope: Scope, name: str) -> list[dict[str, Any]]:
    """The steps of the pipeline of one model, with placeholders."""
    return steps(*compiled(scope, name))


def compiled(scope: Scope, name: str) -> tuple[Lifecycle, SageMakerSettings]:
    """What the definition of the pipeline of one model is printed of."""
    # What was stored under the former name stays where it is, and so does what follows.
    life = replace(lifecycle(scope.resolved, name), model=scope.known_as("models", name))
    model = scope.blueprint.models[name]
    images = machines.step_images(scope, name, model)
    settings = job_settings(scope, images, machines.step_instances(scope, name, model))
    # A try reads what evaluating does, so it runs with that role, or with the one there is.
    like = settings.roles.get("evaluate" if model.evaluate else "train")
    return life, replace(settings, roles={**settings.roles, "try": like}) if like else settings


def job_settings(
    scope: Scope, images: dict[Any, str], instances: dict[Any, str]
) -> SageMakerSettings:
    """What the jobs of pipelines have in common, with their images and instance types by step."""
    tags = {
        key: value.value if isinstance(value, Setting) else value
        for key, value in scope.tags.items()
    }
    tags |= {key: "${" + key + "}" for key in STACK_TAGS}
    subnets, groups = scope.existing("subnets"), scope.existing("security_groups")
    placed = scope.places
    key = "${kms_key_arn}" if scope.customer_key else None
    return SageMakerSettings(
        images=images,
        instance_types=instances,
        tags=tags,
        kms_key=key,
        volume_kms_key=key,
        local_disks=tuple(step for step, type_ in instances.items() if has_local_disk(type_)),
        subnets=("${subnet_ids}",) if placed else tuple(subnets.value) if subnets else (),
        security_groups=(
            ("${security_group_ids}",) if placed else tuple(groups.value) if groups else ()
        ),
        network_isolation=scope.isolates,
        environment={} if scope.reaches_index else containers.offline(),
        tracks=scope.tracks,
        encrypt_traffic=scope.is_private or scope.isolates,
        roles={step: "${" + _role_placeholder(step) + "}" for step in _steps_with_roles(scope)},
    )


def _steps_with_roles(scope: Scope) -> list[str]:
    """Steps that run with a role of the user's in some environment; then in all by a name."""
    roles = [other.blueprint.existing.roles for other in scope.resolved.siblings.values()]
    return [step for step in STEPS if any(getattr(each, step) for each in roles)]


def _role_placeholder(step: str) -> str:
    return f"{step}_role_arn"


def dataset_uris(scope: Scope, name: str) -> dict[str, Any]:
    """Where the datasets of one model lie, by placeholder."""
    uris: dict[str, Any] = {}
    for dataset, section in training_datasets(scope.resolved, name):
        uris[dataset_placeholder(dataset)] = (
            Ref("datasets", f'uris["{dataset}"]')
            if section.is_local
            else Setting(section.source, f"datasets.{dataset}.source")
        )
    return uris
