"""What the components ask of ARM is what Microsoft's own types take; what is mistyped is refused by both."""

from __future__ import annotations

import json
import subprocess
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pulumi_azure_native", reason="needs mlops-iac[azure]")

import pulumi

from mlops_iac.clouds.azure.components.alerts import Alerts, AlertsArgs
from mlops_iac.clouds.azure.components.budget import Budget, BudgetArgs
from mlops_iac.clouds.azure.components.data_store import DataStore, DataStoreArgs
from mlops_iac.clouds.azure.components.datasets import Datasets, DatasetsArgs
from mlops_iac.clouds.azure.components.foundation import Foundation, FoundationArgs
from mlops_iac.clouds.azure.components.images import Images, ImagesArgs
from mlops_iac.clouds.azure.components.jobs import Jobs, JobsArgs, Machine
from mlops_iac.clouds.azure.components.observability import Observability, ObservabilityArgs
from mlops_iac.clouds.azure.components.real_time_endpoint import (
    Limits,
    RealTimeEndpoint,
    RealTimeEndpointArgs,
    Scaling,
    Variant,
)
from mlops_iac.clouds.azure.components.registry import Registry, RegistryArgs
from mlops_iac.clouds.azure.components.serving_rights import ServingRights, ServingRightsArgs
from mlops_iac.clouds.azure.components.training import Environment, Training, TrainingArgs
from mlops_iac.clouds.azure.components.vault import Vault, VaultArgs
from mlops_iac.clouds.azure.components.workspace import Workspace, WorkspaceArgs
from mlops_iac.emulators.azure.bodies import from_body, to_body
from mlops_iac.emulators.azure.store import ArmStore
from mlops_iac.emulators.azure.tables import Row, row
from mlops_iac.graph.model import Resource
from tests.azure.graphs import capture
from tests.azure.oracles import bicep
from tests.oracles.packages_env import python_of

pytestmark = pytest.mark.skipif(
    not bicep.FOLDER.is_dir(), reason=f"there are no bicep types in {bicep.FOLDER}"
)
MAIL = "oncall@acme.example"


def _sample() -> None:
    """Every component, each argument given once."""
    base = Foundation(
        "foundation",
        FoundationArgs("westeurope", ["workspace", "train", "serve"], tags={"a": "b"}),
    )
    place: dict[str, Any] = {"group": base.group, "location": "westeurope", "tags": {"a": "b"}}
    logs = Observability("logs", ObservabilityArgs(**place))
    data = DataStore("data", DataStoreArgs(**place, containers=["captures"], replication="ZRS"))
    vault = Vault("vault", VaultArgs(**place, tenant_id=base.tenant_id))
    images = Images("images", ImagesArgs(**place))
    workspace = Workspace(
        "workspace",
        WorkspaceArgs(
            **place,
            storage_id=data.account_id,
            vault_id=vault.vault_id,
            registry_id=images.registry_id,
            insights_id=logs.insights_id,
            identity_id=base.workspace.id,
            principal_id=base.workspace.principal_id,
            members={"train": base.workspace.principal_id},
            description="of everything",
        ),
    )
    Datasets(
        "datasets",
        DatasetsArgs(
            group=base.group,
            workspace=workspace.workspace,
            workspace_id=workspace.workspace_id,
            account=data.account,
            files={"irises": pulumi.FileAsset(__file__)},
            tags={"a": "b"},
        ),
    )
    _training(place, base, data, workspace, images)
    alerts = Alerts("alerts", AlertsArgs(base.group, {"oncall": MAIL}))
    ServingRights(
        "serving",
        ServingRightsArgs(base.serve.principal_id, images.registry_id, data.account_id),
    )
    RealTimeEndpoint(
        "api",
        RealTimeEndpointArgs(
            **place,
            workspace=workspace.workspace,
            workspace_id=workspace.workspace_id,
            identity_id=base.serve.id,
            logs_id=logs.workspace_id,
            variants=[
                Variant(
                    name="main",
                    model="churn",
                    version="3",
                    instance_type="Standard_D2as_v4",
                    environment="sklearn:1",
                    code="predict:1",
                    script="score.py",
                    variables={"A": "b"},
                )
            ],
            scaling=Scaling(max=2, metric="requests_per_minute", value=60),
            limits=Limits(
                latency_p99_ms=250,
                error_rate_percent=2,
                action_group_id=alerts.action_group_id,
            ),
            description="tells who leaves",
        ),
    )
    Budget(
        "budget",
        BudgetArgs(
            base.group_id, 300, logs.created, [MAIL], action_group_id=alerts.action_group_id
        ),
    )


def _training(
    place: dict[str, Any], base: Foundation, data: DataStore, workspace: Workspace, images: Images
) -> None:
    within: dict[str, Any] = {"group": base.group, "workspace": workspace.workspace}
    jobs = Jobs(
        "jobs",
        JobsArgs(
            **place,
            workspace=workspace.workspace,
            account=data.account,
            scopes={
                "artifacts": data.container_ids["artifacts"],
                "registry": images.registry_id,
            },
            identities={"train": base.train.id},
            principals={"train": base.train.principal_id},
            machines={"m-train": Machine("train", "Standard_D2ds_v4", low_priority=True, nodes=2)},
        ),
    )
    Registry("registry", RegistryArgs(**within, model="m", description="it", tags={"a": "b"}))
    node = {"type": "command", "code": "${code_id}", "environment": "${environment_train}"}
    job = {"jobType": "Pipeline", "componentId": "${pipeline_id}", "tags": {"a": "${given}"}}
    definition = {
        "components": {"train": {**node, "name": "m_train"}},
        "pipeline": {
            "type": "pipeline",
            "name": "m",
            "jobs": {"train": {"componentId": "${component_train}"}},
        },
        "job": job,
    }
    Training(
        "training",
        TrainingArgs(
            **within,
            workspace_id=workspace.workspace_id,
            account=data.account,
            model="m",
            definition=json.dumps(definition),
            code=pulumi.StringAsset("code"),
            environments={"train": Environment("mcr.microsoft.com/x:1", "scikit-learn==1.9.*")},
            clusters={"train": jobs.clusters["m-train"]},
            values={"given": "b"},
            description="of m",
            tags={"a": "b"},
        ),
    )


@cache
def resources() -> list[tuple[Resource, Row, dict[str, Any]]]:
    """Every resource of the sample, with its row and its body."""
    found = [(each, row(each.type)) for each in capture(_sample) if each.custom]
    return [(each, known, to_body(known, each.inputs)) for each, known in found if known]


def test_every_body_is_taken() -> None:
    assert len(resources()) == 45
    told = {
        each.name: found
        for each, known, body in resources()
        if (found := bicep.problems(known.arm, known.version, body))
    }
    assert told == {}


# The clients take a kind of credentials or of deployments that they do not know, and any text for who reads a
# datastore.
UNJUDGED = {
    "properties.endpointComputeType",
    "properties.credentials.credentialsType",
    "properties.serviceDataAccessAuthIdentity",
}


def test_every_body_is_one_of_azures_own_clients() -> None:
    """Their models know each member and value, and not what is mistyped."""
    python, script = python_of("azure_clients"), Path(__file__).with_name("client_models.py")
    asked = [(each.name, each.type, body) for each, _, body in resources()]
    wrong = [
        (name, type_, _set(body, path, value))
        for place, path, value in DEFECTS
        for name, type_, body in asked
        if name == place and value is not None and path not in UNJUDGED
    ]
    done = subprocess.run(
        [python, script],
        input=json.dumps([each[1:] for each in (*asked, *wrong)]),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    good, bad = answers[: len(asked)], answers[len(asked) :]
    told = [(each[0], found) for each, found in zip(asked, good, strict=True) if found]
    assert told == []
    assert sum(found is not None for found in good) >= 11
    assert [each[0] for each, found in zip(wrong, bad, strict=True) if found == []] == []


def test_a_body_says_what_its_inputs_say() -> None:
    for each, known, body in resources():
        back = from_body(known, json.loads(json.dumps(body)))
        assert {key: back.get(key) for key in each.inputs if not _elsewhere(known, key)} == {
            key: value for key, value in each.inputs.items() if not _elsewhere(known, key)
        }


def _elsewhere(known: Row, name: str) -> bool:
    return name in known.path or name == "resourceGroupName"


def _set(body: Any, path: str, value: Any) -> Any:
    changed = deepcopy(body)
    *way, last = path.split(".")
    node = changed
    for key in way:
        node = node[int(key)] if key.isdigit() else node[key]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return changed


DEPLOYMENT = "api-main-fdf8b8be"
# Resource → what is mistyped: path in the body, and what stands there then (None: nothing).
DEFECTS = [
    ("data-account", "kind", "StorageV3"),
    ("data-account", "kind", None),
    ("data-account", "sku.name", "Standard_XRS"),
    ("data-account", "properties.allowSharedKeyAccess", "no"),
    ("data-account", "properties.allowSharedKeyAcess", False),
    ("data-account", "properties.minimumTlsVersion", "TLS2"),
    ("data-blobs", "properties.deleteRetentionPolicy.days", "14"),
    ("data-captures", "properties.publicAccess", "Nobody"),
    ("data-expiry", "properties.policy.rules.0.type", "Lifetime"),
    ("data-expiry", "properties.policy.rules.0.definition.actions", None),
    ("vault-vault", "properties.sku.family", "B"),
    ("vault-vault", "properties.tenantId", None),
    ("vault-vault", "properties.enableRbac", True),
    ("images-registry", "sku.name", "Silver"),
    ("images-registry", "properties.adminUserEnabled", 0),
    ("logs-logs", "properties.features.disableLocalAuth", "yes"),
    ("logs-insights", "properties.Application_Type", "mobile"),
    ("workspace-workspace", "properties.systemDatastoresAuthMode", "identity-based"),
    ("workspace-workspace", "properties.keyvault", "x"),
    ("workspace-workspace", "identity.type", "Managed"),
    ("workspace-storage-contributor", "properties.principalId", None),
    ("workspace-storage-contributor", "properties.principalType", "Identity"),
    ("datasets-store", "properties.credentials", None),
    ("datasets-store", "properties.credentials.credentialsType", "Nobody"),
    ("datasets-store", "properties.serviceDataAccessAuthIdentity", "Mine"),
    ("datasets-irises", "properties.dataType", "folder"),
    ("datasets-irises-version", "properties.dataUri", None),
    ("datasets-irises-version", "properties.dataURI", "azureml://x"),
    ("api-endpoint", "properties.authMode", "Token"),
    ("api-endpoint", "properties.traffic", {"main": "all"}),
    (DEPLOYMENT, "properties.endpointComputeType", "Serverless"),
    (DEPLOYMENT, "properties.codeConfiguration.scoringScript", None),
    (DEPLOYMENT, "sku.capacity", "1"),
    (f"{DEPLOYMENT}-scaling", "properties.profiles.0.capacity.minimum", 1),
    (f"{DEPLOYMENT}-scaling", "properties.profiles.0.rules.0.scaleAction.direction", "Up"),
    ("api-latency-p99", "properties.criteria.allOf.0.threshold", "250"),
    ("api-error-rate", "properties.criteria.allOf.0.operator", "gt"),
    ("api-logs", "properties.logs.0.enabled", "yes"),
    ("jobs-train-d2ds-v4-low", "properties.properties.vmPriority", "Spot"),
    ("jobs-train-d2ds-v4-low", "properties.properties.scaleSettings.maxNodeCount", "2"),
    ("jobs-artifacts", "properties.credentials.credentialsType", "Key"),
    ("training-code-version", "properties.codeUri", 1),
    ("training-environment-train", "properties.autoRebuild", "Never"),
    ("alerts-group", "properties.enabled", "on"),
    ("alerts-group", "properties.emailReceivers.0.emailAddress", None),
    ("budget-monthly", "properties.timeGrain", "Weekly"),
    ("budget-monthly", "properties.notifications.actual-80.operator", "Above"),
    ("budget-monthly", "properties.amount", "300"),
]


@pytest.mark.parametrize(("name", "path", "value"), DEFECTS)
def test_what_is_mistyped_is_refused_by_the_types_and_by_the_store(
    name: str, path: str, value: Any
) -> None:
    (known, body), *_ = [(known, body) for each, known, body in resources() if each.name == name]
    wrong = _set(body, path, value)
    assert bicep.problems(known.arm, known.version, wrong)
    store = ArmStore()
    answer = store.request("PUT", _id(store, known), {"api-version": known.version}, wrong)
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidRequestContent")


def _id(store: ArmStore, known: Row) -> str:
    """An id of the type, with all that it is in."""
    query = {"api-version": "2024-03-01"}
    group = "/subscriptions/s/resourceGroups/g"
    store.request("PUT", group, query, {"location": "westeurope"})
    for above in ("data-account", "workspace-workspace", "api-endpoint"):
        (kind, body), *_ = [(k, b) for each, k, b in resources() if each.name == above]
        if known.arm.startswith(f"{kind.arm}/"):
            if above == "api-endpoint":
                body = _set(body, "properties.traffic", {})
            names = dict.fromkeys(kind.named, "acc")
            id_ = kind.template.format(subscription="s", resourceGroupName="g", **names)
            assert store.request("PUT", id_, {"api-version": kind.version}, body).status == 200
    names = dict.fromkeys(known.named, "acc") | {"scope": group}
    return known.template.format(subscription="s", resourceGroupName="g", **names)
