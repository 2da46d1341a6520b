"""ARM's names of the types that rules and computations speak of."""

from __future__ import annotations

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
BUDGETS = "Microsoft.Consumption/budgets"
CONTAINER_REGISTRIES = "Microsoft.ContainerRegistry/registries"
INSIGHTS = "Microsoft.Insights/components"
VAULTS = "Microsoft.KeyVault/vaults"
LEARNING = "Microsoft.MachineLearningServices"
WORKSPACES = f"{LEARNING}/workspaces"
ONLINE_ENDPOINTS = f"{WORKSPACES}/onlineEndpoints"
ONLINE_DEPLOYMENTS = f"{ONLINE_ENDPOINTS}/deployments"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
LOG_WORKSPACES = "Microsoft.OperationalInsights/workspaces"
GROUPS = "Microsoft.Resources/resourceGroups"
ACCOUNTS = "Microsoft.Storage/storageAccounts"
BLOB_SERVICES = f"{ACCOUNTS}/blobServices"
CONTAINERS = f"{BLOB_SERVICES}/containers"
