"""Names on Azure: readable, within every limit, and new where what was deleted keeps its own.

What must be unique in the world, and what is deleted softly, is named by Pulumi at random, by a pattern for
its type; everything else lies in the stack's own group or workspace and has a literal name. Standard library
only, so that a blueprint can be checked without a provider SDK.
"""

from __future__ import annotations

import re
from hashlib import sha256

_DIGEST = 7  # hex digits that replace what is cut
_RANDOM = 8  # hex digits that Pulumi adds
# What all names of a stack begin with is cut here.
STEM_LIMIT = 32
# Longest names. Source: azure-docs, "Naming rules and restrictions for Azure resources".
ACCOUNT_LIMIT = 24  # Microsoft.Storage/storageAccounts, small letters and digits
VAULT_LIMIT = 24  # Microsoft.KeyVault/vaults
REGISTRY_LIMIT = 50  # Microsoft.ContainerRegistry/registries, letters and digits
WORKSPACE_LIMIT = 33  # Microsoft.MachineLearningServices/workspaces
# Source: bicep types of Microsoft.MachineLearningServices 2025-12-01, onlineEndpoints and deployments.
ENDPOINT_LIMIT = DEPLOYMENT_LIMIT = 32
SHORT_LIMIT = 12  # Microsoft.Insights/actionGroups, groupShortName


def truncate(name: str, limit: int) -> str:
    """`name` itself when it is short enough, else its beginning and a hash of the whole."""
    if len(name) <= limit:
        return name
    digest = sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{name[: limit - _DIGEST - 1].rstrip('-')}-{digest}"


def stem(project: str, stack: str) -> str:
    """What every name of a stack begins with: `<project>-<stack>`, at most `STEM_LIMIT` characters."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", f"{project}-{stack}").strip("-").lower()
    return truncate(plain, STEM_LIMIT)


def squeezed(text: str) -> str:
    """`text` without what stands between its words, for names that take letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def automatic_names(project: str, stack: str) -> dict[str, object]:
    """Pulumi's own configuration of the names it makes, `pulumi:autonaming`."""
    start = stem(project, stack)
    end = f"${{hex({_RANDOM})}}"

    def hyphened(limit: int) -> str:
        return f"{truncate(start, limit - _RANDOM - 1)}-{end}"

    def plain(limit: int) -> str:
        return f"{squeezed(truncate(start, limit - _RANDOM))}{end}"

    patterns = {
        "containerregistry:Registry": plain(REGISTRY_LIMIT),
        "keyvault:Vault": hyphened(VAULT_LIMIT),
        "machinelearningservices:DataVersion": end,
        "machinelearningservices:OnlineEndpoint": hyphened(ENDPOINT_LIMIT),
        "machinelearningservices:Workspace": hyphened(WORKSPACE_LIMIT),
        "storage:StorageAccount": plain(ACCOUNT_LIMIT),
    }
    resources = {f"azure-native:{type_}": {"pattern": each} for type_, each in patterns.items()}
    return {"providers": {"azure-native": {"resources": resources}}}
