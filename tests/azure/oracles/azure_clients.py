"""What Azure's own clients see of an emulated stack, run by the Python that has them (`packages_env.py`).

    python azure_clients.py BASE SUBSCRIPTION GROUP NAMES FILE

BASE is the address with TLS; how it is trusted and who gives tokens is in the environment, as `local status`
says it. NAMES is JSON: the client's package → parameter → name of what is deployed. FILE gets a JSON object of
what was seen. Whatever the clients cannot read ends it, or stands there.
"""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azure.ai.ml import MLClient, command, dsl
from azure.ai.ml.entities import (
    AmlCompute,
    BatchEndpoint,
    CronTrigger,
    Data,
    Environment,
    JobSchedule,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
)
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.core.paging import ItemPaged
from azure.core.polling import LROPoller
from azure.identity import DefaultAzureCredential

NAME = "iris"
LEARNING = "azure.ai.ml._restclient.arm_ml_service"
OF_LEARNING = (
    *("batch_deployments", "batch_endpoints", "code_containers", "code_versions"),
    *("component_containers", "component_versions", "compute", "data_containers", "data_versions"),
    *("datastores", "environment_containers", "environment_versions", "model_containers"),
    *("managed_network_settings_rule", "model_versions", "online_deployments", "online_endpoints"),
    *("registries", "schedules", "workspaces"),
)
# Package → client, and the groups of operations whose types are emulated.
CLIENTS = {
    "azure.mgmt.storage": (
        "StorageManagementClient",
        "storage_accounts blob_services blob_containers management_policies queue_services queue",
    ),
    "azure.mgmt.keyvault": ("KeyVaultManagementClient", "vaults keys secrets"),
    "azure.mgmt.containerregistry": ("ContainerRegistryManagementClient", "registries"),
    "azure.mgmt.eventhub": ("EventHubManagementClient", "namespaces event_hubs consumer_groups"),
    "azure.mgmt.loganalytics": ("LogAnalyticsManagementClient", "workspaces"),
    "azure.mgmt.consumption": ("ConsumptionManagementClient", "budgets"),
    "azure.mgmt.network": (
        "NetworkManagementClient",
        "network_security_groups private_dns_zone_groups private_endpoints subnets virtual_networks",
    ),
    LEARNING: ("MachineLearningServicesMgmtClient", " ".join(OF_LEARNING)),
}  # fmt: skip
READS = ("get", "list", "check", "begin_get", "begin_list")
PUTS = (
    "create_or_update",
    "begin_create_or_update",
    "begin_create",
    "create",
    "set_service_properties",
)


def used(client: MLClient, workspace: str) -> dict[str, Any]:
    """What `MLClient` reads, makes and changes in a workspace."""
    path = f"azureml://datastores/artifacts/paths/{NAME}/"
    image = f"{client.workspaces.get(workspace).name}.azurecr.io/{NAME}:1"
    client.environments.create_or_update(Environment(name=NAME, version="1", image=image))
    client.data.create_or_update(Data(name=NAME, version="1", path=path, type="uri_folder"))
    for version in ("1", "2", "3"):
        made = Model(name=NAME, version=version, path=path, type="custom_model")
        client.models.create_or_update(made)
    client.models.archive(NAME, "3")
    first = client.models.get(NAME, "1")
    first.tags["approval"] = "approved"
    client.models.create_or_update(first)
    client.compute.begin_create_or_update(
        AmlCompute(name=NAME, size="STANDARD_DS3_V2", min_instances=0, max_instances=2)
    ).result()
    client.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name=NAME, auth_mode="aad_token")
    ).result()
    client.online_deployments.begin_create_or_update(deployment("Standard_DS3_v2")).result()
    served = client.online_endpoints.get(NAME)
    served.traffic = {NAME: 100}
    client.online_endpoints.begin_create_or_update(served).result()
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=NAME)).result()
    step = command(command="python train.py", environment=f"azureml:{NAME}:1", compute=NAME)

    @dsl.pipeline(default_compute=NAME)  # type: ignore[untyped-decorator,unused-ignore]
    def training() -> None:
        step()

    trigger = CronTrigger(expression="0 3 * * 1", time_zone="W. Europe Standard Time")
    client.schedules.begin_create_or_update(
        JobSchedule(name=NAME, trigger=trigger, create_job=training())
    ).result()
    changed = client.workspaces.get(workspace)
    changed.description = "changed by hand"
    client.workspaces.begin_update(changed).result()
    return {
        "workspaces": [each.name for each in client.workspaces.list()],
        "tags": client.models.get(NAME, "1").tags,
        "description": client.workspaces.get(workspace).description,
        "versions": [each.version for each in client.models.list(NAME)],
        "latest": client.models.get(NAME, label="latest").version,
        "traffic": client.online_endpoints.get(NAME).traffic,
        "deployments": [each.instance_type for each in client.online_deployments.list(NAME)],
        "token": client.online_endpoints.get_keys(NAME).access_token,
        "disabled": client.schedules.begin_disable(NAME).result().is_enabled,
        "computes": [each.name for each in client.compute.list()],
        "refused": _refused(client),
    }


def deployment(size: str) -> ManagedOnlineDeployment:
    """A deployment of the first version."""
    return ManagedOnlineDeployment(
        name=NAME,
        endpoint_name=NAME,
        model=f"azureml:{NAME}:1",
        environment=f"azureml:{NAME}:1",
        instance_type=size,
        instance_count=1,
    )


def _refused(client: MLClient) -> str:
    """What is said of another size, which ARM takes for a new deployment alone."""
    try:
        client.online_deployments.begin_create_or_update(deployment("Standard_F4s_v2")).result()
    except ResourceExistsError as error:
        return error.error.code if error.error else ""
    return ""


class Sweep:
    """Every operation of the types, once: what is deployed is read and sent back, what is absent is changed."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.put: list[str] = []
        self.refused: dict[str, str] = {}
        self.broken: dict[str, str] = {}
        self.strange: dict[str, list[str]] = {}

    def group(self, name: str, operations: Any, known: dict[str, str]) -> None:
        """All operations of one group. `known` are names of what is deployed, by parameter."""
        absent = {key: told if key == "scope" else "absent" for key, told in known.items()}
        methods = dict(inspect.getmembers(operations, inspect.ismethod))
        for each, method in methods.items():
            if each.startswith("_"):
                continue
            reads = each.startswith(READS)
            found = self._asked(f"{name}.{each}", method, known if reads else absent)
            if each not in ("get", "get_service_properties") or found is None:
                continue
            for put in PUTS:
                if put in methods:
                    self._asked(f"{name}.{put}", methods[put], known, found)

    def _asked(self, label: str, method: Any, names: dict[str, str], body: Any = None) -> Any:
        try:
            answer = method(**_arguments(method, names, body))
            if isinstance(answer, LROPoller):
                answer = answer.result()
            listed = [*answer] if isinstance(answer, ItemPaged) else [answer]
            for each in listed:
                if found := sorted({*unknown(each)}):
                    self.strange[label] = found
        except HttpResponseError as error:
            if error.error is None or not error.error.code or error.status_code >= 500:
                self.broken[label] = f"{error.status_code}: {error}"
            elif body is not None:
                self.broken[label] = f"what was read is refused: {error.message}"
            else:
                self.refused[label] = error.error.code
            return None
        except Exception as error:
            self.broken[label] = f"{type(error).__name__}: {error}"
            return None
        if listed and listed != [None]:
            (self.read if body is None else self.put).append(label)
        return answer


def unknown(model: Any, path: str = "") -> Iterator[str]:
    """The paths in an answer that the client's model has no member for. Reads every member."""
    if isinstance(model, list | tuple):
        for each in model:
            yield from unknown(each, path)
    if not getattr(model, "_is_model", False):
        return
    fields = {field._rest_name: attribute for attribute, field in model._attr_to_rest_field.items()}
    for name in model:
        here = f"{path}.{name}".lstrip(".")
        if name in fields:
            yield from unknown(getattr(model, fields[name]), here)
        elif not hasattr(type(model), "__mapping__") or fields:
            yield here


def _arguments(method: Any, names: dict[str, str], body: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, told in inspect.signature(method).parameters.items():
        if told.default is not told.empty or told.kind is told.VAR_KEYWORD:
            continue
        kind = str(told.annotation)
        if told.annotation is str or kind == "str" or name in names:
            found[name] = names.get(name, names["*"])
        elif told.annotation is int:
            found[name] = 1
        else:
            found[name] = {} if body is None else body
    return found


def swept(place: dict[str, Any], group: str, names: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What every operation came to."""
    sweep = Sweep()
    for package, (kind, groups) in CLIENTS.items():
        client = getattr(importlib.import_module(package), kind)(**place)
        always = {"*": NAME, "resource_group_name": group, "version": "1"}
        for each in groups.split():
            known = {**always, **names.get(package, {})}
            sweep.group(f"{package.rpartition('.')[2]}.{each}", getattr(client, each), known)
    return vars(sweep)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    base, subscription, resource_group, told, file = sys.argv[1:]
    deployed = json.loads(told)
    credential = DefaultAzureCredential()
    workspace = deployed[LEARNING]["workspace_name"]
    learning = MLClient(credential, subscription, resource_group, workspace, enable_telemetry=False)
    answer: dict[str, Any] = used(learning, workspace)
    place = {
        "credential": credential,
        "subscription_id": subscription,
        "base_url": base,
        "credential_scopes": [f"{base}/.default"],
        "polling_interval": 0,
    }
    answer["sweep"] = swept(place, resource_group, deployed)
    Path(file).write_text(json.dumps(answer, default=str))
