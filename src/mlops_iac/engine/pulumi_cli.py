"""The engine `pulumi`: the real CLI through the Automation API, with any backend.

For the stack `local` it runs against the emulated clouds, served for that one process; a real
stack never sees them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.emulators.provider import Provider
from mlops_iac.engine import pulumi_workspace as workspace
from mlops_iac.engine.embedded.interrupt import Interrupt
from mlops_iac.engine.protocol import OnEvent, Plan, Result, StackTarget, Step
from mlops_iac.engine.pulumi_events import EventLog, plain, properties
from mlops_iac.errors import AuthenticationError, Cancelled, MlopsError, UsageError
from mlops_iac.graph.model import Resource, address_of
from mlops_iac.values import Properties, Secret


class PulumiEngine:
    """Drives the `pulumi` on PATH. `providers` are the emulated clouds of `local`."""

    name = "pulumi"

    def __init__(self, providers: Mapping[str, Provider] | None = None) -> None:
        self._providers = dict(providers or {})

    def preview(self, target: StackTarget, *, targets: Sequence[str] = ()) -> Plan:
        """What `up` would do against the stack's state in its backend."""
        with self._opened(target) as (stack, config):
            return self._preview(stack, config, target, self._urns(stack, config, target, targets))

    def up(
        self,
        target: StackTarget,
        *,
        on_event: OnEvent | None = None,
        parallel: int = 8,
        targets: Sequence[str] = (),
    ) -> Result:
        """Bring the stack to what the program says; failed resources are in the result."""
        with self._opened(target) as (stack, config):
            urns = self._urns(stack, config, target, targets)
            return self._operate(
                lambda log: stack.up(
                    parallel=parallel,
                    target=urns,
                    config_file=config,
                    on_event=log.hear,
                    show_secrets=False,
                    suppress_outputs=True,
                ),
                on_event,
            )

    def refresh(self, target: StackTarget, *, preview_only: bool = False) -> Result:
        """Take over what the cloud says."""
        with self._opened(target) as (stack, config):
            run = stack.preview_refresh if preview_only else stack.refresh
            return self._operate(
                lambda log: run(config_file=config, on_event=log.hear, show_secrets=False), None
            )

    def destroy(self, target: StackTarget, *, on_event: OnEvent | None = None) -> Result:
        """Delete everything; the stack itself stays."""
        with self._opened(target) as (stack, config):
            return self._operate(
                lambda log: stack.destroy(
                    config_file=config, on_event=log.hear, show_secrets=False
                ),
                on_event,
            )

    def plan_destroy(self, target: StackTarget) -> Plan:
        """What `destroy` would delete."""
        begun = time.monotonic()
        log = EventLog()
        with self._opened(target) as (stack, config):
            _call(lambda: stack.preview_destroy(config_file=config, on_event=log.hear), log)
        return self._plan(target, log, begun)

    def outputs(self, target: StackTarget) -> Properties:
        """The stack's outputs, secrets wrapped. Empty for a stack that was never created."""
        with self._opened(target, create=False) as (stack, _):
            if stack is None:
                return {}
            found = _call(stack.outputs, EventLog())
            return {k: Secret(v.value) if v.secret else v.value for k, v in found.items()}

    def resources(self, target: StackTarget) -> Sequence[Resource]:
        """What the state holds; the values of secrets are left out."""
        with self._opened(target, create=False) as (stack, _):
            if stack is None:
                return ()
            exported = _call(stack.export_stack, EventLog())
        found = (exported.deployment or {}).get("resources") or ()
        return [_resource(item) for item in found if not item.get("delete")]

    # -- inside ------------------------------------------------------------------------------
    @contextlib.contextmanager
    def _opened(self, target: StackTarget, *, create: bool = True) -> Iterator[tuple[Any, str]]:
        workspace.require_cli()
        from pulumi import automation

        with workspace.environment(target, self._providers) as variables:
            options = automation.LocalWorkspaceOptions(
                work_dir=str(target.program.resolve()), env_vars=variables
            )
            select = automation.create_or_select_stack if create else automation.select_stack
            try:
                stack = select(target.stack, work_dir=str(target.program.resolve()), opts=options)
            except automation.StackNotFoundError:
                yield None, ""
                return
            except (automation.CommandError, automation.InvalidVersionError) as error:
                raise _explained(error, EventLog()) from error
            yield stack, str(workspace.write_config(target).resolve())

    def _preview(
        self, stack: Any, config: str, target: StackTarget, urns: list[str] | None
    ) -> Plan:
        begun = time.monotonic()
        log = EventLog()
        _call(lambda: stack.preview(target=urns, config_file=config, on_event=log.hear), log)
        return self._plan(target, log, begun)

    def _plan(self, target: StackTarget, log: EventLog, begun: float) -> Plan:
        return Plan(
            stack=target.stack,
            project=target.project,
            engine=self.name,
            against="live",
            steps=tuple(log.steps),
            outputs=log.outputs,
            diagnostics=tuple(log.diagnostics),
            duration_seconds=time.monotonic() - begun,
        )

    def _operate(self, run: Callable[[EventLog], Any], on_event: OnEvent | None) -> Result:
        begun = time.monotonic()
        log = EventLog(on_event)
        with Interrupt() as interrupt:
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
            known = {address_of(step.type, step.name): step.urn for step in plan.steps}
        missing = [item for item in targets if not item.startswith("urn:") and item not in known]
        if missing:
            raise UsageError(
                f"no resource has the address {', '.join(missing)}",
                hint="`mlops-iac status` lists the addresses",
            )
        return [known.get(item, item) for item in targets]


def _call(call: Callable[[], Any], log: EventLog) -> Any:
    from pulumi import automation

    try:
        return call()
    except automation.CommandError as error:
        raise _explained(error, log) from error


def _explained(error: Exception, log: EventLog) -> MlopsError:
    """The CLI's error in a line or two; its own text is a page."""
    text = plain(str(error))
    if log.errors:
        message = "; ".join(dict.fromkeys(log.errors))
    else:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        said = [line for line in lines if line.startswith("error:")]
        message = "; ".join(dict.fromkeys(said)) or (lines[-1] if lines else "no message")
    if "PULUMI_ACCESS_TOKEN" in text or "pulumi login" in text:
        return AuthenticationError(f"Pulumi: {message}", hint="run `pulumi login` first")
    if "conflict" in text.lower() and "lock" in text.lower():
        return MlopsError(
            f"the stack is in use: {message}", hint="wait for it to end, or run `pulumi cancel`"
        )
    return MlopsError(f"Pulumi: {message}")


def _resource(data: Mapping[str, Any]) -> Resource:
    def shown(values: Mapping[str, Any] | None) -> Properties:
        return properties({key: _without_ciphertext(v) for key, v in (values or {}).items()})

    return Resource(
        urn=data["urn"],
        type=data["type"],
        name=data["urn"].split("::", 3)[3],
        custom=bool(data.get("custom")),
        parent=data.get("parent", ""),
        inputs=shown(data.get("inputs")),
        outputs=shown(data.get("outputs")),
        id=data.get("id", ""),
        provider=data.get("provider", ""),
        dependencies=tuple(data.get("dependencies", ())),
        property_dependencies=data.get("propertyDependencies", {}),
        protect=bool(data.get("protect")),
        retain_on_delete=bool(data.get("retainOnDelete")),
        additional_secret_outputs=tuple(data.get("additionalSecretOutputs", ())),
        aliases=tuple(data.get("aliases", ())),
        deleted_with=data.get("deletedWith", ""),
    )


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


__all__ = ["PulumiEngine", "Step"]
