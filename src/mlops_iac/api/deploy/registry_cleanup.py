"""Versions in the registry of a stack that is to go: a group that holds some cannot be deleted.

Source: SageMaker developer guide, "Delete a Model Group": its versions are to be deleted first.
Pulumi does not know them: pipelines register them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.api.models.registry import real_session
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import AuthenticationError, MlopsError
from mlops_iac.policy.types import MODEL_GROUP

if TYPE_CHECKING:
    from mlops_iac.api.deploy.states import State

_NAME = "mlops-iac"


def delete_versions(state: State) -> int:
    """Delete every version in the groups of a stack, as its provider would; how many there were.

    Raises MlopsError where one could not be, AuthenticationError where nobody is signed in.
    """
    found = 0
    by_region: dict[str, list[str]] = {}
    for group, region in _groups(state):
        by_region.setdefault(region, []).append(group)
    for region, named in by_region.items():
        session = real_session(region)  # says where boto3 is missing
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            client = as_deployer(state.provider, session, region).client("sagemaker")
            for group in named:
                for arn in versions(client, group):
                    client.delete_model_package(ModelPackageName=arn)
                    found += 1
        except (BotoCoreError, ClientError) as error:
            signed_out = "Credential" in type(error).__name__
            raise (AuthenticationError if signed_out else MlopsError)(
                f"the model versions in {listed(named)} cannot be deleted, and the rest was left: {error}",
                hint="sign in as who may sagemaker:ListModelPackages and sagemaker:DeleteModelPackage",
            ) from None
    return found


def as_deployer(provider: Mapping[str, Any], session: Any, region: str) -> Any:
    """The session of whom a provider with these inputs deploys as. Raises botocore's own errors."""
    for role in _roles(provider):
        answer = session.client("sts").assume_role(RoleArn=role, RoleSessionName=_NAME)
        session = real_session(region, answer["Credentials"])
    return session


def _groups(state: State) -> list[tuple[str, str]]:
    """Names with their regions."""
    inputs = [item.get("inputs") or {} for item in state.resources if item["type"] == MODEL_GROUP]
    return [
        (str(each["modelPackageGroupName"]), str(each.get("region") or state.region))
        for each in inputs
    ]


def _roles(provider: Mapping[str, Any]) -> Sequence[str]:
    """Those that the provider takes on, one after the other."""
    said = provider.get("assumeRoles") or "[]"
    roles = json.loads(said) if isinstance(said, str) else said
    return [str(each["roleArn"]) for each in roles if isinstance(each, Mapping)]


def versions(client: Any, group: str) -> list[str]:
    """ARNs of the versions in a group; none where somebody deleted the group."""
    pages = client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    try:
        return [
            item["ModelPackageArn"] for page in pages for item in page["ModelPackageSummaryList"]
        ]
    except client.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return []
        raise
