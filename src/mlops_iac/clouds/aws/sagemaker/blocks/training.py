"""The pipelines that train models."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.sagemaker.blocks.model_checks import check_instances, check_models
from mlops_iac.clouds.aws.sagemaker.blocks.training_calls import pipeline
from mlops_iac.clouds.aws.sagemaker.blocks.training_requests import requests
from mlops_iac.clouds.aws.sagemaker.deployer_actions import OBJECTS, RULES, SAGEMAKER_TAGS
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part
from mlops_iac.clouds.aws.sagemaker.scope import STEPS, Scope, identifier
from mlops_iac.clouds.base import ComponentCall, Refusal

_STEP = (
    "script",
    "runtime.framework",
    "runtime.version",
    "runtime.image",
    "compute.size",
    "compute.instance",
    "compute.count",
    "compute.disk_gb",
    "compute.spot",
    "timeout_minutes",
    "env.*",
)


def _plan(scope: Scope) -> list[ComponentCall]:
    return [pipeline(scope, model) for model in scope.trained]


def _names(scope: Scope) -> Iterator[tuple[str, str]]:
    for name in scope.blueprint.models:
        for what in ("registry", "pipeline", "retrain"):
            yield f"{identifier(name)}_{what}", f"models.{name}"


TRAINING = Part(
    plan=_plan,
    planned=tuple(
        f"models.*.{name}"
        for name in (
            "description",
            "code",
            "runtime.framework",
            "runtime.version",
            "runtime.image",
            "datasets",
            "metrics.*",
            *(f"{step}.{item}" for step in STEPS for item in _STEP),
            "train.checkpoints",
            "train.spot_wait_minutes",
            "train.hyperparameters.*",
            "tune.strategy",
            "tune.metric",
            "tune.trials",
            "tune.parallel",
            "tune.search.*.values",
            "tune.search.*.integer",
            "tune.search.*.continuous",
            "tune.search.*.scale",
            "evaluate.gates.*.at_least",
            "evaluate.gates.*.at_most",
            "source",
            "promote_from",
            "version",
            "env.*",
        )
    ),
    refused=(
        Refusal("models.*.features", "there is no feature store yet", "join them in prepare.py"),
        Refusal("models.*.evaluate.explain", "no step explains yet", "explain in evaluate.py"),
        Refusal(
            "models.*.evaluate.gates.*.no_worse_than",
            "the version in service cannot be compared with yet",
            "write a number, `at_least` or `at_most`",
        ),
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
    tagged=lambda scope: ["sagemaker.CreatePipeline"] if scope.trained else [],
    deployed=Deployed(
        actions={
            "TrainingPipeline": (
                "iam:PassRole",
                "sagemaker:CreatePipeline",
                "sagemaker:DeletePipeline",
                "sagemaker:DescribePipeline",
                "sagemaker:UpdatePipeline",
                *RULES,
                *SAGEMAKER_TAGS,
                *OBJECTS,
            )
        },
    ),
    settings={
        "models.*.trained_here": "whether {name} is trained and registered in this environment;"
        " where it is not, a version approved elsewhere is served",
        "models.*.version": "the version of {name} to serve, to pin one or roll back;"
        " left out, `mlops-iac up` takes the newest approved one",
    },
)
