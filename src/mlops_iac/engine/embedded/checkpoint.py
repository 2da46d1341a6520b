"""The state as Pulumi's checkpoint, schema version 3, and back.

Source of the keys: `sdk/go/common/apitype/core.go`, `ResourceV3`, engine 3.260. What that schema
has no place for stands under `metadata.mlopsIac`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mlops_iac.emulators import wire
from mlops_iac.engine.embedded.secretbox import SecretBox
from mlops_iac.engine.embedded.state import Entry, Pending, Snapshot
from mlops_iac.graph.model import name_of
from mlops_iac.graph.order import topological
from mlops_iac.graph.standins import contains_stand_in
from mlops_iac.values import text_of

METADATA: Final = "mlopsIac"
_OPERATION_TYPES: Final = {"create": "creating", "update": "updating", "delete": "deleting"}


class Damaged(Exception):
    """A state or journal that cannot be what was written."""


def now() -> str:
    """The time as the engine writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def encode_entry(entry: Entry, box: SecretBox) -> dict[str, Any]:
    """One resource; empty values are left out, as the engine does."""
    assert not contains_stand_in(entry.inputs), f"{entry.address}: a stand-in reached the state"
    assert not contains_stand_in(entry.outputs), f"{entry.address}: a stand-in reached the state"
    data: dict[str, Any] = {"urn": entry.urn, "custom": entry.custom, "type": entry.type}
    optional = {
        "delete": entry.delete,
        "id": entry.id,
        "inputs": wire.to_json(entry.inputs, box.seal),
        "outputs": wire.to_json(entry.outputs, box.seal),
        "parent": entry.parent,
        "protect": entry.protect,
        "external": entry.external,
        "dependencies": list(entry.dependencies),
        "initErrors": list(entry.init_errors),
        "provider": entry.provider,
        "propertyDependencies": {k: list(v) for k, v in entry.property_dependencies.items()},
        "pendingReplacement": entry.pending_replacement,
        "additionalSecretOutputs": list(entry.additional_secret_outputs),
        "aliases": list(entry.aliases),
        "customTimeouts": dict(entry.custom_timeouts),
        "retainOnDelete": entry.retain_on_delete,
        "deletedWith": entry.deleted_with,
        "created": entry.created,
        "modified": entry.modified,
    }
    data.update({key: value for key, value in optional.items() if value})
    return data


def resource_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """Of one resource as a checkpoint has it, all that is neither an input nor an output.

    Raises KeyError, TypeError, AttributeError or IndexError for what is none.
    """
    many = data.get("propertyDependencies") or {}
    return {
        "urn": text_of(data["urn"]),
        "type": text_of(data["type"]),
        "name": name_of(data["urn"]),
        "custom": bool(data["custom"]),
        "id": text_of(data.get("id", "")),
        "parent": text_of(data.get("parent", "")),
        "provider": text_of(data.get("provider", "")),
        "dependencies": tuple(data.get("dependencies") or ()),
        "property_dependencies": {key: tuple(urns) for key, urns in many.items()},
        "protect": bool(data.get("protect")),
        "retain_on_delete": bool(data.get("retainOnDelete")),
        "additional_secret_outputs": tuple(data.get("additionalSecretOutputs") or ()),
        "aliases": tuple(data.get("aliases") or ()),
        "deleted_with": text_of(data.get("deletedWith", "")),
    }


def decode_entry(data: Mapping[str, Any], box: SecretBox, *, recorded: bool = False) -> Entry:
    """The inverse. Raises Damaged."""
    try:
        return Entry(
            **resource_fields(data),
            inputs=wire.from_json(_mapping(data.get("inputs", {})), unseal=box.unseal),
            outputs=wire.from_json(_mapping(data.get("outputs", {})), unseal=box.unseal),
            delete=bool(data.get("delete")),
            pending_replacement=bool(data.get("pendingReplacement")),
            external=bool(data.get("external")),
            init_errors=tuple(data.get("initErrors", ())),
            custom_timeouts=dict(data.get("customTimeouts", {})),
            created=text_of(data.get("created", "")),
            modified=text_of(data.get("modified", "")),
            recorded=recorded,
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise Damaged(f"a resource is not as it must be: {error!r}") from error


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no mapping")
    return value


def encode_pending(pending: Pending, box: SecretBox) -> dict[str, Any]:
    """A begun operation, for the journal and for the state's own metadata."""
    return {
        "token": pending.token,
        "op": pending.op,
        "key": pending.key,
        "resource": encode_entry(pending.entry, box),
        "recorded": pending.entry.recorded,
        "counters": dict(pending.counters),
        "oldKey": pending.old_key,
        "pendingReplacement": pending.pending_replacement,
    }


def decode_pending(data: Mapping[str, Any], box: SecretBox) -> Pending:
    """The inverse. Raises Damaged."""
    try:
        return Pending(
            token=data["token"],
            op=data["op"],
            key=data["key"],
            entry=decode_entry(data["resource"], box, recorded=data["recorded"]),
            counters=dict(data["counters"]),
            old_key=data["oldKey"],
            pending_replacement=data["pendingReplacement"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"an operation is not as it must be: {error!r}") from error


def encode(snapshot: Snapshot, project: str, stack: str, box: SecretBox) -> dict[str, Any]:
    """The whole file. Resources stand after what they need, copies to delete last."""
    order = topological({key: entry.needs() for key, entry in snapshot.live()})
    order += sorted(key for key, entry in snapshot.entries.items() if entry.delete)
    recorded: list[int] = []
    copies: dict[str, str] = {}
    resources: list[dict[str, Any]] = []
    for key in order:
        entry = snapshot.entries[key]
        resources.append(encode_entry(entry, box))
        if entry.recorded:
            recorded.append(len(resources) - 1)
        if entry.delete:
            copies[str(len(resources) - 1)] = key
    latest: dict[str, Any] = {
        "manifest": {"time": now(), "magic": "", "version": ""},
        "secrets_providers": {"type": "mlops-iac-local-key", "state": {}},
        "resources": resources,
    }
    if snapshot.pending:
        latest["pending_operations"] = [
            {"resource": encode_entry(p.entry, box), "type": _OPERATION_TYPES[p.op]}
            for p in snapshot.pending.values()
        ]
    latest["metadata"] = {
        METADATA: {
            "serial": snapshot.serial,
            "salt": snapshot.salt,
            "replacements": dict(sorted(snapshot.counters.items())),
            "recorded": recorded,
            "copies": copies,
            "pending": [encode_pending(p, box) for p in snapshot.pending.values()],
        }
    }
    return {
        "version": 3,
        "checkpoint": {"stack": f"organization/{project}/{stack}", "latest": latest},
    }


def decode(data: Any, box: SecretBox) -> Snapshot:
    """The inverse. Raises Damaged."""
    try:
        if data["version"] != 3:
            raise Damaged(f"version {data['version']!r} instead of 3")
        latest = _mapping(data["checkpoint"]["latest"])
        own = _mapping(latest["metadata"][METADATA])
        recorded = set(own["recorded"])
        snapshot = Snapshot(
            counters={text_of(k): int(v) for k, v in own["replacements"].items()},
            salt=text_of(own["salt"]),
            serial=int(own["serial"]),
        )
        for index, item in enumerate(latest["resources"]):
            entry = decode_entry(item, box, recorded=index in recorded)
            key = text_of(own["copies"][str(index)]) if entry.delete else entry.urn
            if key in snapshot.entries:
                raise Damaged(f"{entry.urn} stands in it twice")
            snapshot.entries[key] = entry
        for item in own["pending"]:
            pending = decode_pending(item, box)
            snapshot.pending[pending.token] = pending
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Damaged(f"it is not a checkpoint: {error!r}") from error
    return snapshot
