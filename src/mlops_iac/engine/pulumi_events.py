"""The real engine's events as steps, plans and failures.

Source of the shapes: `sdk/go/common/apitype/events.go`; the Automation API hands them on as they
are, with `[secret]` in place of secrets.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from mlops_iac.emulators import wire
from mlops_iac.engine.embedded import paths
from mlops_iac.engine.embedded.checkpoint import resource_fields
from mlops_iac.engine.protocol import Event, OnEvent, Operation, PropertyChange, Step
from mlops_iac.graph.model import STACK_TYPE, Resource, name_of
from mlops_iac.values import Properties, Secret, Value, mapped

_HIDDEN = "[secret]"
_COLOUR = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")
# Operations that only the real engine knows, as what they come to for a reader.
_OPERATIONS: Mapping[str, Operation] = {
    "discard": "delete",
    "discard-replaced": "delete-replaced",
    "import": "create",
    "import-replacement": "create-replacement",
    "read-replacement": "read",
    "remove-pending-replace": "delete-replaced",
}


def hidden(value: Value) -> Value:
    """`value` with every `[secret]` as a secret."""
    return mapped(value, lambda leaf: Secret(_HIDDEN) if leaf == _HIDDEN else leaf)


def properties(data: Mapping[str, Any] | None) -> dict[str, Value]:
    """Inputs or outputs of an event, in our form."""
    return {key: hidden(wire.from_json(item)) for key, item in (data or {}).items()}


def plain(message: str) -> str:
    """A diagnostic without its colour marks."""
    return _COLOUR.sub("", message).strip()


def step_of(metadata: Any) -> Step:
    """A `StepEventMetadata` of the Automation API as a step."""
    old, new = metadata.old, metadata.new
    some = new or old
    old_inputs = properties(old.inputs if old else None)
    new_inputs = properties(new.inputs if new else None)
    op = str(getattr(metadata.op, "value", metadata.op))
    return Step(
        op=_OPERATIONS.get(op, cast("Operation", op)),
        urn=metadata.urn,
        type=metadata.type,
        name=name_of(metadata.urn),
        custom=bool(some.custom) if some else True,
        changes=tuple(_changes(metadata, old_inputs, new_inputs)),
        replace_keys=tuple(metadata.keys or ()),
        old_inputs=old_inputs,
        new_inputs=new_inputs,
        old_outputs=properties(old.outputs if old else None),
        id=(some.id or "") if some else "",
        provider=metadata.provider or "",
        parent=(some.parent or "") if some else "",
        protect=bool(some.protect) if some else False,
    )


def _changes(metadata: Any, old: Properties, new: Properties) -> list[PropertyChange]:
    detailed = metadata.detailed_diff
    if not detailed:
        detailed = dict.fromkeys(metadata.diffs or ())
    changes = []
    for path, diff in detailed.items():
        segments = paths.parse(path)
        before, after = paths.get(dict(old), segments), paths.get(dict(new), segments)
        kind = "add" if before is None else "delete" if after is None else "update"
        replaces = segments[0] in (metadata.keys or ())
        if diff is not None:
            text = str(getattr(diff.diff_kind, "value", diff.diff_kind))
            kind, replaces = text.removesuffix("-replace"), text.endswith("-replace")
        changes.append(PropertyChange(path, cast("Any", kind), before, after, replaces))
    return changes


class EventLog:
    """Listens to one run of the real engine."""

    def __init__(
        self,
        on_event: OnEvent | None = None,
        recorded: Callable[[str], bool] = lambda _type: False,
    ) -> None:
        self._tell: Callable[[Event], None] = on_event or (lambda _event: None)
        self._recorded = recorded
        self._began: dict[str, float] = {}
        self._refreshing: set[str] = set()
        self.steps: list[Step] = []
        self.outputs: Properties = {}
        self.failures: dict[str, str] = {}
        self.errors: list[str] = []
        self.diagnostics: list[str] = []

    def hear(self, event: Any) -> None:
        """One `EngineEvent`."""
        if event.resource_pre_event is not None:
            step = self._step(event.resource_pre_event.metadata)
            self._began[step.urn] = time.monotonic()
            if step.op == "refresh":  # what came of it is told when it ends
                self._refreshing.add(step.urn)
                return
            self.steps.append(step)
            if step.op != "same":
                self._tell(Event("start", step))
        elif event.res_outputs_event is not None:
            self._done(event.res_outputs_event.metadata)
        elif event.res_op_failed_event is not None:
            step = self._step(event.res_op_failed_event.metadata)
            self.failures.setdefault(step.urn, "")
            self._tell(Event("failed", step, seconds=self._seconds(step)))
        elif event.diagnostic_event is not None:
            self._diagnostic(event.diagnostic_event)

    def _step(self, metadata: Any) -> Step:
        step = step_of(metadata)
        return replace(step, recorded=self._recorded(step.type))

    def _seconds(self, step: Step) -> float:
        now = time.monotonic()
        return now - self._began.get(step.urn, now)

    def _done(self, metadata: Any) -> None:
        step = self._step(metadata)
        if step.type == STACK_TYPE and metadata.new is not None:
            self.outputs = properties(metadata.new.outputs)
        if step.urn in self._refreshing:
            self._refreshing.discard(step.urn)
            if not step.in_cloud:
                return
            step = replace(step, op="refresh") if step.op == "update" else step
            self.steps.append(step)
        if step.op != "same":
            self._tell(Event("done", step, seconds=self._seconds(step)))

    def _diagnostic(self, event: Any) -> None:
        message = plain(event.message)
        if event.severity == "error":
            self.errors.append(message)
            if event.urn:
                self.failures[event.urn] = message
            return
        if event.severity in ("warning", "info", "info#err") and not event.ephemeral:
            self.diagnostics.append(f"{event.severity.split('#')[0]}: {message}")

    def failed_resources(self) -> dict[str, str]:
        """Failures of resources, with their reasons."""
        return {urn: message or "failed" for urn, message in self.failures.items()}


def resource_of(data: Mapping[str, Any]) -> Resource:
    """An entry of an exported state; the values of secrets are left out."""

    def shown(values: Mapping[str, Any] | None) -> Properties:
        return properties({key: _without_ciphertext(v) for key, v in (values or {}).items()})

    inputs, outputs = shown(data.get("inputs")), shown(data.get("outputs"))
    return Resource(**resource_fields(data), inputs=inputs, outputs=outputs)


def _without_ciphertext(value: Any) -> Any:
    match value:
        case {"ciphertext": _}:
            return "[secret]"
        case dict():
            return {key: _without_ciphertext(item) for key, item in value.items()}
        case list():
            return [_without_ciphertext(item) for item in value]
        case _:
            return value
