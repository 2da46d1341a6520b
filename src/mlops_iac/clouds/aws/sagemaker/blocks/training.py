"""The registries of models, and the pipelines that train them."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.sagemaker.blocks.model_checks import check_instances, check_models
from mlops_iac.clouds.aws.sagemaker.blocks.training_calls import compiled, pipeline
from mlops_iac.clouds.aws.sagemaker.blocks.training_requests import requests
from mlops_iac.clouds.aws.sagemaker.deployer_actions import OBJECTS, RULES, SAGEMAKER_TAGS
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import (
    STEPS,
    Scope,
    call,
    call_name,
    former_names,
    identifier,
    registry_variable,
    trained_here,
)
from mlops_iac.clouds.base import ComponentCall, Refusal, Setting

_STEP = (
    "script runtime.framework runtime.version runtime.image compute.size compute.instance "
    "compute.count compute.disk_gb compute.spot timeout_minutes env.*"
)


def _registry(scope: Scope, name: str) -> ComponentCall:
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
        aliases=former_names(scope, name, lambda former: call_name(registry_variable(former))),
    )


def _names(scope: Scope) -> Iterator[tuple[str, str]]:
    for name in scope.blueprint.models:
        for what in ("registry", "pipeline", "retrain"):
            yield f"{identifier(name)}_{what}", f"models.{name}"


REGISTRIES = Part(
    there=lambda scope: scope.trained,
    plan=lambda scope: [_registry(scope, name) for name in scope.trained],
    planned=prefixed("models.*.registry.", "approval card"),
    refused=(
        Refusal("models.*.registry.keep_versions", "versions are never deleted", "leave it out"),
    ),
    tagged=("sagemaker.CreateModelPackageGroup",),
    deployed=Deployed(
        actions={
            "Registry": (
                "sagemaker:CreateModelPackageGroup",
                # An ephemeral stack's versions go first: a group that holds some cannot be deleted.
                *prefixed(
                    "sagemaker:",
                    "DeleteModelPackage DeleteModelPackageGroup DeleteModelPackageGroupPolicy "
                    "DescribeModelPackage DescribeModelPackageGroup GetModelPackageGroupPolicy "
                    "ListModelPackages PutModelPackageGroupPolicy",
                ),
                *SAGEMAKER_TAGS,
            )
        },
    ),
    settings={
        "models.*.reader_accounts": "accounts that may look up versions of {name}",
        "models.*.registry_account": "the account whose registry holds {name}",
    },
)

TRAINING = Part(
    there=lambda scope: scope.trained,
    plan=lambda scope: [pipeline(scope, name) for name in scope.trained],
    compiled=lambda scope: [(name, compiled(scope, name)) for name in scope.trained],
    planned=(
        *prefixed(
            "models.*.",
            "description code runtime.framework runtime.version runtime.image datasets metrics.* "
            "train.checkpoints train.spot_wait_minutes train.hyperparameters.* tune.strategy "
            "tune.metric tune.trials tune.parallel tune.early_stopping tune.search.*.values tune.search.*.integer "
            "tune.search.*.continuous tune.search.*.scale evaluate.gates.*.at_least "
            "evaluate.gates.*.at_most evaluate.gates.*.no_worse_than source promote_from version env.*",
        ),
        *(field for step in STEPS for field in prefixed(f"models.*.{step}.", _STEP)),
    ),
    refused=(
        Refusal("models.*.features", "there is no feature store yet", "join them in prepare.py"),
        Refusal("models.*.evaluate.explain", "no step explains yet", "explain in evaluate.py"),
        *(
            Refusal(
                f"{owner}.runtime.dockerfile",
                "images are not built yet",
                "build and push it, and write `runtime: {image: …}`",
            )
            for owner in ("models.*", *(f"models.*.{step}" for step in STEPS))
        ),
    ),
    values=check_instances,
    check=check_models,
    names=_names,
    requests=requests,
    tagged=("sagemaker.CreatePipeline",),
    deployed=Deployed(
        actions={
            "TrainingPipeline": (
                "iam:PassRole",
                *prefixed(
                    "sagemaker:",
                    "CreatePipeline DeletePipeline DescribePipeline UpdatePipeline",
                ),
                *RULES,
                *SAGEMAKER_TAGS,
                *OBJECTS,
            )
        },
        passed_to=("sagemaker",),
    ),
    settings={
        "models.*.trained_here": "whether {name} is trained and registered in this environment;"
        " where it is not, a version approved elsewhere is served",
        "models.*.version": "the version of {name} to serve, to pin one or roll back;"
        " left out, `mlops-iac up` takes the newest approved one",
    },
)
