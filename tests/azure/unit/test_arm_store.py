"""The emulated ARM keeps ARM's rules: what is missing, mistyped, taken or for ever is refused in its words."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from mlops_iac.emulators.azure.certificates import HOST, authority, context
from mlops_iac.emulators.azure.lists import PAGE
from mlops_iac.emulators.azure.provider import AzureProvider
from mlops_iac.emulators.azure.store import ArmStore
from mlops_iac.emulators.azure.tables import row
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.graph.standins import StandIns
from mlops_iac.values import UNKNOWN

NOW = datetime(2026, 12, 7, tzinfo=UTC)
GROUP = "azure-native:resources:ResourceGroup"
ACCOUNT = "azure-native:storage:StorageAccount"
CONTAINER = "azure-native:storage:BlobContainer"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
VAULT = "azure-native:keyvault:Vault"
WORKSPACE = "azure-native:machinelearningservices:Workspace"
MODEL = "azure-native:machinelearningservices:ModelVersion"
ROLE = "azure-native:authorization:RoleAssignment"
ENDPOINT = "azure-native:machinelearningservices:OnlineEndpoint"
DEPLOYMENT = "azure-native:machinelearningservices:OnlineDeployment"
BUDGET = "azure-native:consumption:Budget"
IN_GROUP = {"resourceGroupName": "g", "location": "westeurope"}
ACCOUNT_INPUTS = {
    **IN_GROUP,
    "accountName": "account1",
    "kind": "StorageV2",
    "sku": {"name": "Standard_LRS"},
}
CONTAINER_INPUTS = {
    "resourceGroupName": "g",
    "accountName": "account1",
    "containerName": "datasets",
}
VAULT_INPUTS = {
    **IN_GROUP,
    "vaultName": "vault-1",
    "properties": {"tenantId": "t", "sku": {"family": "A", "name": "standard"}},
}
WORKSPACE_INPUTS = {**IN_GROUP, "workspaceName": "ws1", "description": "x"}
ROLE_ID = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/"
READER = f"{ROLE_ID}acdd72a7-3385-48ef-bd42-f606fba81ae7"


@pytest.fixture
def store() -> ArmStore:
    return ArmStore(now=lambda: NOW)


@pytest.fixture
def cloud(store: ArmStore) -> AzureProvider:
    provider = AzureProvider(transport=store, subscription="s")
    provider.configure("local", {})
    made(provider, GROUP, {"resourceGroupName": "g", "location": "westeurope"})
    return provider


def made(cloud: AzureProvider, type_: str, inputs: dict[str, Any]) -> ResourceState:
    checked = cloud.check(f"urn:pulumi:local::p::{type_}::n", type_, None, inputs, b"seed")
    assert not checked.failures
    return cloud.create("urn", type_, checked.inputs, "token")


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(ProviderError, match=code):
        yield


def test_what_is_made_is_read_back(cloud: AzureProvider) -> None:
    for type_, inputs in (
        (ACCOUNT, ACCOUNT_INPUTS),
        (CONTAINER, CONTAINER_INPUTS),
        (VAULT, VAULT_INPUTS),
        (WORKSPACE, WORKSPACE_INPUTS),
    ):
        state = made(cloud, type_, dict(inputs))
        found = cloud.read(type_, state.id, state)
        assert found is not None
        assert found.inputs == state.inputs == inputs
        assert found.outputs == state.outputs
        assert cloud.find(type_, inputs, "token") == found


def test_identities_are_a_list_going_in_and_an_object_coming_out(cloud: AzureProvider) -> None:
    identity = made(cloud, IDENTITY, {**IN_GROUP, "resourceName": "id1"})
    said = {"type": "UserAssigned", "userAssignedIdentities": [identity.id]}
    state = made(cloud, WORKSPACE, {**WORKSPACE_INPUTS, "identity": said})
    assert state.inputs["identity"] == said
    assert state.outputs["identity"]["userAssignedIdentities"].keys() == {identity.id}


def test_ids_are_told_before_anything_exists(cloud: AzureProvider) -> None:
    stand_ins = StandIns()
    id_, outputs = cloud.stand_ins(
        WORKSPACE, "ws", IN_GROUP, lambda name, shape: stand_ins.make("a.B/ws", name, shape)
    )
    assert stand_ins.render(id_) == "${a.B/ws.id}"
    assert id_.startswith("/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning")
    assert stand_ins.render(outputs["workspaceName"]) == "${a.B/ws.workspaceName}"


REFUSED = [
    ("a group that is not there", ACCOUNT, {**ACCOUNT_INPUTS, "resourceGroupName": "no"},
     "ResourceGroupNotFound"),
    ("a parent that is not there", CONTAINER, {**CONTAINER_INPUTS, "accountName": "nobody"},
     "ParentResourceNotFound"),
    ("capitals in an account's name", ACCOUNT, {**ACCOUNT_INPUTS, "accountName": "Account"},
     "3 to 24 small letters"),
    ("a vault's name with two hyphens", VAULT, {**VAULT_INPUTS, "vaultName": "a--b"},
     "InvalidResourceName"),
    ("a workspace's name that is too long", WORKSPACE,
     {**WORKSPACE_INPUTS, "workspaceName": "w" * 34}, "InvalidResourceName"),
    ("a role that is none", ROLE, {"scope": "/subscriptions/s/resourceGroups/g",
     "roleAssignmentName": "7b0f9a52-7d3e-4b0c-9e61-0a8d2c5b7f36", "roleDefinitionId": "Reader",
     "principalId": "7b0f9a52-7d3e-4b0c-9e61-0a8d2c5b7f36"}, "BadRequestFormat"),
    ("a principal that is a name", ROLE, {"scope": "/subscriptions/s/resourceGroups/g",
     "roleAssignmentName": "7b0f9a52-7d3e-4b0c-9e61-0a8d2c5b7f36", "roleDefinitionId": READER,
     "principalId": "ml-leads"}, "PrincipalNotFound"),
    ("a budget that begins elsewhen", BUDGET, {"scope": "/subscriptions/s/resourceGroups/g",
     "budgetName": "b", "amount": 1, "category": "Cost", "timeGrain": "Monthly",
     "timePeriod": {"startDate": "2026-11-01T00:00:00Z"}}, "not in the current period"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "type_", "inputs", "words"), REFUSED, ids=[c[0] for c in REFUSED])
def test_what_the_service_refuses(
    case: str, type_: str, inputs: dict[str, Any], words: str, cloud: AzureProvider
) -> None:
    with refused(words):
        made(cloud, type_, inputs)


CHECKED = [
    ("a misspelt property", ACCOUNT, {"allowSharedKeyAcces": False}, "did you mean 'allowSharedKeyAccess'?"),
    ("a misspelt value", ACCOUNT, {"kind": "StorageV3"}, "did you mean 'StorageV2'?"),
    ("a wrong type", ACCOUNT, {"isHnsEnabled": "often"}, "true or false"),
    ("a variant that is none", "azure-native:machinelearningservices:OnlineDeployment",
     {"properties": {"endpointComputeType": "Fast"}}, "must be one of Kubernetes, Managed"),
    ("a property of another variant", "azure-native:machinelearningservices:OnlineDeployment",
     {"properties": {"endpointComputeType": "Managed", "containerResourceRequirements": {}}},
     "no property 'containerResourceRequirements'"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "type_", "inputs", "said"), CHECKED, ids=[c[0] for c in CHECKED])
def test_what_the_provider_refuses(
    case: str, type_: str, inputs: dict[str, Any], said: str, cloud: AzureProvider
) -> None:
    failures = cloud.check("urn:x::n", type_, None, inputs, b"").failures
    assert any(said in each.reason for each in failures), failures


def test_nothing_is_taken_over(cloud: AzureProvider) -> None:
    made(cloud, ACCOUNT, dict(ACCOUNT_INPUTS))
    with refused("cannot create already existing resource"):
        cloud.create("urn", ACCOUNT, ACCOUNT_INPUTS, "other")
    made(cloud, GROUP, {"resourceGroupName": "h", "location": "westeurope"})
    with refused("NameNotAvailable"):
        made(cloud, ACCOUNT, {**ACCOUNT_INPUTS, "resourceGroupName": "h"})


def test_what_stays_is_refused_where_it_would_be_sent(cloud: AzureProvider) -> None:
    """Pulumi sends a workspace's other location as an update; the service takes none."""
    state = made(cloud, WORKSPACE, dict(WORKSPACE_INPUTS))
    new = {**WORKSPACE_INPUTS, "location": "northeurope"}
    found = cloud.diff(WORKSPACE, state.id, state.inputs, state.outputs, new)
    assert not found.replace_keys
    with refused("PropertyChangeNotAllowed: location"):
        cloud.update("urn", WORKSPACE, state, new)


def test_one_role_is_given_once(cloud: AzureProvider) -> None:
    principal = {"principalId": "7b0f9a52-7d3e-4b0c-9e61-0a8d2c5b7f36", "roleDefinitionId": READER}
    inputs = {**principal, "scope": "/subscriptions/s/resourceGroups/g"}
    made(cloud, ROLE, {**inputs, "roleAssignmentName": "00000000-0000-4000-8000-000000000001"})
    with refused("RoleAssignmentExists"):
        made(cloud, ROLE, {**inputs, "roleAssignmentName": "00000000-0000-4000-8000-000000000002"})


def test_a_group_goes_with_all_that_is_in_it_and_a_vault_keeps_its_name(
    cloud: AzureProvider,
) -> None:
    inside = [made(cloud, ACCOUNT, dict(ACCOUNT_INPUTS)), made(cloud, VAULT, dict(VAULT_INPUTS))]
    group = cloud.read(GROUP, "/subscriptions/s/resourceGroups/g", None)
    assert group is not None
    cloud.delete(GROUP, group)
    for type_, each in zip((ACCOUNT, VAULT), inside, strict=True):
        assert cloud.read(type_, each.id, each) is None
        cloud.delete(type_, each)  # absent already is success
    made(cloud, GROUP, {"resourceGroupName": "g", "location": "westeurope"})
    made(cloud, ACCOUNT, dict(ACCOUNT_INPUTS))
    with refused("soft-deleted"):
        made(cloud, VAULT, dict(VAULT_INPUTS))


def test_a_version_brings_what_it_is_a_version_of(cloud: AzureProvider, store: ArmStore) -> None:
    made(cloud, WORKSPACE, dict(WORKSPACE_INPUTS))
    version = {"resourceGroupName": "g", "workspaceName": "ws1", "name": "m", "version": "1"}
    state = made(cloud, MODEL, {**version, "properties": {"modelUri": "azureml://x"}})
    above = state.id.rpartition("/versions/")[0]
    assert store.get(above)["name"] == "m"
    assert [each["name"] for each in store.get(f"{above}/versions")["value"]] == ["1"]


def test_a_patch_changes_what_it_says_alone(cloud: AzureProvider, store: ArmStore) -> None:
    state = made(cloud, ACCOUNT, {**ACCOUNT_INPUTS, "allowSharedKeyAccess": False})
    answer = store.request("PATCH", state.id, {"api-version": "x"}, {"tags": {"a": "b"}})
    assert answer.status == 200
    found = cloud.read(ACCOUNT, state.id, state)
    assert found is not None
    assert found.inputs == {**state.inputs, "tags": {"a": "b"}}


@pytest.mark.parametrize(
    ("method", "path", "query", "code"),
    [
        ("GET", "/subscriptions/s/resourceGroups/g", {}, "MissingApiVersionParameter"),
        ("GET", "/subscriptions/s/resourceGroups/none", {"api-version": "x"}, "ResourceNotFound"),
        ("PUT", "/subscriptions/s/resourceGroups/g/providers/Microsoft.X/y/z",
         {"api-version": "x"}, "InvalidResourceType"),
        ("PUT", "/nonsense", {"api-version": "x"}, "InvalidResourceId"),
        ("COPY", "/subscriptions/s", {"api-version": "x"}, "MethodNotAllowed"),
    ],
)  # fmt: skip
def test_what_is_no_request(
    method: str, path: str, query: dict[str, str], code: str, store: ArmStore
) -> None:
    assert store.request(method, path, query, {}).body["error"]["code"] == code


def test_what_is_not_known_reaches_nobody(cloud: AzureProvider, store: ArmStore) -> None:
    for value in (UNKNOWN, StandIns().make("a", "b")):
        with pytest.raises(ProviderError, match=r"unknown|stand-in"):
            cloud.create("urn", ACCOUNT, {**ACCOUNT_INPUTS, "kind": value}, "token")
    assert [*store.of_type("Microsoft.Storage/storageAccounts")] == []


def test_other_stacks_are_not_served(cloud: AzureProvider) -> None:
    with pytest.raises(ProviderError, match="serves the stack 'local' alone, not 'prod'"):
        cloud.configure("prod", {})


def test_every_type_has_an_id() -> None:
    known = row("azure-native:machinelearningservices:OnlineDeployment")
    assert known is not None
    assert known.template == (
        "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft."
        "MachineLearningServices/workspaces/{workspaceName}/onlineEndpoints/{endpointName}"
        "/deployments/{deploymentName}"
    )


def test_a_list_comes_in_pages(store: ArmStore, cloud: AzureProvider) -> None:
    made(cloud, ACCOUNT, dict(ACCOUNT_INPUTS))
    for number in range(PAGE + 1):
        made(cloud, CONTAINER, {**CONTAINER_INPUTS, "containerName": f"c{number:03}"})
    account = (
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account1"
    )
    query = {"api-version": "2024-01-01"}
    first = store.request("GET", f"{account}/blobServices/default/containers", query, None).body
    link = urlsplit(first["nextLink"])
    second = store.request("GET", link.path, dict(parse_qsl(link.query)), None).body
    names = [each["name"] for page in (first, second) for each in page["value"]]
    assert names == [f"c{number:03}" for number in range(PAGE + 1)]
    assert len(first["value"]) == PAGE
    assert "nextLink" not in second


WORKSPACE_ID = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/ws1"
)
LISTS = [
    ("of a subscription", "/subscriptions/s/providers/Microsoft.Storage/storageAccounts", {},
     ["account1"]),
    ("of all kinds", "/subscriptions/s/resourceGroups/g/resources", {}, ["account1", "vault-1"]),
    ("of one of all kinds", "/subscriptions/s/resources",
     {"$filter": "resourceType eq 'Microsoft.KeyVault/vaults'"}, ["vault-1"]),
    ("the newest first", f"{WORKSPACE_ID}/models/m/versions",
     {"$orderby": "createdtime desc", "$top": "1"}, ["2"]),
    ("in a group that is not there",
     "/subscriptions/s/resourceGroups/h/providers/Microsoft.KeyVault/vaults", {}, "ResourceNotFound"),
    ("of no known type", "/subscriptions/s/resourceGroups/g/providers/Microsoft.X/ys", {},
     "InvalidResourceType"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "path", "query", "told"), LISTS, ids=[c[0] for c in LISTS])
def test_what_is_listed(
    case: str, path: str, query: dict[str, str], told: Any, store: ArmStore, cloud: AzureProvider
) -> None:
    made(cloud, ACCOUNT, dict(ACCOUNT_INPUTS))
    made(cloud, VAULT, dict(VAULT_INPUTS))
    version = {"api-version": "2024-04-01"}
    if "ws1" in path:
        store.request("PUT", WORKSPACE_ID, version, {"location": "westeurope"})
        for number in ("1", "2"):
            store.request(
                "PUT", f"{WORKSPACE_ID}/models/m/versions/{number}", version, {"properties": {}}
            )
    answer = store.request("GET", path, {**query, **version}, None).body
    if isinstance(told, str):
        assert answer["error"]["code"] == told
    else:
        assert [each["name"] for each in answer["value"]] == told


def test_a_certificate_is_trusted_here_and_nowhere_else(tmp_path: Path) -> None:
    """Its authority's key is nowhere, and what is the server's alone is its owner's alone."""
    trusted = authority(tmp_path)
    assert authority(tmp_path) == trusted
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "ca.pem": 0o600,
        "tls.pem": 0o600,
    }
    assert b"PRIVATE" not in trusted.read_bytes()
    ours, theirs = socket.socketpair()
    server = context(tmp_path)

    def answer() -> None:
        with suppress(OSError), server.wrap_socket(theirs, server_side=True) as secure:
            secure.recv(1)

    thread = threading.Thread(target=answer)
    thread.start()
    client = ssl.create_default_context(cafile=trusted)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    with client.wrap_socket(ours, server_hostname=HOST) as secure:
        secure.send(b"x")
    thread.join()


def serving(**said: Any) -> dict[str, Any]:
    names = {"workspaceName": "ws1", "endpointName": "flowers"}
    return {**IN_GROUP, **names, "properties": {"authMode": "AADToken", **said}}


def slot(name: str, capacity: int = 1) -> dict[str, Any]:
    return {
        **serving(),
        "deploymentName": name,
        "sku": {"name": "Default", "capacity": capacity},
        "properties": {"endpointComputeType": "Managed", "instanceType": "Standard_D2as_v4"},
    }


def test_calls_go_to_deployments_that_there_are(cloud: AzureProvider) -> None:
    made(cloud, WORKSPACE, WORKSPACE_INPUTS)
    with refused("no such deployment"):
        made(cloud, ENDPOINT, serving(traffic={"one": 100}))
    endpoint = made(cloud, ENDPOINT, serving())
    with refused("1 to 50 instances, not 0"):
        made(cloud, DEPLOYMENT, slot("one", capacity=0))
    deployments = {name: made(cloud, DEPLOYMENT, slot(name)) for name in ("one", "two")}
    for words, said in (
        ("sums to 90", {"traffic": {"one": 90}}),
        ("of 50 percent of the calls at most", {"mirrorTraffic": {"one": 51}}),
        ("one answers calls", {"traffic": {"one": 100}, "mirrorTraffic": {"one": 10}}),
    ):
        with refused(words):
            cloud.update("urn", ENDPOINT, endpoint, serving(**said))
    said = serving(traffic={"one": 100}, mirrorTraffic={"two": 10})
    endpoint = cloud.update("urn", ENDPOINT, endpoint, said)
    for name, words in (("one", "has traffic"), ("two", "has mirrorTraffic")):
        with refused(words):
            cloud.delete(DEPLOYMENT, deployments[name])
    with refused("PropertyChangeNotAllowed"):
        larger = {**slot("one")["properties"], "instanceType": "Standard_D4as_v4"}
        cloud.update("urn", DEPLOYMENT, deployments["one"], {**slot("one"), "properties": larger})
    cloud.delete(ENDPOINT, endpoint)  # with all that is in it
    assert cloud.read(DEPLOYMENT, deployments["one"].id, None) is None
