"""Azure types that code asks for by name, and what is true of types: one row for each."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_iac.clouds.knowledge import TypeFacts

ACTION_GROUP = "azure-native:monitor:ActionGroup"
AUTOSCALE = "azure-native:monitor:AutoscaleSetting"
BUDGET = "azure-native:consumption:Budget"
CODE = "azure-native:machinelearningservices:CodeContainer"
CODE_VERSION = "azure-native:machinelearningservices:CodeVersion"
COMPONENT = "azure-native:machinelearningservices:ComponentVersion"
COMPUTE = "azure-native:machinelearningservices:Compute"
CONTAINER = "azure-native:storage:BlobContainer"
CONTAINER_REGISTRY = "azure-native:containerregistry:Registry"
DATA_ASSET = "azure-native:machinelearningservices:DataContainer"
DATA_VERSION = "azure-native:machinelearningservices:DataVersion"
DATASTORE = "azure-native:machinelearningservices:Datastore"
DIAGNOSTICS = "azure-native:monitor:DiagnosticSetting"
ENVIRONMENT = "azure-native:machinelearningservices:EnvironmentVersion"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
INSIGHTS = "azure-native:applicationinsights:Component"
LOG_ALARM = "azure-native:monitor:ScheduledQueryRule"
LOG_WORKSPACE = "azure-native:operationalinsights:Workspace"
MODEL = "azure-native:machinelearningservices:ModelContainer"
METRIC_ALARM = "azure-native:monitor:MetricAlert"
ONLINE_DEPLOYMENT = "azure-native:machinelearningservices:OnlineDeployment"
ONLINE_ENDPOINT = "azure-native:machinelearningservices:OnlineEndpoint"
RESOURCE_GROUP = "azure-native:resources:ResourceGroup"
ROLE_ASSIGNMENT = "azure-native:authorization:RoleAssignment"
STORAGE_ACCOUNT = "azure-native:storage:StorageAccount"
STORAGE_EXPIRY = "azure-native:storage:ManagementPolicy"
BLOB_SERVICE = "azure-native:storage:BlobServiceProperties"
VAULT = "azure-native:keyvault:Vault"
WORKSPACE = "azure-native:machinelearningservices:Workspace"


def _precious(holds: str) -> TypeFacts:
    """Cannot be made again once it is deleted."""
    return TypeFacts(holds=holds, precious=True, tagged=True)


TYPES: Mapping[str, TypeFacts] = {
    # It takes no tags; whose it is stands in its account.
    CONTAINER: TypeFacts(holds="the container and every blob in it"),
    DATA_ASSET: TypeFacts(holds="the dataset's versions in the workspace"),
    CONTAINER_REGISTRY: _precious("the container registry and its images"),
    RESOURCE_GROUP: _precious("the resource group, with everything in it"),
    STORAGE_ACCOUNT: _precious("the storage account and everything in it"),
    VAULT: _precious("the vault, and with it its keys and secrets"),
    WORKSPACE: _precious("the workspace, with its models, data and runs"),
    LOG_WORKSPACE: TypeFacts(holds="the log workspace and its logs", tagged=True),
    INSIGHTS: TypeFacts(holds="what applications told", tagged=True),
    ONLINE_DEPLOYMENT: TypeFacts(tagged=True),
    ONLINE_ENDPOINT: TypeFacts(answers="the endpoint", endpoint=True, tagged=True),
    AUTOSCALE: TypeFacts(guards="the number of instances", tagged=True),
    DIAGNOSTICS: TypeFacts(guards="what is logged"),
    LOG_ALARM: TypeFacts(guards="the alarm", tagged=True),
    METRIC_ALARM: TypeFacts(guards="the alarm", tagged=True),
    BLOB_SERVICE: TypeFacts(guards="the account's versions and soft deletion"),
    BUDGET: TypeFacts(guards="the budget"),
    ACTION_GROUP: TypeFacts(guards="who is told by alerts", tagged=True),
    IDENTITY: TypeFacts(tagged=True),
    COMPUTE: TypeFacts(tagged=True),
    MODEL: TypeFacts(holds="the model's versions"),
}
