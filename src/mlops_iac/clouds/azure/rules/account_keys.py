"""Nobody comes with a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_iac.clouds.azure.types import (
    CONTAINER_REGISTRY,
    INSIGHTS,
    LOG_WORKSPACE,
    STORAGE_ACCOUNT,
)
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Rule, Violation
from mlops_iac.values import UNKNOWN

# Type → the property that says whether keys do, what it has to be, and what it is where it is not said.
_KEYS: Mapping[str, tuple[str, bool, bool]] = {
    STORAGE_ACCOUNT: ("allowSharedKeyAccess", False, True),
    CONTAINER_REGISTRY: ("adminUserEnabled", False, False),
    INSIGHTS: ("disableLocalAuth", True, False),
    LOG_WORKSPACE: ("features.disableLocalAuth", True, False),
}


def check(context: Context) -> Iterator[Violation]:
    """Find what a key opens."""
    for type_, (path, wanted, otherwise) in _KEYS.items():
        for each in context.of_type(type_):
            value: object = each.inputs
            for key in path.split("."):
                value = value.get(key) if isinstance(value, Mapping) else None
            if value is not UNKNOWN and (otherwise if value is None else value) is not wanted:
                yield Violation("whoever has a key is let in", each, "security")


RULE = Rule(
    id="account-keys",
    title="Storage, images and logs are reached by identities, never by keys",
    severity="mandatory",
    why="A key is everybody's who has it: nothing says who read what, and it opens everything at once.",
    remediation="set `allowSharedKeyAccess` and `adminUserEnabled` to false, `disableLocalAuth` to true",
    source="Microsoft cloud security benchmark IM-1, https://learn.microsoft.com/security/benchmark/azure/mcsb-identity-management",
    check=check,
)
