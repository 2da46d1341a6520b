"""Operations that an earlier process began and did not end: adopted, dropped, or repeated."""

from __future__ import annotations

from dataclasses import replace

from mlops_iac.emulators.provider import Provider
from mlops_iac.engine.embedded.dynamic import PACKAGE as DYNAMIC
from mlops_iac.engine.embedded.executor import completed
from mlops_iac.engine.embedded.providers import Providers
from mlops_iac.engine.embedded.state import Mutation, Pending, Snapshot, replaced_mutation
from mlops_iac.engine.embedded.store import Store, holder
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.values import reveal


def recover(store: Store, providers: Providers) -> list[str]:
    """Resolve every pending operation through its provider; returns a note on each."""
    notes = []
    for pending in list(store.snapshot.pending.values()):
        provider = providers.of(pending.entry.type, pending.entry.provider)
        match pending.op:
            case "create":
                mutation, note = _create(pending, provider, store.snapshot)
            case "update":
                mutation, note = _update(pending, store.snapshot)
            case "delete":
                mutation, note = _delete(pending, provider, store.snapshot)
        store.end(pending.token, mutation)
        notes.append(f"{pending.entry.address}: {note}")
    return notes


def look(target: StackTarget, store: Store, providers: Providers) -> list[str]:
    """As `recover`, for a plan: what another process is still at was not interrupted."""
    busy = holder(target)
    notes = recover(store, providers)
    if busy:
        return [f"{busy} works on this stack: the plan is of what it has done so far"]
    return notes


def _create(pending: Pending, provider: Provider, snapshot: Snapshot) -> tuple[Mutation, str]:
    entry = pending.entry
    found = provider.find(entry.type, reveal(entry.inputs), pending.token)
    if found is None and entry.package == DYNAMIC:
        return Mutation(), "an interrupted creation; look whether it left something behind"
    if found is None:
        return Mutation(), "an interrupted creation left nothing behind"
    old = snapshot.entries.get(pending.key)
    mutation = replaced_mutation(pending, completed(entry, found), old)
    return mutation, f"an interrupted creation had succeeded; {found.id} is adopted"


def _update(pending: Pending, snapshot: Snapshot) -> tuple[Mutation, str]:
    old = snapshot.entries.get(pending.key)
    if old is None:
        return Mutation(), "an interrupted update of what is no longer known"
    # Whether it happened cannot be told from inputs alone, so the next `up` does it again.
    marked = replace(old, init_errors=("an update was interrupted",))
    return Mutation(put={pending.key: marked}), "an interrupted update will be repeated"


def _delete(pending: Pending, provider: Provider, snapshot: Snapshot) -> tuple[Mutation, str]:
    entry = snapshot.entries.get(pending.key)
    if entry is None:
        return Mutation(), "an interrupted deletion was complete"
    if provider.read(entry.type, entry.id, entry.resource_state()) is not None:
        return Mutation(), "an interrupted deletion will be repeated"
    note = "an interrupted deletion had succeeded"
    if pending.pending_replacement:
        return Mutation(put={pending.key: replace(entry, pending_replacement=True)}), note
    return Mutation(drop=[pending.key]), note
