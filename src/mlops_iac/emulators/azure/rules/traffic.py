"""Online endpoints: calls go to deployments that there are, and none goes that has calls.

Source: azure-ai-docs, how-to-safely-rollout-online-endpoints; azure-ai-ml 1.35.2, `OnlineEndpoint`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.azure import kinds
from mlops_iac.emulators.azure.arm import ArmError
from mlops_iac.emulators.azure.puts import Item, Others, Put

_MOST_COPIED = 50
# Source: azure-ai-docs, how-to-manage-quotas.
_MOST_DEPLOYMENTS, _MOST_INSTANCES = 20, 50


def _traffic(put: Put) -> None:
    said = put.said
    traffic: Mapping[str, Any] = said.get("traffic") or {}
    mirror: Mapping[str, Any] = said.get("mirrorTraffic") or {}
    for name in (*traffic, *mirror):
        if put.store.find(f"{put.id}/deployments/{name}") is None:
            raise _refused(f"traffic names {name}, and there is no such deployment")
    if traffic and sum(traffic.values()) not in (0, 100):
        raise _refused(f"traffic sums to {sum(traffic.values())}, not to 0 or 100")
    if len(mirror) > 1 or any(not 0 <= each <= _MOST_COPIED for each in mirror.values()):
        raise _refused(
            f"one deployment gets copies, of {_MOST_COPIED} percent of the calls at most"
        )
    if both := [name for name in mirror if traffic.get(name)]:
        raise _refused(f"{both[0]} answers calls and cannot get copies of them")


def _deployment(put: Put) -> None:
    endpoint = put.id.rpartition("/deployments/")[0]
    capacity = (put.body.get("sku") or {}).get("capacity", 1)
    if not 1 <= capacity <= _MOST_INSTANCES:
        raise _refused(f"a deployment has 1 to {_MOST_INSTANCES} instances, not {capacity}")
    others = [
        each
        for each in put.store.of_type(kinds.ONLINE_DEPLOYMENTS)
        if each.id.lower().startswith(f"{endpoint.lower()}/")
    ]
    if put.old is None and len(others) >= _MOST_DEPLOYMENTS:
        raise _refused(f"an endpoint has {_MOST_DEPLOYMENTS} deployments at most")
    for kind in ("model", "environmentId"):
        asset = put.said.get(kind)
        if asset and asset.startswith("/subscriptions/") and put.store.find(asset) is None:
            raise ArmError(404, "ResourceNotFound", f"{kind}: there is no {asset}")


def may_go(store: Others, item: Item) -> None:
    """Raise ArmError for a deployment that is called by itself."""
    endpoint = store.find(item.id.rpartition("/deployments/")[0])
    if endpoint is None:
        return
    said = endpoint.document["properties"]
    for key in ("traffic", "mirrorTraffic"):
        if (said.get(key) or {}).get(item.name):
            raise _refused(f"{item.name} has {key}: move it to another deployment first")


def _refused(words: str) -> ArmError:
    return ArmError(400, "BadRequest", words)


RULES = {kinds.ONLINE_ENDPOINTS: (_traffic,), kinds.ONLINE_DEPLOYMENTS: (_deployment,)}
