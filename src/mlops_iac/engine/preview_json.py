"""A plan with the keys of `pulumi preview --json`, so that tools that read it work.

Source of the shape: engine 3.260, `pkg/backend/display/json.go`; secrets are shown as it shows
them, and by name (`*_KEY`, `*TOKEN*`, `*PASSWORD*`) besides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mlops_iac.engine.embedded import wire
from mlops_iac.engine.protocol import Plan, Step
from mlops_iac.values import Properties, Secret, Value

HIDDEN: Final = "[secret]"
_SENSITIVE = re.compile(r"(_KEY|TOKEN|PASSWORD|SECRET)$|TOKEN|PASSWORD", re.IGNORECASE)


def redacted(value: Value, name: str = "") -> Any:
    """`value` in Pulumi's JSON form without secrets."""
    match value:
        case Secret():
            return HIDDEN
        case str() if _SENSITIVE.search(name):
            return HIDDEN
        case Mapping():
            return {key: redacted(item, key) for key, item in value.items()}
        case list() | tuple():
            return [redacted(item, name) for item in value]
        case _:
            return wire.to_json(value)


def to_pulumi_json(plan: Plan, config: Mapping[str, Value] | None = None) -> dict[str, Any]:
    """The document. `duration` is in nanoseconds."""
    document: dict[str, Any] = {}
    if config:
        document["config"] = {key: redacted(value, key) for key, value in sorted(config.items())}
    document["steps"] = [_step(step) for step in plan.steps]
    document["diagnostics"] = [_diagnostic(text) for text in plan.diagnostics]
    document["duration"] = int(plan.duration_seconds * 1e9)
    document["changeSummary"] = dict(sorted(plan.summary().items()))
    return document


def _diagnostic(text: str) -> dict[str, str]:
    severity, found, message = text.partition(": ")
    if not found or severity not in ("info", "warning", "error"):
        severity, message = "info", text
    return {"message": message, "severity": severity}


def _step(step: Step) -> dict[str, Any]:
    data: dict[str, Any] = {"op": step.op, "urn": step.urn}
    if step.provider:
        data["provider"] = step.provider
    if step.op not in ("create",):
        data["oldState"] = _state(step, step.old_inputs, step.old_outputs, step.id)
    if step.op not in ("delete", "delete-replaced"):
        data["newState"] = _state(step, step.new_inputs, {}, "")
    reasons = sorted({change.path.split(".")[0].split("[")[0] for change in step.changes})
    if reasons:
        data["diffReasons"] = reasons
    if step.replace_keys:
        data["replaceReasons"] = list(step.replace_keys)
    data["detailedDiff"] = {
        change.path: {
            "kind": change.kind + ("-replace" if change.replaces else ""),
            "inputDiff": True,
        }
        for change in step.changes
    } or None
    return data


def _state(step: Step, inputs: Properties, outputs: Properties, id_: str) -> dict[str, Any]:
    data: dict[str, Any] = {"urn": step.urn, "custom": step.custom, "type": step.type}
    optional = {
        "id": id_,
        "inputs": redacted(inputs),
        "outputs": redacted(outputs),
        "parent": step.parent,
        "protect": step.protect,
        "dependencies": list(step.dependencies),
        "provider": step.provider,
    }
    data.update({key: value for key, value in optional.items() if value})
    return data
