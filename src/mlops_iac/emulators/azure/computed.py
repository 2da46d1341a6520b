"""What services work out of a resource that was put: its state, its addresses, its principals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from mlops_iac.emulators.azure import kinds
from mlops_iac.emulators.azure.puts import Put

TENANT = "00000000-0000-4000-8000-000000000001"
"""The one tenant that there is."""
# Members that a client may send back and that only the service says.
_SAID = ("id", "name", "type", "systemData")


def guid(text: str) -> str:
    """The same GUID for the same text."""
    return str(uuid5(NAMESPACE_URL, text.lower()))


def document(put: Put) -> dict[str, Any]:
    """What `GET` answers of a body that was put."""
    row = put.row
    made = deepcopy({key: value for key, value in put.body.items() if key not in _SAID})
    made |= {"id": put.id, "name": put.name, "type": row.arm}
    properties: dict[str, Any] = made.setdefault("properties", {})
    if "provisioningState" in row.outputs or (
        not row.inside
        and row.arm.startswith(kinds.LEARNING)
        and not row.arm.startswith(kinds.STATELESS)
    ):
        properties["provisioningState"] = "Succeeded"
    if "systemData" in row.outputs:
        before = put.old.document.get("systemData", {}) if put.old else {}
        who = {"By": "local", "ByType": "User"}
        made["systemData"] = {
            f"{deed}{key}": value
            for deed, when in (
                ("created", before.get("createdAt", put.time)),
                ("lastModified", put.time),
            )
            for key, value in {**who, "At": when}.items()
        }
    _identities(made, put.id)
    if (work_out := _BY_TYPE.get(row.arm)) is not None:
        properties |= work_out(put)
    return made


def _identities(made: dict[str, Any], id_: str) -> None:
    identity = made.get("identity")
    if not isinstance(identity, dict):
        return
    if "SystemAssigned" in str(identity.get("type")):
        identity |= {"principalId": guid(f"{id_}/identity"), "tenantId": TENANT}
    for each in identity.get("userAssignedIdentities") or {}:
        identity["userAssignedIdentities"][each] = _principal(each)


def _principal(id_: str) -> dict[str, str]:
    return {"principalId": guid(f"{id_}/principal"), "clientId": guid(f"{id_}/client")}


_Made = Mapping[str, Any]


def _account(put: Put) -> _Made:
    places = {
        kind: f"https://{put.name}.{kind}.core.windows.net/"
        for kind in ("blob", "dfs", "file", "queue", "table")
    }
    return {
        "primaryEndpoints": places,
        "primaryLocation": put.body.get("location"),
        "statusOfPrimary": "available",
        "creationTime": put.before.get("creationTime", put.time),
    }


def _log_workspace(put: Put) -> _Made:
    return {
        "customerId": guid(put.id),
        "createdDate": put.before.get("createdDate", put.time),
    }


def _insights(put: Put) -> _Made:
    key = guid(f"{put.id}/key")
    return {
        "AppId": guid(put.id),
        "ApplicationId": put.name,
        "InstrumentationKey": key,
        "ConnectionString": f"InstrumentationKey={key};IngestionEndpoint={put.store.base}/insights/",
        "CreationDate": put.before.get("CreationDate", put.time),
        "TenantId": TENANT,
    }


def _ml_workspace(put: Put) -> _Made:
    host = put.store.base.partition("://")[2]
    return {
        "workspaceId": guid(put.id),
        "tenantId": TENANT,
        "discoveryUrl": f"{put.store.base}/discovery",
        "mlFlowTrackingUri": f"azureml://{host}/mlflow/v1.0{put.id}",
    }


def _registry(put: Put) -> _Made:
    return {
        "loginServer": f"{put.name.lower()}.azurecr.io",
        "creationDate": put.before.get("creationDate", put.time),
    }


def _endpoint(put: Put) -> _Made:
    place = f"{put.store.base}/score/{put.name}"
    return {"scoringUri": place, "swaggerUri": f"{place}/swagger.json"}


_BY_TYPE: Mapping[str, Callable[[Put], _Made]] = {
    kinds.CONTAINER_REGISTRIES: _registry,
    kinds.INSIGHTS: _insights,
    # Azure ML's own client cannot read one without.
    kinds.MODEL_VERSIONS: lambda put: {"flavors": put.said.get("flavors") or {}},
    kinds.ONLINE_DEPLOYMENTS: lambda put: {
        "scaleSettings": put.said.get("scaleSettings") or {"scaleType": "Default"}
    },
    kinds.VAULTS: lambda put: {"vaultUri": f"https://{put.name}.vault.azure.net/"},
    kinds.WORKSPACES: _ml_workspace,
    kinds.ONLINE_ENDPOINTS: _endpoint,
    kinds.IDENTITIES: lambda put: {
        **_principal(put.id),
        "tenantId": TENANT,
    },
    kinds.LOG_WORKSPACES: _log_workspace,
    kinds.ACCOUNTS: _account,
}
