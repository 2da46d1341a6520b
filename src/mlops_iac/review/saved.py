"""A review as JSON and back. Markers of values (`Unknown`, `Asset`) survive; secrets do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from mlops_iac.errors import UsageError
from mlops_iac.graph.plan import PropertyChange, Step
from mlops_iac.graph.redact import redact_at, redact_properties
from mlops_iac.policy.model import Finding
from mlops_iac.review.model import Cause, Review, ReviewedStep, Risk
from mlops_iac.values import UNKNOWN, Asset, Unknown, Value, text_of

FORMAT: Final = 1
_UNKNOWN: Final = "$unknown"
_ASSET: Final = "$asset"
_TEXTS: Final = ("project", "stack", "platform", "engine", "against", "sha", "plan_hash")
_VALUES: Final = ("old", "new")
# Inputs of what changes; what stays is told by its place in the graph alone.
_INPUTS = ("old_inputs", "new_inputs")
# What a provider answered is never part of a review: it may hold what no schema calls a secret.
_FIELDS = tuple(
    each.name for each in fields(Step) if each.name not in {*_INPUTS, "old_outputs", "changes"}
)


def to_json(review: Review) -> dict[str, Any]:
    """The review as JSON-able data, without secrets; the same for the same review."""
    return {
        "format": FORMAT,
        "kind": "review",
        **{name: getattr(review, name) for name in _TEXTS},
        "notes": list(review.notes),
        "risks": [asdict(risk) for risk in review.risks],
        "outputs_unknown": list(review.outputs_unknown),
        "policies": [asdict(finding) for finding in review.policies],
        "steps": [_step(reviewed) for reviewed in review.steps],
        "tool_changes": [_step(reviewed) for reviewed in review.tool_changes],
    }


def from_json(data: Any) -> Review:
    """The review that `to_json` gave. Raises UsageError for anything else."""
    found = data.get("format") if isinstance(data, Mapping) else None
    if isinstance(found, int) and found > FORMAT:
        raise UsageError(
            f"the saved review has format {found}; this version reads up to {FORMAT}",
            hint="upgrade mlops-iac to the version that wrote it",
        )
    try:
        if found != FORMAT or data["kind"] != "review":
            raise ValueError(found)
        texts: dict[str, Any] = {name: text_of(data[name]) for name in _TEXTS}
        return Review(
            **texts,
            notes=_texts(data["notes"]),
            risks=[Risk(**risk) for risk in data["risks"]],
            outputs_unknown=_texts(data["outputs_unknown"]),
            policies=[Finding(**finding) for finding in data["policies"]],
            steps=[_read_step(step) for step in data["steps"]],
            tool_changes=[_read_step(step) for step in data["tool_changes"]],
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(
            "this is not a saved review",
            hint="`mlops-iac preview --against REF --save-plan FILE` writes one",
        ) from None


def to_data(step: Step) -> dict[str, Any]:
    """A step as JSON-able data without secrets; its inputs only where something changes."""
    entry: dict[str, Any] = {"custom": step.custom}
    for name in _FIELDS:
        value = getattr(step, name)
        if value:
            entry[name] = list(value) if isinstance(value, list | tuple) else value
    if step.op != "same":
        entry |= {
            name: _encode(redact_properties(step.type, getattr(step, name)))
            for name in _INPUTS
            if getattr(step, name)
        }
    if step.changes:
        entry["changes"] = [_written(change) for change in step.changes]
    return entry


def _step(reviewed: ReviewedStep) -> dict[str, Any]:
    return {
        "step": to_data(reviewed.step),
        "causes": [_written(cause) for cause in reviewed.causes],
        "follows": list(reviewed.follows),
        "risks": [asdict(risk) for risk in reviewed.risks],
        "noise": reviewed.noise,
    }


def _written(found: Cause | PropertyChange) -> dict[str, Any]:
    """What stands at a path, and its old and new value without secrets."""
    data = {each.name: getattr(found, each.name) for each in fields(found)}
    return data | {name: _encode(redact_at(found.path, data[name])) for name in _VALUES}


def _read(data: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, **{name: _decode(data[name]) for name in _VALUES}}


def _read_step(data: Mapping[str, Any]) -> ReviewedStep:
    entry = dict(data["step"])
    for name in _INPUTS:
        if name in entry:
            entry[name] = _decode(entry[name])
    entry["changes"] = [PropertyChange(**_read(each)) for each in entry.get("changes", ())]
    return ReviewedStep(
        step=Step(**entry),
        causes=[Cause(**_read(cause)) for cause in data["causes"]],
        follows=_texts(data["follows"]),
        risks=[Risk(**risk) for risk in data["risks"]],
        noise=data["noise"],
    )


def _encode(value: Value) -> Any:
    match value:
        case Unknown():
            return {_UNKNOWN: True}
        case Asset():
            return {_ASSET: value.hash, "path": value.path, "archive": value.archive}
        case Mapping():
            return {str(key): _encode(item) for key, item in value.items()}
        case list() | tuple():
            return [_encode(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"{type(value).__name__} is no property value")


def _decode(value: Any) -> Value:
    match value:
        case {"$unknown": True}:
            return UNKNOWN
        case {"$asset": digest, "path": path, "archive": archive}:
            return Asset(digest, path=path, archive=archive)
        case dict():
            return {key: _decode(item) for key, item in value.items()}
        case list():
            return [_decode(item) for item in value]
        case _:
            return value


def _texts(values: Any) -> Sequence[str]:
    return [text_of(value) for value in values]
