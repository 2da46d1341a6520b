"""What an engine is asked for, and what it answers. Both engines speak this."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from mlops_iac.graph.model import ResourceGraph
from mlops_iac.graph.plan import Operation, Plan, PropertyChange, Step
from mlops_iac.values import Properties, Value

__all__ = [
    "Capture",
    "Engine",
    "Event",
    "OnEvent",
    "Operation",
    "Plan",
    "PropertyChange",
    "Result",
    "StackTarget",
    "Step",
]


@dataclass(frozen=True, slots=True)
class StackTarget:
    """One stack of one compiled program.

    `program` holds `Pulumi.yaml` and `__main__.py`. `config` are the full configuration keys with
    their values (`schedule-adherence:serving.api.scaling.max`, `PACKAGE:region`), already merged.
    `work` is the project's `.mlops-iac/`, `region` where it is deployed to. `backend` is the URL of
    the Pulumi backend that keeps the state, `secrets_provider` what encrypts secrets in it; empty
    for the user's own.
    """

    program: Path
    project: str
    stack: str
    config: Mapping[str, Value]
    work: Path
    region: str
    secret_keys: frozenset[str] = frozenset()
    backend: str = ""
    secrets_provider: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Progress: a step started, ended or failed."""

    kind: Literal["start", "done", "failed", "skipped", "note"]
    step: Step | None = None
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """How an `up`, `refresh` or `destroy` ended. `failures` maps URN to the reason."""

    steps: Sequence[Step]
    outputs: Properties = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    duration_seconds: float = 0.0


OnEvent = Callable[[Event], None]


class Engine(Protocol):
    """Both engines. Methods raise `MlopsError`s, never print, and are safe to interrupt."""

    name: str

    def preview(self, target: StackTarget, *, targets: Sequence[str] = ()) -> Plan:
        """What `up` would do against the stack's state."""

    def previews(self, targets: Sequence[StackTarget]) -> list[Plan]:
        """What an `up` of each in turn would do, on what those before it would leave.

        A target that changes no resource leaves nothing: it is not run.
        """

    def up(
        self,
        target: StackTarget,
        *,
        on_event: OnEvent | None = None,
        parallel: int = 8,
        targets: Sequence[str] = (),
    ) -> Result:
        """Bring the stack to what the program says."""

    def refresh(self, target: StackTarget, *, preview_only: bool = False) -> Result:
        """Take over what the cloud says; steps tell what drifted or vanished."""

    def destroy(self, target: StackTarget, *, on_event: OnEvent | None = None) -> Result:
        """Delete everything in reverse order of dependency."""

    def plan_destroy(self, target: StackTarget) -> Plan:
        """What `destroy` would delete."""

    def outputs(self, target: StackTarget) -> Properties:
        """The stack's outputs; secrets stay wrapped."""

    def resources(self, target: StackTarget) -> Sequence[Any]:
        """What the state holds, for `status`."""


class Capture(Protocol):
    """Symbolic capture: runs the program with stand-ins for everything computed."""

    def __call__(self, target: StackTarget) -> ResourceGraph: ...
