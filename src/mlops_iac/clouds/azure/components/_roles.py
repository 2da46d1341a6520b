"""Role assignments: none without a reason, which stands in the assignment itself.

Names are known before anything exists (scope, principal and role make them), so a plan says what stays; the
service takes no other role for one, and no other principal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

import pulumi
from pulumi_azure_native import authorization

from ._context import start, subscription_of

# Source: azure-docs, role-based-access-control, "Azure built-in roles".
ROLES: Mapping[str, str] = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AzureML Data Scientist": "f6c7c914-8db3-469d-8ca1-694a8f32e121",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
}


@dataclass(frozen=True)
class Principal:
    """Who: `name` tells it from others of the stack, `id` is its object id."""

    name: str
    id: pulumi.Input[str]


@dataclass(frozen=True)
class Scope:
    """On what: `name` tells it from others of the stack."""

    name: str
    id: pulumi.Input[str]


def assign(
    role: str,
    principal: Principal,
    scope: Scope,
    *,
    reason: str,
    parent: pulumi.Resource,
) -> authorization.RoleAssignment:
    """Give `principal` a role on `scope`, because of `reason`."""
    seed = "/".join(
        (
            pulumi.Config("azure-native").get("subscriptionId") or "",
            start(),
            scope.name,
            principal.name,
            role,
        )
    )
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{ROLES[role]}"
    plain = role.lower().replace(" ", "-")
    return authorization.RoleAssignment(
        f"{principal.name}-{scope.name}-{plain}",
        scope=scope.id,
        role_assignment_name=str(uuid5(NAMESPACE_URL, seed)),
        role_definition_id=pulumi.Output.concat(subscription_of(scope.id), definition),
        principal_id=principal.id,
        # Without it an identity that was just made is looked for where it is not yet.
        principal_type="ServicePrincipal",
        description=reason,
        opts=pulumi.ResourceOptions(parent=parent),
    )
