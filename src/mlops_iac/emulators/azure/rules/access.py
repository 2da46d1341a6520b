"""Role assignments: of roles that there are, once for each principal, on what is there."""

from __future__ import annotations

import re

from mlops_iac.emulators.azure import kinds
from mlops_iac.emulators.azure.arm import ArmError
from mlops_iac.emulators.azure.puts import Put

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ROLE = re.compile(
    r"/subscriptions/[^/]+/providers/Microsoft\.Authorization/roleDefinitions/([^/]+)",
    re.IGNORECASE,
)


def _assignment(put: Put) -> None:
    said = put.said
    if not _GUID.fullmatch(put.name):
        raise ArmError(400, "InvalidRoleAssignmentId", "the name of a role assignment is a GUID")
    role = _ROLE.fullmatch(str(said.get("roleDefinitionId")))
    if role is None or not _GUID.fullmatch(role[1]):
        raise ArmError(
            400,
            "BadRequestFormat",
            f"{said.get('roleDefinitionId')} is no id of a role definition of a subscription",
        )
    if not _GUID.fullmatch(str(said.get("principalId"))):
        raise ArmError(400, "PrincipalNotFound", f"{said.get('principalId')} is no object id")
    scope = put.id.rpartition("/providers/")[0].lower()
    for each in put.store.of_type(kinds.ASSIGNMENTS):
        told = each.document["properties"]
        same = all(told[key] == said[key] for key in ("principalId", "roleDefinitionId"))
        if same and each.id.lower() != put.id.lower() and each.above.lower() == scope:
            raise ArmError(409, "RoleAssignmentExists", "The role assignment already exists.")


RULES = {kinds.ASSIGNMENTS: (_assignment,)}
