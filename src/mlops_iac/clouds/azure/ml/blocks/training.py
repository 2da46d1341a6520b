"""The registries of models, and the pipelines that train them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlops_iac.blueprint.sections.compute import PACKAGES, Compute
from mlops_iac.clouds.azure import catalogue
from mlops_iac.clouds.azure.ml.blocks.model_checks import check_models
from mlops_iac.clouds.azure.ml.definition.printer import (
    JOB,
    REGISTER,
    VERSIONS,
    AzureMlSettings,
    dataset_placeholder,
    definition,
)
from mlops_iac.clouds.azure.ml.parts import Part
from mlops_iac.clouds.azure.ml.scope import (
    COMPONENTS,
    FOUNDATION,
    WORKSPACE,
    Scope,
    call,
)
from mlops_iac.clouds.azure.runtime import job, versions
from mlops_iac.clouds.base import Archive, ComponentCall, Definition, Ref, Refusal, Setting
from mlops_iac.clouds.parts import prefixed
from mlops_iac.clouds.scope import (
    STACK_TAG,
    STEPS,
    call_name,
    construct,
    former_names,
    identifier,
    trained_here,
)
from mlops_iac.pipeline.lifecycle import lifecycle
from mlops_iac.pipeline.reading import training_datasets
from mlops_iac.pipeline.steps import Lifecycle
from mlops_iac.pipeline.tasks import Job, tasks
from mlops_iac.records import replace
from mlops_iac.runtime.files import runtime_files

JOBS = "jobs"
_STEP = (
    "script runtime.framework runtime.version runtime.image compute.size compute.instance "
    "compute.count compute.disk_gb compute.spot timeout_minutes env.*"
)
# Tags whose value is made of the stack's name are filled in by the program.
_STACK_TAGS = ("environment", STACK_TAG)


def registry_variable(model: str) -> str:
    """The variable of the registry of a model."""
    return f"{identifier(model)}_registry"


def _registry(scope: Scope, name: str) -> ComponentCall:
    description = scope.blueprint.models[name].description
    return call(
        registry_variable(name),
        "registry:Registry",
        {
            "group": Ref(FOUNDATION, "group"),
            "workspace": Ref(WORKSPACE, "workspace"),
            "model": scope.known_as("models", name),
            "description": Setting(description, f"models.{name}.description")
            if description
            else None,
            "protect": scope.protect,
            "tags": scope.tags,
        },
        path=f"models.{name}",
        exports={f"{identifier(name)}_model_container": "container"},
        flag=trained_here(name),
        aliases=former_names(scope, name, lambda former: call_name(registry_variable(former))),
    )


def _jobs(scope: Scope) -> Iterator[ComponentCall]:
    machines = {}
    for name in scope.trained:
        for kind in _kinds(compiled(scope, name)[0]):
            machines[f"{name}-{kind}"] = construct(
                COMPONENTS, "jobs:Machine", _machine(scope, name, kind)
            )
    planes = ("train", REGISTER)
    yield call(
        JOBS,
        "jobs:Jobs",
        {
            **scope.place,
            "workspace": Ref(WORKSPACE, "workspace"),
            "account": Ref("data", "account"),
            "scopes": {
                "artifacts": Ref("data", 'container_ids["artifacts"]'),
                "registry": Ref("images", "registry_id"),
                "workspace": Ref(WORKSPACE, "workspace_id"),
            },
            "identities": {plane: Ref(FOUNDATION, f"{plane}.id") for plane in planes},
            "principals": {plane: Ref(FOUNDATION, f"{plane}.principal_id") for plane in planes},
            "machines": machines,
        },
        path="",
    )


def _machine(scope: Scope, name: str, kind: str) -> dict[str, Any]:
    """What a kind of task runs on; what reads and writes the registry, on the smallest there is."""
    if kind == REGISTER:
        return {"plane": REGISTER, "size": size(Compute())}
    model, step = scope.blueprint.models[name], _like(scope, name, kind)
    compute, path = getattr(model, step).compute, f"models.{name}.{step}.compute"
    found: dict[str, Any] = {"plane": "train", "size": Setting(size(compute), f"{path}.instance")}
    if any(
        getattr(each.blueprint.models[name], step).compute.spot
        for each in scope.siblings
        if name in each.trained and getattr(each.blueprint.models[name], step)
    ):
        found["low_priority"] = Setting(compute.spot, f"{path}.spot")
    if kind == "train" and model.tune:
        found["nodes"] = Setting(model.tune.parallel, f"models.{name}.tune.parallel")
    return found


def size(compute: Compute) -> str:
    """The VM size of a compute section."""
    found = catalogue.machine(compute, "training")
    return found.name if found else str(compute.instance)


def _like(scope: Scope, name: str, kind: str) -> str:
    """The step that says what a kind of task runs on: a try reads what evaluating does."""
    if kind in STEPS:
        return kind
    return "evaluate" if scope.blueprint.models[name].evaluate else "train"


def _kinds(life: Lifecycle) -> list[str]:
    kinds = [task.kind for task in tasks(life) if isinstance(task, Job)]
    return [*kinds, REGISTER]


def _training(scope: Scope, name: str) -> ComponentCall:
    model, path = scope.blueprint.models[name], f"models.{name}"
    life, settings = compiled(scope, name)
    kinds = _kinds(life)
    return call(
        f"{identifier(name)}_pipeline",
        "training:Training",
        {
            "group": Ref(FOUNDATION, "group"),
            "workspace": Ref(WORKSPACE, "workspace"),
            "workspace_id": Ref(WORKSPACE, "workspace_id"),
            "account": Ref("data", "account"),
            "model": life.model,
            "definition": Definition(f"pipelines/{name}.json", definition(life, settings)),
            "code": Archive(
                f"code/{name}.tar.gz", str(scope.resolved.file(model.code or "")), packed()
            ),
            "environments": {
                kind: construct(COMPONENTS, "training:Environment", _environment(scope, name, kind))
                for kind in kinds
                if kind != REGISTER
            },
            "clusters": {kind: Ref(JOBS, f'clusters["{name}-{kind}"]') for kind in kinds},
            "values": {
                **{tag: scope.tags[tag] for tag in _STACK_TAGS},
                **{
                    dataset_placeholder(each): Ref("datasets", f'uris.get("{each}")')
                    for each, _ in training_datasets(scope.resolved, name)
                },
            },
            "description": Setting(model.description, f"{path}.description")
            if model.description
            else None,
            "tags": scope.tags,
        },
        path=path,
        name=f"{name}-training",
        depends_on=(JOBS, registry_variable(name)),
        exports={
            f"{identifier(name)}_pipeline": "pipeline",
            f"{identifier(name)}_code_uri": "code_uri",
        },
        flag=trained_here(name),
        aliases=former_names(scope, name, lambda former: f"{former}-training"),
    )


def packed() -> dict[str, bytes]:
    """What is packed beside the workload: the runtime, and what starts it in jobs of Azure ML."""
    own = {JOB: job, VERSIONS: versions}
    return {**runtime_files(), **{name: _source(module) for name, module in own.items()}}


def _source(module: Any) -> bytes:
    return bytes(module.__loader__.get_data(module.__file__))


def _environment(scope: Scope, name: str, kind: str) -> dict[str, Any]:
    model = scope.blueprint.models[name]
    step = getattr(model, kind, None) or (model.train if model.runtime is None else None)
    runtime = (step.runtime if step else None) or model.runtime
    assert runtime is not None
    path = f"models.{name}.{kind}.environment"
    if runtime.image is not None:
        return {"image": Setting(runtime.image, f"{path}.image")}
    found = catalogue.machine(getattr(model, _like(scope, name, kind)).compute, "training")
    package = PACKAGES.get(runtime.framework or "", runtime.framework)
    return {
        "image": Setting(catalogue.IMAGES[bool(found and found.gpus)], f"{path}.image"),
        "package": Setting(f"{package}=={runtime.version}.*", f"{path}.package"),
    }


def compiled(scope: Scope, name: str) -> tuple[Lifecycle, AzureMlSettings]:
    """What the definition of the pipeline of one model is printed of."""
    # What was stored under the former name stays where it is, and so does what follows.
    life = replace(lifecycle(scope.resolved, name), model=scope.known_as("models", name))
    tags = {
        key: value.value if isinstance(value, Setting) else value
        for key, value in scope.tags.items()
    }
    return life, AzureMlSettings({**tags, **{key: "${" + key + "}" for key in _STACK_TAGS}})


def _names(scope: Scope) -> Iterator[tuple[str, str]]:
    for name in scope.blueprint.models:
        yield registry_variable(name), f"models.{name}"
        yield f"{identifier(name)}_pipeline", f"models.{name}"


REGISTRIES = Part(
    there=lambda scope: scope.trained,
    plan=lambda scope: [_registry(scope, name) for name in scope.trained],
    planned=("models.*.registry.approval",),
    refused=(
        Refusal("models.*.registry.keep_versions", "versions are never deleted", "leave it out"),
        Refusal("models.*.registry.card", "model cards are not published yet", "leave it out"),
    ),
)

TRAINING = Part(
    there=lambda scope: scope.trained,
    plan=lambda scope: [*_jobs(scope), *(_training(scope, name) for name in scope.trained)],
    compiled=lambda scope: [(name, compiled(scope, name)) for name in scope.trained],
    planned=(
        *prefixed(
            "models.*.",
            "description code runtime.framework runtime.version runtime.image datasets metrics.* "
            "train.checkpoints train.hyperparameters.* tune.strategy tune.metric tune.trials tune.parallel "
            "tune.early_stopping tune.search.*.values tune.search.*.integer tune.search.*.continuous "
            "tune.search.*.scale evaluate.gates.*.at_least evaluate.gates.*.at_most "
            "evaluate.gates.*.no_worse_than version env.*",
        ),
        *(field for step in STEPS for field in prefixed(f"models.*.{step}.", _STEP)),
    ),
    refused=(
        Refusal("models.*.features", "there is no feature store yet", "join them in prepare.py"),
        Refusal("models.*.evaluate.explain", "no step explains yet", "explain in evaluate.py"),
        Refusal(
            "models.*.train.spot_wait_minutes",
            "a cluster waits for low-priority nodes as long as the job may",
            "leave it out",
        ),
        Refusal("models.*.retrain", "pipelines are not started by themselves yet", "leave it out"),
        Refusal("models.*.source", "models that are brought are not served yet", "train it"),
        Refusal("models.*.promote_from", "versions are not promoted yet", "train it here"),
        *(
            Refusal(
                f"{owner}.runtime.dockerfile",
                "images are not built yet",
                "build and push it, and write `runtime: {image: …}`",
            )
            for owner in ("models.*", *(f"models.*.{step}" for step in STEPS))
        ),
    ),
    check=check_models,
    names=lambda scope: [(JOBS, ""), *_names(scope)] if scope.trained else [],
    namespaces=("Microsoft.MachineLearningServices",),
    identities=("train", REGISTER),
    settings={"models.*.trained_here": "whether {name} is trained and registered here"},
)
