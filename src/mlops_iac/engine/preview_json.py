"""A plan with the keys of `pulumi preview --json`, so that tools that read it work.

Source of the shape: engine 3.260, `pkg/backend/display/json.go`; secrets are shown as it shows
them, and what is one by schema or looks like one by name (`graph.redact`) besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators import wire
from mlops_iac.engine.protocol import Plan, Step
from mlops_iac.graph.redact import redact_at, redact_properties
from mlops_iac.records import as_data
from mlops_iac.values import Properties, Value


def to_pulumi_json(plan: Plan, config: Mapping[str, Value] | None = None) -> dict[str, Any]:
    """The document. `duration` is in nanoseconds."""
    document: dict[str, Any] = {}
    if config:
        document["config"] = {
            key: wire.to_json(redact_at(key, config[key])) for key in sorted(config)
        }
    document["steps"] = [_step(step) for step in plan.steps]
    document["diagnostics"] = [_diagnostic(text) for text in (*plan.doubts, *plan.diagnostics)]
    document["duration"] = int(plan.duration_seconds * 1e9)
    document["changeSummary"] = dict(sorted(plan.summary().items()))
    if plan.assumed is not None:
        document["assumed"] = as_data(plan.assumed)
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
    if step.during:
        data["pass"] = step.during
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
        "inputs": wire.to_json(redact_properties(step.type, inputs)),
        "outputs": wire.to_json(redact_properties(step.type, outputs)),
        "parent": step.parent,
        "protect": step.protect,
        "dependencies": list(step.dependencies),
        "provider": step.provider,
    }
    data.update({key: value for key, value in optional.items() if value})
    return data
