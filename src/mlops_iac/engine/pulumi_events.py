"""The real engine's events as steps, plans and failures.

Source of the shapes: `sdk/go/common/apitype/events.go`; the Automation API hands them on as they
are, with `[secret]` in place of secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from mlops_iac.engine.embedded import paths, wire
from mlops_iac.engine.protocol import Event, OnEvent, Operation, PropertyChange, Step
from mlops_iac.graph.model import STACK_TYPE
from mlops_iac.values import Properties, Secret, Value

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
    match value:
        case str() if value == _HIDDEN:
            return Secret(_HIDDEN)
        case dict():
            return {key: hidden(item) for key, item in value.items()}
        case list():
            return [hidden(item) for item in value]
        case _:
            return value


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
        name=metadata.urn.split("::", 3)[3],
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

    def __init__(self, on_event: OnEvent | None = None) -> None:
        self._tell: Callable[[Event], None] = on_event or (lambda _event: None)
        self._started: dict[tuple[str, str], Step] = {}
        self.steps: list[Step] = []
        self.outputs: Properties = {}
        self.failures: dict[str, str] = {}
        self.errors: list[str] = []
        self.diagnostics: list[str] = []

    def hear(self, event: Any) -> None:
        """One `EngineEvent`."""
        if event.resource_pre_event is not None:
            step = step_of(event.resource_pre_event.metadata)
            self._started[step.urn, step.op] = step
            self.steps.append(step)
            if step.op != "same":
                self._tell(Event("start", step))
        elif event.res_outputs_event is not None:
            self._done(event.res_outputs_event.metadata)
        elif event.res_op_failed_event is not None:
            step = step_of(event.res_op_failed_event.metadata)
            self.failures.setdefault(step.urn, "")
            self._tell(Event("failed", step))
        elif event.diagnostic_event is not None:
            self._diagnostic(event.diagnostic_event)

    def _done(self, metadata: Any) -> None:
        step = step_of(metadata)
        if step.type == STACK_TYPE and metadata.new is not None:
            self.outputs = properties(metadata.new.outputs)
        if step.op != "same":
            self._tell(Event("done", step))

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
