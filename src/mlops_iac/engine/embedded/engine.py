"""The engine `embedded`: `engine/protocol.py` over the deployment, for emulated clouds only."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mlops_iac.emulators.provider import Provider, ProviderError
from mlops_iac.engine.embedded.environment import without_environment
from mlops_iac.engine.protocol import OnEvent, Plan, Result, StackTarget, Step
from mlops_iac.errors import Cancelled, MlopsError
from mlops_iac.graph.model import Resource
from mlops_iac.graph.order import topological
from mlops_iac.values import Properties

if TYPE_CHECKING:
    from mlops_iac.engine.embedded.deployment import Deployment
    from mlops_iac.engine.embedded.executor import LivePerformer
    from mlops_iac.engine.embedded.providers import Providers
    from mlops_iac.engine.embedded.removal import Removal
    from mlops_iac.engine.embedded.steps import StepLog
    from mlops_iac.engine.embedded.store import Store


class EmbeddedEngine:
    """Runs a program in-process against providers, given by package (`{"random": provider}`)."""

    name = "embedded"

    def __init__(self, providers: Mapping[str, Provider], *, forced: bool = False) -> None:
        self._given = dict(providers)
        # Whether a destroy deletes what is protected, too: of what was only rehearsed.
        self._forced = forced

    # -- plans -------------------------------------------------------------------------------
    @without_environment()
    def preview(self, target: StackTarget, *, targets: Sequence[str] = ()) -> Plan:
        """What `up` would do against the stack's state. Changes nothing."""
        from mlops_iac.engine.embedded.store import Store

        return self._preview(target, Store(target, persist=False), targets)

    @without_environment()
    def previews(self, targets: Sequence[StackTarget]) -> list[Plan]:
        """What an `up` of each in turn would do, on what is known of what those before it leave."""
        from mlops_iac.engine.embedded.store import Store

        store = Store(targets[0], persist=False)
        plans = []
        for target in targets:
            before = store.snapshot.copy()
            plans.append(self._preview(target, store))
            if not plans[-1].size:
                store.snapshot = before
        return plans

    def _preview(self, target: StackTarget, store: Store, targets: Sequence[str] = ()) -> Plan:
        """Plan on the state in `store`, which then is as it would be afterwards."""
        from mlops_iac.engine.embedded.deployment import Deployment
        from mlops_iac.engine.embedded.executor import DryPerformer
        from mlops_iac.engine.embedded.program import run_program
        from mlops_iac.engine.embedded.recovery import look
        from mlops_iac.engine.embedded.steps import StepLog

        begun = time.monotonic()
        with self._providers(target, store) as providers:
            notes = look(target, store, providers)
        providers.configure()
        log = StepLog()
        performer = DryPerformer(store, providers)
        deployment = Deployment(store, providers, performer, log, target=target, targets=targets)
        _run(lambda: run_program(target, deployment, dry_run=True), deployment, log)
        _raise_first(deployment, log)
        steps = log.ordered(deployment.order())
        for removal in deployment.removals():
            steps.append(removal.step())
            performer.delete(removal.key, removal.entry, call=False, pending_replacement=False)
        return Plan(
            stack=target.stack,
            project=target.project,
            engine=self.name,
            against="state",
            steps=tuple(steps),
            outputs=deployment.outputs(),
            diagnostics=(*notes, *deployment.diagnostics),
            duration_seconds=time.monotonic() - begun,
        )

    def settle_names(self, target: StackTarget) -> None:
        """Make durable what names are made from, where the stack has no state yet."""
        from mlops_iac.engine.embedded.store import open_store

        with open_store(target, "preview --save-plan") as store:
            store.prepare()
            store.compact()

    @without_environment()
    def plan_destroy(self, target: StackTarget) -> Plan:
        """What `destroy` would delete. Raises MlopsError naming every protected resource."""
        from mlops_iac.engine.embedded.recovery import look
        from mlops_iac.engine.embedded.removal import plan_removals
        from mlops_iac.engine.embedded.store import Store

        begun = time.monotonic()
        store = Store(target, persist=False)
        with self._providers(target, store) as providers:
            notes = look(target, store, providers)
        removals = plan_removals(store.snapshot, (), lambda _entry: True, forced=self._forced)
        return Plan(
            stack=target.stack,
            project=target.project,
            engine=self.name,
            against="state",
            steps=tuple(removal.step() for removal in removals),
            diagnostics=tuple(notes),
            duration_seconds=time.monotonic() - begun,
        )

    # -- operations --------------------------------------------------------------------------
    @without_environment()
    def up(
        self,
        target: StackTarget,
        *,
        on_event: OnEvent | None = None,
        parallel: int = 8,
        targets: Sequence[str] = (),
    ) -> Result:
        """Bring the stack to what the program says.

        Failed resources are in the result; raises MlopsError for what is wrong with the program
        or its state, Cancelled after an interrupt. The state is written in every case.
        """
        from mlops_iac.engine.embedded.deployment import Deployment
        from mlops_iac.engine.embedded.executor import LivePerformer
        from mlops_iac.engine.embedded.interrupt import Interrupt
        from mlops_iac.engine.embedded.program import run_program
        from mlops_iac.engine.embedded.steps import StepLog
        from mlops_iac.engine.embedded.store import open_store

        begun = time.monotonic()
        log = StepLog(on_event)
        with (
            open_store(target, "up") as store,
            Interrupt() as interrupt,
            self._begun(target, store, log) as providers,
        ):
            providers.configure()
            performer = LivePerformer(store, providers)
            deployment = Deployment(
                store,
                providers,
                performer,
                log,
                target=target,
                targets=targets,
                cancelled=interrupt.requested,
            )
            try:
                _run(
                    lambda: run_program(target, deployment, dry_run=False, parallel=parallel),
                    deployment,
                    log,
                )
                if not deployment.stopping:
                    self._remove(
                        deployment.removals(), performer, log, parallel, interrupt.requested
                    )
            finally:
                store.compact()
            if interrupt.requested():
                raise Cancelled(
                    "interrupted; what was done is kept in the state", hint="run it again to go on"
                )
            if not log.failures and deployment.errors:
                raise deployment.errors[0]
            for error in deployment.errors:
                log.failures.setdefault("", error.message)
            return Result(
                steps=tuple(log.ordered(deployment.order())),
                outputs=deployment.outputs(),
                failures=dict(log.failures),
                duration_seconds=time.monotonic() - begun,
            )

    @without_environment()
    def refresh(self, target: StackTarget, *, preview_only: bool = False) -> Result:
        """Take over what the cloud says; steps tell what drifted or vanished."""
        from mlops_iac.engine.embedded.recovery import recover
        from mlops_iac.engine.embedded.refresh import refresh
        from mlops_iac.engine.embedded.steps import StepLog
        from mlops_iac.engine.embedded.store import Store, open_store

        begun = time.monotonic()
        log = StepLog()
        if preview_only:
            store = Store(target, persist=False)
            with self._providers(target, store, log) as providers:
                recover(store, providers)
                steps = refresh(store, providers, log)
        else:
            with (
                open_store(target, "refresh") as store,
                self._begun(target, store, log) as providers,
            ):
                try:
                    steps = refresh(store, providers, log)
                finally:
                    store.compact()
        stack = store.snapshot.stack()
        return Result(
            steps=tuple(steps),
            outputs=stack.outputs if stack else {},
            failures=dict(log.failures),
            duration_seconds=time.monotonic() - begun,
        )

    @without_environment()
    def destroy(self, target: StackTarget, *, on_event: OnEvent | None = None) -> Result:
        """Delete everything in reverse order of dependency; the empty state is kept."""
        from mlops_iac.engine.embedded.executor import LivePerformer
        from mlops_iac.engine.embedded.interrupt import Interrupt
        from mlops_iac.engine.embedded.removal import plan_removals
        from mlops_iac.engine.embedded.steps import StepLog
        from mlops_iac.engine.embedded.store import open_store

        begun = time.monotonic()
        log = StepLog(on_event)
        with (
            open_store(target, "destroy") as store,
            Interrupt() as interrupt,
            self._begun(target, store, log) as providers,
        ):
            performer = LivePerformer(store, providers)
            try:
                removals = plan_removals(
                    store.snapshot, (), lambda _entry: True, forced=self._forced
                )
                removed = self._remove(removals, performer, log, 8, interrupt.requested)
            finally:
                store.forget_names()
                store.compact()
            if interrupt.requested():
                raise Cancelled(
                    "interrupted; what is left is kept in the state", hint="run it again to go on"
                )
        return Result(
            steps=tuple(removed),
            failures=dict(log.failures),
            duration_seconds=time.monotonic() - begun,
        )

    # -- what is known -----------------------------------------------------------------------
    def outputs(self, target: StackTarget) -> Properties:
        """The stack's outputs; secrets stay wrapped. Empty before the first `up`."""
        from mlops_iac.engine.embedded.store import Store

        stack = Store(target, persist=False).snapshot.stack()
        return stack.outputs if stack else {}

    def resources(self, target: StackTarget) -> Sequence[Resource]:
        """What the state holds, dependencies first; copies waiting for deletion are left out."""
        from mlops_iac.engine.embedded.store import Store

        live = dict(Store(target, persist=False).snapshot.live())
        return [live[key] for key in topological({k: e.needs() for k, e in live.items()})]

    # -- inside ------------------------------------------------------------------------------
    @contextlib.contextmanager
    def _providers(
        self, target: StackTarget, store: Store, log: StepLog | None = None
    ) -> Iterator[Providers]:
        """Configured as what stands in the state was made, with the modules of dynamic ones in reach."""
        from mlops_iac.engine.embedded.dynamic import PACKAGE as DYNAMIC
        from mlops_iac.engine.embedded.program import as_main_folder
        from mlops_iac.engine.embedded.providers import Providers

        entries = store.snapshot.entries.values()
        providers = Providers(self._given, target, log.note if log else lambda _line: None)
        providers.configure(entries)
        there = target.program.is_dir() and any(each.package == DYNAMIC for each in entries)
        with as_main_folder(target.program.resolve()) if there else contextlib.nullcontext():
            yield providers

    @contextlib.contextmanager
    def _begun(self, target: StackTarget, store: Store, log: StepLog) -> Iterator[Providers]:
        from mlops_iac.engine.embedded.recovery import recover

        with self._providers(target, store, log) as providers:
            store.prepare()
            for note in recover(store, providers):
                log.note(note)
            yield providers

    def _remove(
        self,
        removals: Sequence[Removal],
        performer: LivePerformer,
        log: StepLog,
        parallel: int,
        stop: Callable[[], bool],
    ) -> list[Step]:
        from mlops_iac.engine.embedded.removal import perform

        removed: list[Step] = []

        def delete(removal: Removal) -> bool:
            step = removal.step()
            try:
                with log.running(f"{removal.key}#removed", step) as done:
                    performer.delete(
                        removal.key, removal.entry, call=removal.call, pending_replacement=False
                    )
                    done(step)
                    removed.append(step)
            except (ProviderError, MlopsError):
                return False
            return True

        left = perform(removals, delete, parallel=parallel, stop=stop)
        for removal in left:
            log.skipped(removal.entry.urn)
        return removed


def _run(call: Callable[[], None], deployment: Deployment, log: StepLog) -> None:
    """Run the program; what it says after a resource failed is only a consequence."""
    try:
        call()
    except MlopsError:
        if not (deployment.errors or log.failures):
            raise


def _raise_first(deployment: Deployment, log: StepLog) -> None:
    if deployment.errors:
        raise deployment.errors[0]
    for urn, message in log.failures.items():
        raise MlopsError(f"{urn}: {message}")
