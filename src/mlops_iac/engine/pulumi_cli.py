"""The engine `pulumi`: the real CLI through the Automation API, with any backend.

For the stack `local` it runs against the emulated clouds, served for that one process; a real
stack never sees them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.emulators.provider import Provider
from mlops_iac.engine import pulumi_workspace as workspace
from mlops_iac.engine.protocol import OnEvent, Plan, Result, StackTarget, Step
from mlops_iac.engine.pulumi_errors import explained, missing
from mlops_iac.engine.pulumi_events import EventLog, resource_of
from mlops_iac.engine.pulumi_interrupt import PulumiInterrupt, in_order
from mlops_iac.errors import Cancelled, MlopsError, StackNotFound, UsageError
from mlops_iac.graph.model import Resource
from mlops_iac.values import Properties, Secret

if TYPE_CHECKING:
    from mlops_iac.graph.canonical import CanonicalGraph


class PulumiEngine:
    """Drives the `pulumi` on PATH. `providers` are the emulated clouds of `local`.

    `constraints` is where Pulumi's own plan is to lie: each `preview` writes it, and an `up` is held
    to it. A stack that does not exist yet has none, because its plan would be sealed with a key
    that is thrown away.
    """

    name = "pulumi"

    def __init__(
        self, providers: Mapping[str, Provider] | None = None, constraints: Path | None = None
    ) -> None:
        self._providers = dict(providers or {})
        self._constraints = constraints

    def preview(self, target: StackTarget, *, targets: Sequence[str] = ()) -> Plan:
        """What `up` would do against the stack's state in its backend. Changes nothing.

        A stack that does not exist yet is previewed as empty, in a backend that is thrown away.
        """
        with self._variables(target) as variables:
            from mlops_iac.engine import pulumi_stack

            stack = _call(lambda: pulumi_stack.named(target, variables))
            config = str(workspace.write_config(target).resolve())
            with contextlib.suppress(StackNotFound):
                urns = self._urns(stack, config, target, targets)
                return self._preview(stack, config, target, urns, self._constraints)
            with _tried(target, variables) as (stack, config):
                urns = self._urns(stack, config, target, targets)
                plan = self._preview(stack, config, target, urns)
        note = f"the stack {target.stack} does not exist in its backend yet; `up` makes it"
        return plan if _local(target) else replace(plan, diagnostics=(note, *plan.diagnostics))

    def previews(self, targets: Sequence[StackTarget]) -> list[Plan]:
        """Those up to the first that changes something, asked; the rest from what programs say.

        The CLI plans on what is there alone, so a later one is the difference between two symbolic
        captures.
        """
        plans: list[Plan] = []
        left: CanonicalGraph | None = None
        for target in targets:
            if left is None:
                plans.append(self.preview(target))
                made = self._captured(target) if plans[-1].size else None
            else:
                made = self._captured(target)
                plans.append(self._difference(target, left, made))
            left = made if plans[-1].size else left
        return plans

    def _captured(self, target: StackTarget) -> CanonicalGraph:
        from mlops_iac.engine.embedded.capture import capture
        from mlops_iac.graph.comparable import comparable

        return comparable(capture(target, self._providers))

    def _difference(self, target: StackTarget, old: CanonicalGraph, new: CanonicalGraph) -> Plan:
        from mlops_iac.clouds.registry import replaces
        from mlops_iac.graph.comparable import incomparable
        from mlops_iac.graph.diff import diff

        note = "what a later pass does is told by the program, and planned exactly before it starts"
        return Plan(
            stack=target.stack,
            project=target.project,
            engine=self.name,
            against="state" if _local(target) else "live",
            steps=tuple(diff(old, new, replaces)),
            outputs=dict(new.outputs),
            diagnostics=(note,),
            incomparable=incomparable(old, new),
        )

    def up(
        self,
        target: StackTarget,
        *,
        on_event: OnEvent | None = None,
        parallel: int = 8,
        targets: Sequence[str] = (),
    ) -> Result:
        """Bring the stack to what the program says; failed resources are in the result."""
        plan = self._constraints
        with self._variables(target) as variables:
            from mlops_iac.engine import pulumi_stack

            stack = _call(lambda: pulumi_stack.made(target, variables))
            config = str(workspace.write_config(target).resolve())
            urns = self._urns(stack, config, target, targets)
            return self._operate(
                lambda log: stack.up(
                    parallel=parallel,
                    target=urns,
                    plan=str(plan) if plan and plan.exists() else None,
                    config_file=config,
                    on_event=log.hear,
                    show_secrets=False,
                    suppress_outputs=True,
                ),
                on_event,
            )

    def refresh(self, target: StackTarget, *, preview_only: bool = False) -> Result:
        """Take over what the cloud says. Raises StackNotFound."""
        with self._existing(target) as (stack, config):
            if stack is None:
                return Result(())
            run = stack.preview_refresh if preview_only else stack.refresh
            return self._operate(
                lambda log: run(config_file=config, on_event=log.hear, show_secrets=False), None
            )

    def destroy(self, target: StackTarget, *, on_event: OnEvent | None = None) -> Result:
        """Delete everything; the stack itself stays. Raises StackNotFound."""
        with self._existing(target) as (stack, config):
            if stack is None:
                return Result(())
            return self._operate(
                lambda log: stack.destroy(
                    config_file=config, on_event=log.hear, show_secrets=False
                ),
                on_event,
            )

    def plan_destroy(self, target: StackTarget) -> Plan:
        """What `destroy` would delete. Raises StackNotFound."""
        begun = time.monotonic()
        log = self._log()
        with self._existing(target) as (stack, config):
            if stack is not None:
                with in_order():
                    _call(lambda: stack.preview_destroy(config_file=config, on_event=log.hear), log)
        return self._plan(target, log, begun)

    def outputs(self, target: StackTarget) -> Properties:
        """The stack's outputs, secrets wrapped. Empty for a stack that was never created."""
        shown = self._read(target, lambda stack: stack.outputs()) or {}
        return {k: Secret(v.value) if v.secret else v.value for k, v in shown.items()}

    def resources(self, target: StackTarget) -> Sequence[Resource]:
        """What the state holds; the values of secrets are left out."""
        exported = self._read(target, lambda stack: stack.export_stack())
        items = ((exported and exported.deployment) or {}).get("resources") or ()
        kept = [resource_of(item) for item in items if not item.get("delete")]
        return [replace(item, recorded=self._recorded(item.type)) for item in kept]

    # -- inside ------------------------------------------------------------------------------
    @contextlib.contextmanager
    def _variables(self, target: StackTarget) -> Iterator[dict[str, str]]:
        workspace.require_cli()
        with workspace.environment(target, self._providers) as variables:
            yield variables

    def _read(self, target: StackTarget, read: Callable[[Any], Any]) -> Any:
        """What is read of the stack; None where it was never created."""
        with self._variables(target) as variables, contextlib.suppress(StackNotFound):
            from mlops_iac.engine import pulumi_stack

            return _call(lambda: read(pulumi_stack.named(target, variables)))

    @contextlib.contextmanager
    def _existing(self, target: StackTarget) -> Iterator[tuple[Any, str]]:
        """The stack and its configuration; None for `local` that was never deployed."""
        with self._variables(target) as variables:
            from mlops_iac.engine import pulumi_stack

            stack = _call(lambda: pulumi_stack.found(target, variables))
            if stack is None and not _local(target):
                raise missing(target.stack)
            yield stack, "" if stack is None else str(workspace.write_config(target).resolve())

    def _log(self, on_event: OnEvent | None = None) -> EventLog:
        return EventLog(on_event, self._recorded)

    def _recorded(self, type_: str) -> bool:
        provider = self._providers.get(type_.split(":")[0])
        return provider is not None and provider.records(type_)

    def _preview(
        self,
        stack: Any,
        config: str,
        target: StackTarget,
        urns: list[str] | None,
        constraints: Path | None = None,
    ) -> Plan:
        begun = time.monotonic()
        log = self._log()
        kept = str(constraints) if constraints else None
        with in_order():
            _call(
                lambda: stack.preview(
                    target=urns, config_file=config, on_event=log.hear, plan=kept
                ),
                log,
            )
        return self._plan(target, log, begun)

    def _plan(self, target: StackTarget, log: EventLog, begun: float) -> Plan:
        return Plan(
            stack=target.stack,
            project=target.project,
            engine=self.name,
            against="state" if _local(target) else "live",
            steps=tuple(log.steps),
            outputs=log.outputs,
            diagnostics=tuple(log.diagnostics),
            duration_seconds=time.monotonic() - begun,
        )

    def _operate(self, run: Callable[[EventLog], Any], on_event: OnEvent | None) -> Result:
        begun = time.monotonic()
        log = self._log(on_event)
        with PulumiInterrupt() as interrupt:
            try:
                _call(lambda: run(log), log)
            except MlopsError:
                if interrupt.requested():
                    raise Cancelled("interrupted; Pulumi kept what was done") from None
                if not log.failures:
                    raise
        return Result(
            steps=tuple(log.steps),
            outputs=log.outputs,
            failures=log.failed_resources(),
            duration_seconds=time.monotonic() - begun,
        )

    def _urns(
        self, stack: Any, config: str, target: StackTarget, targets: Sequence[str]
    ) -> list[str] | None:
        """URNs for addresses, which only a preview of the whole stack knows."""
        if not targets:
            return None
        known: dict[str, str] = {}
        if any(not item.startswith("urn:") for item in targets):
            plan = self._preview(stack, config, target, None)
            known = {step.address: step.urn for step in plan.steps}
        missing = [item for item in targets if not item.startswith("urn:") and item not in known]
        if missing:
            raise UsageError(
                f"no resource has the address {', '.join(missing)}",
                hint="`mlops-iac status --resources` lists the addresses",
            )
        return [known.get(item, item) for item in targets]


@contextlib.contextmanager
def _tried(target: StackTarget, variables: dict[str, str]) -> Iterator[tuple[Any, str]]:
    from mlops_iac.engine import pulumi_stack

    trying = pulumi_stack.tried(target, variables)
    stack, config = _call(trying.__enter__)
    with contextlib.ExitStack() as ending:
        ending.push(trying.__exit__)
        yield stack, str(config)


def _local(target: StackTarget) -> bool:
    return target.stack == workspace.LOCAL


def _call(call: Callable[[], Any], log: EventLog | None = None) -> Any:
    from pulumi import automation

    try:
        return call()
    except (automation.CommandError, automation.InvalidVersionError) as error:
        raise explained(error, log.errors if log else ()) from error


__all__ = ["PulumiEngine", "Step"]
