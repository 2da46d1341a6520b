"""What trains a model: its registry, its pipeline, and what starts that again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from mlops_iac.blueprint.sections.models import Model
from mlops_iac.clouds.aws import containers, runtime
from mlops_iac.clouds.aws.components._disks import has_local_disk
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.definition.parts import (
    SageMakerSettings,
    dataset_placeholder,
)
from mlops_iac.clouds.aws.sagemaker.definition.printer import definition, steps
from mlops_iac.clouds.aws.sagemaker.scope import (
    NETWORK,
    SEALING,
    STACK_TAG,
    STEPS,
    Scope,
    call,
    call_name,
    construct,
    identifier,
    registry_variable,
)
from mlops_iac.clouds.base import Archive, ComponentCall, Definition, Ref, Setting
from mlops_iac.pipeline.lifecycle import lifecycle
from mlops_iac.pipeline.reading import training_datasets
from mlops_iac.pipeline.steps import Lifecycle
from mlops_iac.records import replace
from mlops_iac.runtime.files import runtime_files

# Tags whose value is the stack's name or made of it: filled in by the program, so that all
# environments can share one definition.
_STACK_TAGS = ("environment", STACK_TAG)


def pipeline_variable(model: str) -> str:
    """The program's variable for the training pipeline of a model."""
    return f"{identifier(model)}_pipeline"


def trained_here(model: str) -> str:
    """The configuration key that says whether an environment trains a model."""
    return f"models.{model}.trained_here"


def plan_registry(scope: Scope, name: str) -> ComponentCall:
    """The registry of one model that is trained here."""
    path = f"models.{name}"
    return call(
        registry_variable(name),
        "registry:Registry",
        {
            "model": scope.known_as("models", name),
            "reader_accounts": Setting(scope.readers(name), f"{path}.reader_accounts"),
            "approvers": scope.approvers,
            "approval": (
                Setting(scope.blueprint.models[name].registry.approval, f"{path}.registry.approval")
                if scope.approvers
                else None
            ),
            "protect": scope.protect,
            "tags": scope.tags,
        },
        path=path,
        exports={f"{identifier(name)}_model_package_group": "group_name"},
        flag=trained_here(name),
        aliases=_former_names(scope, name, lambda former: call_name(registry_variable(former))),
    )


def plan_pipeline(scope: Scope, name: str) -> ComponentCall:
    """The training pipeline of one model."""
    model = scope.blueprint.models[name]
    path = f"models.{name}"
    text, wanted = definition(*compiled(scope, name))
    aliases = _former_names(scope, name, _training)
    values: dict[str, Any] = {
        "execution_role_arn": Ref("identity", "execution_role_arn"),
        "seal_function_arn": Ref(SEALING, "function_arn"),
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
            "key_arn": Ref("keys", "data_key_arn") if scope.customer_key else None,
            "definition": Definition(f"pipelines/{name}.json", text),
            "code": Archive(
                f"code/{name}.tar.gz",
                str(scope.resolved.file(model.code or "")),
                runtime_files(),
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


def plan_retraining(scope: Scope, name: str) -> list[ComponentCall]:
    """What starts the training of one model again; nothing where nothing does."""
    model = scope.blueprint.models[name]
    retrain = model.retrain
    if retrain is None:
        return []
    path = f"models.{name}.retrain"
    guarded = bool(retrain.new_data or retrain.limits)
    aliases = _former_names(scope, name, lambda former: call_name(_retrain_variable(former)))
    return [
        call(
            _retrain_variable(name),
            "retrain_triggers:RetrainTriggers",
            {
                "pipeline_name": Ref(pipeline_variable(name), "pipeline_name"),
                "pipeline_arn": Ref(pipeline_variable(name), "pipeline_arn"),
                "schedule": (
                    Setting(retrain.schedule, f"{path}.schedule") if retrain.schedule else None
                ),
                "timezone": Setting(scope.blueprint.timezone, "timezone"),
                "new_data": [_new_data(scope, each) for each in retrain.new_data] or None,
                "alarm_arns": _alarms(scope, name, retrain.limits) or None,
                "cooldown_hours": (
                    Setting(retrain.cooldown_hours, f"{path}.cooldown_hours") if guarded else None
                ),
                "handler": function("cooldown") if guarded else None,
                "code_bucket": Ref("data", "artifacts.bucket") if guarded else None,
                "key_arn": (
                    Ref("keys", "data_key_arn") if guarded and scope.customer_key else None
                ),
                "log_key_arn": scope.log_key if guarded else None,
                "topic_arn": scope.topic,
                "permissions_boundary": scope.permissions_boundary,
                "known_as": next(iter(aliases), None),
                "tags": scope.tags,
            },
            path=path,
            depends_on=("data",) if guarded else (),
            aliases=aliases,
        )
    ]


def _retrain_variable(model: str) -> str:
    return f"{identifier(model)}_retrain"


def _training(model: str) -> str:
    return f"{model}-training"


def _former_names(scope: Scope, name: str, named: Callable[[str], str]) -> tuple[str, ...]:
    """The name that a component of a renamed model had, as `named` makes it of the model's."""
    former = scope.moved_from("models", name)
    return (named(former),) if former else ()


def pipeline_steps(scope: Scope, name: str) -> list[dict[str, Any]]:
    """The steps of the pipeline of one model, with placeholders."""
    return steps(*compiled(scope, name))


def compiled(scope: Scope, name: str) -> tuple[Lifecycle, SageMakerSettings]:
    """What the definition of the pipeline of one model is printed of."""
    # What was stored under the former name stays where it is, and so does what follows.
    life = replace(lifecycle(scope.resolved, name), model=scope.known_as("models", name))
    return life, _settings(scope, name, scope.blueprint.models[name])


def _settings(scope: Scope, name: str, model: Model) -> SageMakerSettings:
    tags = {
        key: value.value if isinstance(value, Setting) else value
        for key, value in scope.tags.items()
    }
    tags |= {key: "${" + key + "}" for key in _STACK_TAGS}
    subnets, groups = scope.existing("subnets"), scope.existing("security_groups")
    placed = scope.places
    key = "${kms_key_arn}" if scope.customer_key else None
    instances = machines.step_instances(scope, name, model)
    return SageMakerSettings(
        images=machines.step_images(scope, name, model),
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


def _new_data(scope: Scope, dataset: str) -> Any:
    section = scope.blueprint.datasets[dataset]
    if section.is_local:
        bucket: Any = Ref("data", "data.bucket")
        prefix: Any = Ref("datasets", f'new_data_prefixes["{dataset}"]')
    else:
        address = (section.source or "").removeprefix("s3://")
        host, _, rest = address.partition("/")
        bucket = Setting(host, f"datasets.{dataset}.source.bucket")
        prefix = Setting(rest, f"datasets.{dataset}.source.prefix")
    return construct(
        "retrain_triggers:NewData",
        {
            "dataset": dataset,
            "bucket": bucket,
            "prefix": prefix,
            "known_as": scope.moved_from("datasets", dataset),
        },
    )


def _alarms(scope: Scope, model: str, limits: tuple[str, ...]) -> list[Ref]:
    return [
        Ref(f"{identifier(entry)}_monitor", f'alarm_arns["{metric}"]')
        for metric in limits
        for entry in machines.monitored(scope, model, metric)
    ]


@cache
def function(module: str) -> Definition:
    """The source of a function of the runtime."""
    # Not by importlib.resources: see `catalogue`.
    source = Path(runtime.__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    return Definition(f"functions/{module}.py", source)
