"""The engine `embedded`: `engine/protocol.py` over the deployment, for emulated clouds only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_iac.emulators.provider import Provider
from mlops_iac.engine.protocol import OnEvent, Plan, Result, StackTarget
from mlops_iac.values import Properties


class EmbeddedEngine:
    """Runs a program in-process against providers, by package name (`{"aws": provider}`)."""

    name = "embedded"

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = dict(providers)

    def preview(self, target: StackTarget, *, targets: Sequence[str] = ()) -> Plan:
        """What `up` would do against the stack's state."""
        raise NotImplementedError

    def up(
        self,
        target: StackTarget,
        *,
        on_event: OnEvent | None = None,
        parallel: int = 8,
        targets: Sequence[str] = (),
    ) -> Result:
        """Bring the stack to what the program says."""
        raise NotImplementedError

    def refresh(self, target: StackTarget, *, preview_only: bool = False) -> Result:
        """Take over what the cloud says; steps tell what drifted or vanished."""
        raise NotImplementedError

    def destroy(self, target: StackTarget, *, on_event: OnEvent | None = None) -> Result:
        """Delete everything in reverse order of dependency."""
        raise NotImplementedError

    def plan_destroy(self, target: StackTarget) -> Plan:
        """What `destroy` would delete."""
        raise NotImplementedError

    def outputs(self, target: StackTarget) -> Properties:
        """The stack's outputs; secrets stay wrapped."""
        raise NotImplementedError

    def resources(self, target: StackTarget) -> Sequence[Any]:
        """What the state holds, for `status`."""
        raise NotImplementedError
