"""What every stack stands on: group and identities, logs, storage, vault, images, workspace."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.azure.ml.parts import Part
from mlops_iac.clouds.azure.ml.scope import FOUNDATION, WORKSPACE, Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref, Setting
from mlops_iac.errors import Diagnostic

_REPLICATION = "options.azure-ml.replication"


def _observability(scope: Scope) -> Iterator[ComponentCall]:
    yield call("observability", "observability:Observability", scope.place, path="")


def _data_store(scope: Scope) -> Iterator[ComponentCall]:
    replication = scope.blueprint.options.azure_ml.replication
    said = any(each.blueprint.options.azure_ml.replication for each in scope.siblings)
    yield call(
        "data",
        "data_store:DataStore",
        {
            **scope.place,
            "replication": Setting(replication or "LRS", _REPLICATION) if said else None,
            "protect": scope.protect,
        },
        path="",
        exports={"storage_account": "account"},
    )


def _check_replication(scope: Scope) -> Iterator[Diagnostic]:
    replication = scope.blueprint.options.azure_ml.replication
    if replication not in (None, "LRS", "ZRS"):
        yield scope.wrong(
            _REPLICATION,
            f"'{replication}' is no replication",
            "write LRS or ZRS",
            code="wrong-value",
        )


def _vault(scope: Scope) -> Iterator[ComponentCall]:
    yield call(
        "vault",
        "vault:Vault",
        {
            **scope.place,
            "tenant_id": Ref(FOUNDATION, "tenant_id"),
            "protect": scope.protect,
        },
        path="",
        exports={"key_vault": "uri"},
    )


def _images(scope: Scope) -> Iterator[ComponentCall]:
    yield call(
        "images",
        "images:Images",
        {**scope.place, "protect": scope.protect},
        path="",
        exports={"image_registry": "server"},
    )


def _workspace(scope: Scope) -> Iterator[ComponentCall]:
    description = scope.blueprint.description
    yield call(
        WORKSPACE,
        "workspace:Workspace",
        {
            **scope.place,
            "storage_id": Ref("data", "account_id"),
            "vault_id": Ref("vault", "vault_id"),
            "registry_id": Ref("images", "registry_id"),
            "insights_id": Ref("observability", "insights_id"),
            "identity_id": Ref(FOUNDATION, "workspace.id"),
            "principal_id": Ref(FOUNDATION, "workspace.principal_id"),
            "description": Setting(description, "description") if description else None,
            "protect": scope.protect,
        },
        path="",
        exports={
            "workspace": "workspace",
            "workspace_id": "workspace_id",
            "tracking_uri": "tracking_uri",
        },
    )


OBSERVABILITY = Part(
    plan=_observability,
    names=lambda _: [("observability", "")],
    namespaces=("Microsoft.OperationalInsights", "Microsoft.Insights"),
)
DATA_STORE = Part(
    plan=_data_store,
    planned=(_REPLICATION, "protect"),
    values=_check_replication,
    names=lambda _: [("data", "")],
    namespaces=("Microsoft.Storage",),
)
VAULT = Part(
    plan=_vault,
    names=lambda _: [("vault", "")],
    namespaces=("Microsoft.KeyVault",),
)
IMAGES = Part(
    plan=_images,
    names=lambda _: [("images", "")],
    namespaces=("Microsoft.ContainerRegistry",),
)
LEARNING = Part(
    plan=_workspace,
    planned=("description",),
    names=lambda _: [(WORKSPACE, "")],
    namespaces=("Microsoft.MachineLearningServices",),
    identities=("workspace",),
    roles=("Contributor", "Key Vault Administrator", "Storage Blob Data Contributor"),
)
