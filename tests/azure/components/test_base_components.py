"""What every stack on Azure stands on: exactly which resources, with which settings."""

from __future__ import annotations

import pytest

pytest.importorskip("pulumi_azure_native", reason="needs mlops-iac[azure]")

from mlops_iac.clouds.azure.components._roles import ROLES
from mlops_iac.clouds.azure.components.alerts import Alerts, AlertsArgs
from mlops_iac.clouds.azure.components.budget import Budget, BudgetArgs
from mlops_iac.clouds.azure.components.data_store import DataStore, DataStoreArgs
from mlops_iac.clouds.azure.components.foundation import Foundation, FoundationArgs
from mlops_iac.clouds.azure.components.images import Images, ImagesArgs
from mlops_iac.clouds.azure.components.observability import Observability, ObservabilityArgs
from mlops_iac.clouds.azure.components.vault import Vault, VaultArgs
from mlops_iac.clouds.azure.components.workspace import Workspace, WorkspaceArgs
from mlops_iac.clouds.azure.types import (
    ACTION_GROUP,
    BLOB_SERVICE,
    BUDGET,
    CONTAINER,
    CONTAINER_REGISTRY,
    IDENTITY,
    INSIGHTS,
    LOG_WORKSPACE,
    RESOURCE_GROUP,
    ROLE_ASSIGNMENT,
    STORAGE_ACCOUNT,
    STORAGE_EXPIRY,
    VAULT,
    WORKSPACE,
)
from mlops_iac.graph.model import Resource
from tests.azure.graphs import GROUP, PLACE, SUBSCRIPTION, capture
from tests.components.capture import of_type, one, types

TAGS = {"stack": "project-stack"}
MAIL = "oncall@acme.example"


def learning() -> list[Resource]:
    def program() -> None:
        base = Foundation("foundation", FoundationArgs("westeurope", ["workspace", "train"]))
        args = {
            f"{name}_id": f"{GROUP}/providers/Microsoft.X/things/{name}"
            for name in ("storage", "vault", "registry", "insights")
        }
        identity = base.workspace
        Workspace(
            "workspace",
            WorkspaceArgs(
                **PLACE,
                **args,
                identity_id=identity.id,
                principal_id=identity.principal_id,
                members={"train": "7b0f9a52-7d3e-4b0c-9e61-0a8d2c5b7f36"},
            ),
        )

    return capture(program)


def test_a_group_and_an_identity_for_each_plane() -> None:
    args = FoundationArgs("westeurope", ["workspace", "train"], tags=TAGS)
    graph = capture(lambda: Foundation("foundation", args))
    assert types(graph) == {"mlops-iac:azure:Foundation": 1, RESOURCE_GROUP: 1, IDENTITY: 2}
    assert one(graph, RESOURCE_GROUP).inputs == {
        "resourceGroupName": "project-stack",
        "location": "westeurope",
        "tags": TAGS,
    }
    assert one(graph, RESOURCE_GROUP).protect
    assert one(graph, IDENTITY, "foundation-train").inputs == {
        "resourceGroupName": "project-stack",
        "resourceName": "project-stack-train",
        "location": "westeurope",
        "tags": TAGS,
    }


def test_a_plane_that_nobody_asked_for_has_no_identity() -> None:
    def program() -> None:
        base = Foundation("foundation", FoundationArgs("westeurope", ["train"]))
        with pytest.raises(ValueError, match="nothing here needs an identity to workspace"):
            _ = base.workspace

    capture(program)


def test_logs_are_written_and_read_by_identities() -> None:
    graph = capture(lambda: Observability("logs", ObservabilityArgs(**PLACE)))
    assert types(graph) == {"mlops-iac:azure:Observability": 1, LOG_WORKSPACE: 1, INSIGHTS: 1}
    assert one(graph, LOG_WORKSPACE).inputs == {
        "resourceGroupName": "project-stack",
        "location": "westeurope",
        "tags": {},
        "workspaceName": "project-stack-logs",
        "sku": {"name": "PerGB2018"},
        "retentionInDays": 90,
        "features": {"disableLocalAuth": True},
    }
    insights = one(graph, INSIGHTS).inputs
    assert insights["workspaceResourceId"] == one(graph, LOG_WORKSPACE).id
    assert (insights["disableLocalAuth"], insights["ingestionMode"]) == (True, "LogAnalytics")


def test_the_account_knows_no_keys_and_no_public() -> None:
    graph = capture(lambda: DataStore("data", DataStoreArgs(**PLACE, containers=["captures"])))
    assert types(graph) == {
        "mlops-iac:azure:DataStore": 1,
        STORAGE_ACCOUNT: 1,
        BLOB_SERVICE: 1,
        STORAGE_EXPIRY: 1,
        CONTAINER: 3,
    }
    account = one(graph, STORAGE_ACCOUNT)
    assert account.protect
    assert account.inputs == {
        "resourceGroupName": "project-stack",
        "location": "westeurope",
        "tags": {},
        "kind": "StorageV2",
        "sku": {"name": "Standard_LRS"},
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "allowCrossTenantReplication": False,
        "defaultToOAuthAuthentication": True,
        "enableHttpsTrafficOnly": True,
        "isHnsEnabled": False,
        "minimumTlsVersion": "TLS1_2",
    }
    assert {each.inputs["containerName"] for each in of_type(graph, CONTAINER)} == {
        "artifacts",
        "captures",
        "datasets",
    }
    rules = one(graph, STORAGE_EXPIRY).inputs["policy"]["rules"]
    assert [each["definition"]["filters"].get("prefixMatch") for each in rules] == [
        ["artifacts/pipelines/"],
        None,
    ]


@pytest.mark.parametrize("protect", [True, False])
def test_a_vault_that_is_protected_cannot_be_purged(protect: bool) -> None:
    args = VaultArgs(**PLACE, tenant_id="t", protect=protect)
    graph = capture(lambda: Vault("vault", args))
    vault = one(graph, VAULT)
    uri = f"https://{vault.outputs['name']}.vault.azure.net/"
    assert one(graph, "mlops-iac:azure:Vault").outputs["uri"] == uri
    said = vault.inputs["properties"]
    assert (said.get("enablePurgeProtection"), vault.protect) == (protect or None, protect)
    assert said["enableRbacAuthorization"] is True
    assert said["sku"] == {"family": "A", "name": "standard"}


def test_images_are_pulled_by_identities() -> None:
    registry = one(capture(lambda: Images("images", ImagesArgs(**PLACE))), CONTAINER_REGISTRY)
    assert registry.inputs["adminUserEnabled"] is False
    assert registry.inputs["anonymousPullEnabled"] is False
    assert registry.inputs["sku"] == {"name": "Standard"}


def test_a_workspace_comes_after_its_rights() -> None:
    graph = learning()
    workspace = one(graph, WORKSPACE)
    identity = one(graph, IDENTITY, "foundation-workspace")
    assert workspace.inputs["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": [identity.id],
    }
    assert workspace.inputs["primaryUserAssignedIdentity"] == identity.id
    assert workspace.inputs["systemDatastoresAuthMode"] == "Identity"
    assert workspace.inputs["v1LegacyMode"] is False
    own = {each.urn for each in of_type(graph, ROLE_ASSIGNMENT) if "train" not in each.name}
    assert len(own) == 6
    assert own <= set(workspace.dependencies)


def test_every_assignment_says_why_and_is_named_before_it_is_made() -> None:
    found = of_type(learning(), ROLE_ASSIGNMENT)
    start = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"
    for each in found:
        assert each.inputs["description"]
        assert each.inputs["principalType"] == "ServicePrincipal"
        assert each.inputs["roleDefinitionId"].removeprefix(start) in ROLES.values()
    names = {each.inputs["roleAssignmentName"] for each in found}
    assert len(names) == len(found) == 7
    again = of_type(learning(), ROLE_ASSIGNMENT)
    assert names == {each.inputs["roleAssignmentName"] for each in again}


def test_alerts_go_to_addresses() -> None:
    group = one(
        capture(lambda: Alerts("alerts", AlertsArgs("project-stack", {"oncall": MAIL}))),
        ACTION_GROUP,
    )
    assert group.inputs == {
        "resourceGroupName": "project-stack",
        "actionGroupName": "project-stack-alerts",
        "groupShortName": "projectstack",
        "location": "Global",
        "enabled": True,
        "emailReceivers": [{"name": "oncall", "emailAddress": MAIL, "useCommonAlertSchema": True}],
        "tags": {},
    }


def budget(**args: object) -> Resource:
    given = {"group_id": GROUP, "amount": 300, "created": "2026-12-07T15:00:00Z", "emails": [MAIL]}
    return one(
        capture(lambda: Budget("budget", BudgetArgs(**{**given, **args}))),  # type: ignore[arg-type]
        BUDGET,
    )


def test_a_budget_begins_with_the_month_and_stays_there() -> None:
    found = budget()
    assert found.inputs["timePeriod"] == {"startDate": "2026-12-01T00:00:00Z"}
    assert found.ignore_changes == ("timePeriod",)
    later = budget(started="2027-03-09").inputs["timePeriod"]
    assert later == {"startDate": "2027-03-01T00:00:00Z"}
    assert found.inputs["scope"] == GROUP
    told = found.inputs["notifications"]
    assert set(told) == {"actual-80", "actual-100", "forecasted-100"}
    assert told["actual-80"] == {
        "enabled": True,
        "operator": "GreaterThan",
        "threshold": 80,
        "thresholdType": "Actual",
        "contactEmails": [MAIL],
    }


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"emails": []}, "tells nobody"),
        ({"alert_percent": [10, 20, 30, 40, 50]}, "at most 4 percentages"),
    ],
)
def test_a_budget_that_the_service_refuses(args: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        budget(**args)
