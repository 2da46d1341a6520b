"""Nobody owns a stack, and nobody contributes to all of it."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.azure.types import ROLE_ASSIGNMENT
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Rule, Violation

_OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_ACCESS = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
_BROAD = {_OWNER: "Owner", _ACCESS: "User Access Administrator"}


def check(context: Context) -> Iterator[Violation]:
    """Find assignments of roles that may give roles, and of Contributor on more than one resource."""
    for each in context.of_type(ROLE_ASSIGNMENT):
        role = str(each.inputs.get("roleDefinitionId")).rpartition("/")[2]
        scope = str(each.inputs.get("scope"))
        if role in _BROAD:
            yield Violation(f"it gives the role {_BROAD[role]}", each, "security")
        elif role == _CONTRIBUTOR and "/resourceGroups/" in scope and "/providers/" not in scope:
            yield Violation("it gives Contributor on a whole resource group", each, "security")


RULE = Rule(
    id="broad-role",
    title="Roles are given on single resources, and none that gives roles",
    severity="mandatory",
    why="An identity of a job that may give itself roles may do everything.",
    remediation="give a role that names what is done, on the resource that it is done to",
    source="Microsoft cloud security benchmark PA-7, https://learn.microsoft.com/security/benchmark/azure/mcsb-privileged-access",
    check=check,
)
