"""The rights of the deployer of one environment, as whoever takes the guide's table writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops_iac.clouds.aws.sagemaker.deployer_policy import Grant, filled, grants, origin
from mlops_iac.clouds.aws.sagemaker.scope import ROLES, Scope
from mlops_iac.clouds.base import ComponentCall
from mlops_iac.records import replace

_USE = frozenset({"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"})


def deployer(scope: Scope, plan: Sequence[ComponentCall]) -> list[Grant]:
    """Those of one environment, filled in, with what it needs in others."""
    blueprint = scope.blueprint
    found = grants(
        (call.component.partition(":")[2] for call in plan),
        boundary=blueprint.options.sagemaker.permissions_boundary,
    )
    if key := blueprint.existing.key:
        uses = tuple(
            a for each in found if each.sid == "OwnKeys" for a in each.actions if a in _USE
        )
        if uses:
            found.append(Grant("ExistingKey", uses, (key,), reason="a key that exists already"))
    roles = blueprint.existing.roles
    if passed := tuple(dict.fromkeys(filter(None, (getattr(roles, each) for each in ROLES)))):
        found = [
            replace(each, resources=(*each.resources, *passed)) if each.sid == "PassRoles" else each
            for each in found
        ]
    return filled(scope, [*found, *origin(scope)])


def statement(grant: Grant) -> dict[str, Any]:
    """As a policy holds it."""
    made: dict[str, Any] = {
        "Sid": grant.sid,
        "Effect": "Allow",
        "Action": list(grant.actions),
        "Resource": list(grant.resources),
    }
    return made | ({"Condition": dict(grant.conditions)} if grant.conditions else {})
