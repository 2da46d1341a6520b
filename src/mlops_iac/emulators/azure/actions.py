"""POST: what is done with a resource, and changes nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mlops_iac.emulators.azure import kinds
from mlops_iac.emulators.azure.arm import ArmError
from mlops_iac.emulators.azure.computed import guid
from mlops_iac.emulators.azure.puts import Item

_LIVES = timedelta(hours=1)


def done(item: Item, action: str) -> Mapping[str, Any]:
    """What the service answers. Raises ArmError for what it, or the emulator, does not do."""
    does = _BY_TYPE.get(item.row.arm, {}).get(action.lower())
    if does is None:
        raise ArmError(404, "InvalidResourceAction", f"{action} of {item.row.arm} is not emulated")
    return does(item)


def _keys(item: Item) -> Mapping[str, Any]:
    mode = item.document["properties"].get("authMode")
    if mode != "Key":
        raise ArmError(
            400, "BadRequest", f"{item.name} has no keys: its authentication mode is {mode}"
        )
    return {f"{rank}Key": guid(f"{item.id}/{rank}") for rank in ("primary", "secondary")}


def _token(item: Item) -> Mapping[str, Any]:
    mode = item.document["properties"].get("authMode")
    if mode == "Key":
        raise ArmError(400, "BadRequest", f"{item.name} takes keys, not tokens")
    ends = int((datetime.now(UTC) + _LIVES).timestamp())
    return {
        "accessToken": "local",
        "expiryTimeUtc": ends,
        "refreshAfterTimeUtc": ends,
        "tokenType": "Bearer",
    }


def _credentials(item: Item) -> Mapping[str, Any]:
    if not item.document["properties"].get("adminUserEnabled"):
        raise ArmError(
            400,
            "UnAuthorizedForCredentialOperations",
            f"Cannot perform credential operations for {item.id} as admin user is disabled.",
        )
    passwords = [
        {"name": name, "value": guid(f"{item.id}/{name}")} for name in ("password", "password2")
    ]
    return {"username": item.name, "passwords": passwords}


_Action = Callable[[Item], Mapping[str, Any]]
_BY_TYPE: Mapping[str, Mapping[str, _Action]] = {
    kinds.CONTAINER_REGISTRIES: {"listcredentials": _credentials},
    kinds.ONLINE_ENDPOINTS: {"listkeys": _keys, "token": _token},
    kinds.BATCH_ENDPOINTS: {"listkeys": _keys},
}
