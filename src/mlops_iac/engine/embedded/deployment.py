"""One run of the program against the state: the handler that plans and performs registrations.

The SDK calls `register` from worker threads once everything a resource needs is there, so the
work follows the dependency graph by itself. The first failure stops it: what is in flight ends,
everything later is answered as failed, which the SDK resolves as unknown without a word.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mlops_iac.emulators.provider import ProviderError
from mlops_iac.engine.embedded import planner
from mlops_iac.engine.embedded.autonaming import Autonaming
from mlops_iac.engine.embedded.checkpoint import now
from mlops_iac.engine.embedded.entries import (
    default_provider,
    make_entry,
    provider_entry,
    renamed,
)
from mlops_iac.engine.embedded.executor import Performer
from mlops_iac.engine.embedded.planner import Decision
from mlops_iac.engine.embedded.providers import Providers, package_config
from mlops_iac.engine.embedded.registration import (
    Answer,
    Registration,
)
from mlops_iac.engine.embedded.removal import Removal, plan_removals
from mlops_iac.engine.embedded.state import Entry, Mutation, Snapshot
from mlops_iac.engine.embedded.steps import StepLog, make_step, redacted
from mlops_iac.engine.embedded.store import Store
from mlops_iac.engine.protocol import Operation, StackTarget
from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.graph.model import PROVIDER_TYPE, STACK_TYPE, address_of_urn
from mlops_iac.graph.order import topological
from mlops_iac.values import Properties, Value, contains_unknown


class Deployment:
    """Handler of one preview or one `up`."""

    def __init__(
        self,
        store: Store,
        providers: Providers,
        performer: Performer,
        log: StepLog,
        *,
        target: StackTarget,
        targets: Sequence[str] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._providers = providers
        self._performer = performer
        self._log = log
        self._target = target
        self._naming = Autonaming(target.config)
        self._targets = frozenset(targets)
        self._matched: set[str] = set()
        self._cancelled = cancelled
        self._lock = threading.RLock()
        self._seen: dict[str, Registration] = {}
        self._replaced: set[str] = set()
        self._cascaded: dict[str, Sequence[str]] = {}
        self._gates: dict[str, threading.Event] = {}
        self._absent: set[str] = set()
        self._used_providers: dict[str, str] = {}
        self._outputs: Properties | None = None
        self.errors: list[MlopsError] = []
        self.diagnostics: list[str] = []

    @property
    def _snapshot(self) -> Snapshot:
        return self._store.snapshot

    @property
    def stopping(self) -> bool:
        """Whether nothing new may start."""
        return bool(self.errors or self._log.failures) or self._cancelled()

    # -- what the monitor calls --------------------------------------------------------------
    def register(self, registration: Registration) -> Answer:
        """Plan it and do it. A failure is kept; the program gets unknowns."""
        failed = Answer(registration.urn, failed=True)
        if self.stopping:
            self._log.skipped(registration.urn)
            return failed
        try:
            return self._register(registration)
        except MlopsError as error:
            with self._lock:
                self.errors.append(error)
            return failed
        except ProviderError as error:
            self._log.fail(registration.urn, redacted(error.message, registration.inputs))
            return failed

    def failed(self, error: BaseException) -> None:
        """A request was refused before it came here: nothing new may start."""
        with self._lock:
            self.errors.append(
                error if isinstance(error, MlopsError) else MlopsError(f"internal: {error!r}")
            )

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Keep the outputs of a component or of the stack."""
        with self._lock:
            entry = self._snapshot.entries.get(urn)
            if entry is None or self.stopping:
                return
            if entry.type == STACK_TYPE and self._targets:
                outputs = {
                    key: entry.outputs.get(key) if contains_unknown(value) else value
                    for key, value in outputs.items()
                    if not contains_unknown(value) or key in entry.outputs
                }
            if outputs != entry.outputs:
                self._store.note(Mutation(put={urn: replace(entry, outputs=outputs)}))
            if entry.type == STACK_TYPE:
                self._outputs = outputs

    def invoke(self, token: str, args: Properties, provider: str) -> Mapping[str, Value]:
        """A data source. Raises MlopsError."""
        return self._providers.invoke(token, args, provider)

    def log(self, severity: str, message: str) -> None:
        """Collect the program's messages; one of severity `error` fails the run."""
        self._log.note(f"{severity}: {message}")
        with self._lock:
            self.diagnostics.append(f"{severity}: {message}")
            if severity == "error":
                self.errors.append(MlopsError(f"the program reported an error: {message}"))

    # -- registrations -----------------------------------------------------------------------
    def _register(self, registration: Registration) -> Answer:
        urn = registration.urn
        with self._lock:
            if urn in self._seen:
                raise MlopsError(
                    f"{registration.address} is registered twice ({urn})",
                    hint="names must be unique among resources of a type under one parent",
                )
            self._seen[urn] = registration
            old = self._take_over_alias(registration)
            gate = self._gates.get(urn)
        if gate is not None:
            gate.wait()
            old = self._snapshot.entries.get(urn)
        if not registration.custom:
            return self._component(registration, old)
        if registration.type.startswith(PROVIDER_TYPE):
            entry = make_entry(registration, registration.inputs, old, "")
            entry = self._provider_resource(entry)
            return Answer(urn, entry.id, entry.outputs)
        provider = self._providers.of(registration.type, registration.provider)
        if not self._targeted(registration.urn, registration.address):
            return self._untargeted(registration, old)
        self._refuse_absent(registration)
        reference = registration.provider or self._default_provider(registration)
        decision = planner.decide(
            registration,
            old,
            provider,
            salt=self._snapshot.salt,
            counter=self._snapshot.counters.get(urn, 0),
            replaced=self._replaced,
            naming=self._naming,
            cascade_keys=self._cascaded.get(urn),
        )
        entry = make_entry(registration, decision.inputs, old, reference)
        match decision.op:
            case "same":
                assert old is not None
                return self._same(registration, entry, old)
            case "create":
                return self._create(registration, entry, decision)
            case "update":
                assert old is not None
                return self._update(registration, entry, old, decision)
            case "replace":
                assert old is not None
                return self._replace(registration, entry, old, decision)

    def _component(self, registration: Registration, old: Entry | None) -> Answer:
        entry = make_entry(registration, registration.inputs, old, "")
        if old is not None:
            entry = replace(entry, outputs=old.outputs, created=old.created, modified=old.modified)
        else:
            entry = replace(entry, created=now(), modified=now())
        if entry != old:
            self._store.note(Mutation(put={entry.urn: entry}))
        self._log.done(registration.urn, make_step(_op(entry, old), entry, old))
        return Answer(registration.urn)

    def _same(self, registration: Registration, entry: Entry, old: Entry) -> Answer:
        entry = replace(
            entry,
            id=old.id,
            outputs=old.outputs,
            created=old.created,
            modified=old.modified,
            recorded=old.recorded,
        )
        if entry != old:
            self._store.note(Mutation(put={entry.urn: entry}))
        self._log.done(registration.urn, make_step("same", entry, old))
        return Answer(entry.urn, entry.id, entry.outputs)

    def _create(self, registration: Registration, entry: Entry, decision: Decision) -> Answer:
        step = make_step("create", entry, None, decision)
        with self._log.running(registration.urn, step) as done:
            created = self._performer.create(entry, {}, None, keep_old=False)
            done(replace(step, id=created.id, recorded=created.recorded))
        return Answer(created.urn, created.id, created.outputs)

    def _update(
        self, registration: Registration, entry: Entry, old: Entry, decision: Decision
    ) -> Answer:
        entry = replace(entry, id=old.id, created=old.created)
        step = make_step("update", entry, old, decision)
        with self._log.running(registration.urn, step) as done:
            updated = self._performer.update(entry, old, decision.diff)
            done(replace(step, recorded=updated.recorded))
        return Answer(updated.urn, updated.id, updated.outputs)

    def _replace(
        self, registration: Registration, entry: Entry, old: Entry, decision: Decision
    ) -> Answer:
        urn = registration.urn
        with self._lock:
            self._replaced.add(urn)
        keep_old = not decision.delete_before_replace
        if decision.delete_before_replace and not decision.recreate:
            self._delete_before(registration, old)
        shown = make_step("replace", entry, old, decision)
        created_step = replace(shown, op="create-replacement")
        if not keep_old:
            self._log.done(urn, shown)
        with self._log.running(urn, created_step) as done:
            created = self._performer.create(entry, {urn: decision.counter}, old, keep_old)
            done(replace(created_step, id=created.id, recorded=created.recorded))
        if keep_old:
            self._log.done(urn, shown)
        return Answer(created.urn, created.id, created.outputs)

    def _delete_before(self, registration: Registration, old: Entry) -> None:
        """Delete what must be gone first: dependants that are replaced with it, then itself."""
        with self._lock:
            going = planner.cascade(
                old,
                [e for e in self._snapshot.dependants(old.urn) if e.urn not in self._seen],
                lambda e: self._providers.of(e.type, e.provider),
            )
            entries = [self._snapshot.entries[urn] for urn in going]
            for entry in entries:
                if entry.protect:
                    raise planner.protected(
                        entry.address, f"replaced with {registration.address}", going[entry.urn]
                    )
            self._cascaded.update(going)
            gates = {urn: threading.Event() for urn in going}
            self._gates.update(gates)
        try:
            gone = {old.urn, *going}
            order = topological({e.urn: e.needs() for e in entries})
            for urn in [*reversed(order), old.urn]:
                self._delete_replaced(registration, self._snapshot.entries[urn], gone)
        finally:
            for gate in gates.values():
                gate.set()

    def _delete_replaced(self, registration: Registration, entry: Entry, gone: set[str]) -> None:
        call = not (entry.retain_on_delete or entry.deleted_with in gone)
        removal = Removal(entry.urn, entry, "delete-replaced", call)
        step = replace(removal.step(), delete_before_replace=True)
        with self._log.running(registration.urn, step) as done:
            self._performer.delete(entry.urn, entry, call=call, pending_replacement=True)
            done(step)

    # -- aliases, targets, providers ---------------------------------------------------------
    def _take_over_alias(self, registration: Registration) -> Entry | None:
        entries = self._snapshot.entries
        if (old := entries.get(registration.urn)) is not None:
            return old
        for alias in registration.aliases:
            if alias in entries and alias not in self._seen:
                self._store.note(renamed(self._snapshot, alias, registration.urn))
                return entries[registration.urn]
        return None

    def _targeted(self, urn: str, address: str) -> bool:
        if not self._targets:
            return True
        hit = self._targets & {urn, address}
        with self._lock:
            self._matched |= hit
        return bool(hit)

    def _untargeted(self, registration: Registration, old: Entry | None) -> Answer:
        if old is None or old.pending_replacement:
            with self._lock:
                self._absent.add(registration.urn)
            return Answer(registration.urn, failed=True)
        with self._lock:
            if old.provider:
                self._used_providers[old.provider.rpartition("::")[0]] = old.provider
        self._log.done(registration.urn, make_step("same", old, old))
        return Answer(old.urn, old.id, old.outputs)

    def _refuse_absent(self, registration: Registration) -> None:
        needed = {registration.deleted_with, *registration.dependencies}
        for urns in registration.property_dependencies.values():
            needed.update(urns)
        if missing := sorted(needed & self._absent):
            names = ", ".join(address_of_urn(urn) for urn in missing)
            raise UsageError(
                f"{registration.address} needs {names}, which does not exist yet and is no target",
                hint="add it with --target, or leave --target out",
            )

    def _default_provider(self, registration: Registration) -> str:
        """The reference to the default provider; its entry is made on first use."""
        with self._lock:
            stack = next(urn for urn, r in self._seen.items() if r.type == STACK_TYPE)
            config = package_config(registration.package, self._target)
            entry = default_provider(self._snapshot, registration, stack, config)
            if reference := self._used_providers.get(entry.urn):
                return reference
            reference = self._used_providers[entry.urn] = f"{entry.urn}::{entry.id}"
            self._provider_resource(entry)
        return reference

    def _provider_resource(self, entry: Entry) -> Entry:
        """Put a provider into the state, default or the program's own, which is configured then."""
        with self._lock:
            old = self._snapshot.entries.get(entry.urn)
            entry = provider_entry(self._snapshot, entry)
            if entry.urn not in self._used_providers:
                self._providers.add(entry.urn, entry.type, entry.inputs)
            if entry != old:
                self._store.note(Mutation(put={entry.urn: entry}))
        self._log.done(entry.urn, make_step(_op(entry, old), entry, old))
        return entry

    # -- afterwards --------------------------------------------------------------------------
    def removals(self) -> list[Removal]:
        """What has to go now. Raises MlopsError for protected ones and unknown targets."""
        if unknown := self._unmatched():
            raise UsageError(
                f"no resource has the address {', '.join(unknown)}",
                hint="`mlops-iac status --resources` lists the addresses",
            )
        seen = {*self._seen, *self._used_providers}
        if self._targets:
            seen |= {key for key, e in self._snapshot.live() if not e.managed}
        return plan_removals(
            self._snapshot, seen, lambda e: e.delete or self._targeted(e.urn, e.address)
        )

    def _unmatched(self) -> list[str]:
        for _, entry in list(self._snapshot.entries.items()):
            self._targeted(entry.urn, entry.address)
        return sorted(self._targets - self._matched)

    def outputs(self) -> Properties:
        """The stack's outputs as this run left them."""
        if self._outputs is not None:
            return self._outputs
        stack = self._snapshot.stack()
        return stack.outputs if stack else {}

    def order(self) -> list[str]:
        """The URNs registered, each after what it needs."""
        stack = [urn for urn, r in self._seen.items() if r.type == STACK_TYPE]
        needs: dict[str, list[str]] = dict.fromkeys(self._used_providers, stack)
        for urn, r in self._seen.items():
            needs[urn] = [r.parent, r.deleted_with, *r.dependencies]
            if r.provider:
                needs[urn].append(r.provider.rpartition("::")[0])
            elif r.custom:
                needs[urn] += [u for u in self._used_providers if f"providers:{r.package}::" in u]
        return topological(needs)


def _op(entry: Entry, old: Entry | None) -> Operation:
    if old is None:
        return "create"
    return "same" if old.inputs == entry.inputs else "update"
