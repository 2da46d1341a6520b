"""What resources may be called, and which names are taken."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_iac.emulators.azure import kinds
from mlops_iac.emulators.azure.arm import ArmError
from mlops_iac.emulators.azure.puts import Item, Others, Put

# Type → form of its names, and in words. Source: azure-docs, "Naming rules and restrictions for Azure
# resources"; of endpoints, bicep types of Microsoft.MachineLearningServices 2025-12-01.
FORMS: Mapping[str, tuple[str, str]] = {
    kinds.CONTAINER_REGISTRIES: (
        r"[a-zA-Z0-9]{5,50}",
        "5 to 50 letters and digits",
    ),
    kinds.VAULTS: (
        r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
        "3 to 24 letters, digits and single hyphens, beginning with a letter",
    ),
    kinds.WORKSPACES: (
        r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}",
        "3 to 33 letters, digits, hyphens and underscores",
    ),
    kinds.ONLINE_ENDPOINTS: (
        r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,30}[a-zA-Z0-9]",
        "3 to 32 letters, digits and single hyphens, beginning with a letter",
    ),
    kinds.ONLINE_DEPLOYMENTS: (
        r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,30}[a-zA-Z0-9]",
        "3 to 32 letters, digits and single hyphens, beginning with a letter",
    ),
    kinds.IDENTITIES: (
        r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}",
        "3 to 128 letters, digits, hyphens and underscores",
    ),
    kinds.GROUPS: (
        r"[\w().-]{0,89}[\w()-]",
        "up to 90 letters, digits, `_`, `-`, `(`, `)` and periods, which do not end it",
    ),
    kinds.ACCOUNTS: (
        r"[a-z0-9]{3,24}",
        "3 to 24 small letters and digits",
    ),
    kinds.CONTAINERS: (
        r"[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]",
        "3 to 63 small letters, digits and single hyphens",
    ),
}
# Names that nobody else in the world may have.
_WORLDWIDE = (
    kinds.CONTAINER_REGISTRIES,
    kinds.VAULTS,
    kinds.ACCOUNTS,
)
# What is deleted softly keeps its name. Source: azure-docs, key-vault `soft-delete-overview`;
# azure-ai-docs, `concept-soft-delete`.
_KEPT = (kinds.VAULTS, kinds.WORKSPACES)


def _form(put: Put) -> None:
    form, words = FORMS.get(put.row.arm, (".*", ""))
    if not re.fullmatch(form, put.name):
        raise ArmError(
            400,
            "InvalidResourceName",
            f"'{put.name}' is no name of a {put.row.arm}: it takes {words}",
        )


def _taken(put: Put) -> None:
    arm, name = put.row.arm, put.name.lower()
    if put.old is not None:
        return
    if (arm, name) in put.store.kept_names:
        raise ArmError(
            409,
            "Conflict",
            f"a {arm} called '{name}' is soft-deleted: purge it, or take another name",
        )
    if arm in _WORLDWIDE and any(each.name.lower() == name for each in put.store.of_type(arm)):
        raise ArmError(409, "NameNotAvailable", f"the name '{name}' is already taken")


def keep(store: Others, item: Item) -> None:
    """Keep the name of what is deleted softly."""
    if item.row.arm in _KEPT:
        store.kept_names.add((item.row.arm, item.name.lower()))


EVERY = (_form, _taken)
