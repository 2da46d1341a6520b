"""The registries of the models that are trained here."""

from __future__ import annotations

from mlops_iac.clouds.aws.sagemaker.deployer_actions import SAGEMAKER_TAGS
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part
from mlops_iac.clouds.aws.sagemaker.scope import (
    Scope,
    call,
    call_name,
    former_names,
    identifier,
    registry_variable,
    trained_here,
)
from mlops_iac.clouds.base import ComponentCall, Refusal, Setting


def _plan(scope: Scope) -> list[ComponentCall]:
    return [_registry(scope, model) for model in scope.trained]


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


REGISTRIES = Part(
    plan=_plan,
    planned=("models.*.registry.approval",),
    refused=(
        Refusal("models.*.registry.keep_versions", "versions are never deleted", "leave it out"),
        Refusal("models.*.registry.card", "model cards are not published yet", "leave it out"),
    ),
    tagged=lambda scope: ["sagemaker.CreateModelPackageGroup"] if scope.trained else [],
    deployed=Deployed(
        actions={
            "Registry": (
                "sagemaker:CreateModelPackageGroup",
                # An ephemeral stack's versions go first: a group that holds some cannot be deleted.
                "sagemaker:DeleteModelPackage",
                "sagemaker:DeleteModelPackageGroup",
                "sagemaker:DeleteModelPackageGroupPolicy",
                "sagemaker:DescribeModelPackage",
                "sagemaker:DescribeModelPackageGroup",
                "sagemaker:GetModelPackageGroupPolicy",
                "sagemaker:ListModelPackages",
                "sagemaker:PutModelPackageGroupPolicy",
                *SAGEMAKER_TAGS,
            )
        },
    ),
    settings={
        "models.*.reader_accounts": "accounts that may look up versions of {name}",
        "models.*.registry_account": "the account whose registry holds {name}",
    },
)
