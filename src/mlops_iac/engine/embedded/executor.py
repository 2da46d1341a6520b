"""Performs single operations: journalled before and after, against a provider or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from mlops_iac.emulators.provider import DiffResult, ProviderError, ResourceState
from mlops_iac.engine.embedded.checkpoint import now
from mlops_iac.engine.embedded.marks import mark_like
from mlops_iac.engine.embedded.providers import Providers
from mlops_iac.engine.embedded.state import Entry, Mutation, Pending, replaced_mutation
from mlops_iac.engine.embedded.store import Store
from mlops_iac.graph.standins import contains_stand_in
from mlops_iac.values import Properties, Secret, reveal


class Performer(Protocol):
    """The three operations; each changes the state and returns what is known afterwards."""

    def create(
        self, entry: Entry, counters: Mapping[str, int], old: Entry | None, keep_old: bool
    ) -> Entry:
        """Create `entry`; `keep_old`: the old one stays as a copy to be deleted."""

    def update(self, entry: Entry, old: Entry, diff: DiffResult | None) -> Entry:
        """Change in place."""

    def delete(self, key: str, entry: Entry, *, call: bool, pending_replacement: bool) -> None:
        """Delete; without `call` only the state's entry goes."""


def completed(entry: Entry, state: ResourceState) -> Entry:
    """The entry with what the provider answered, its secrets marked."""
    outputs = dict(mark_like(dict(state.outputs), entry.inputs))
    for key in entry.additional_secret_outputs:
        if key in outputs and not isinstance(outputs[key], Secret):
            outputs[key] = Secret(outputs[key])
    time = now()
    return replace(
        entry,
        id=state.id,
        outputs=outputs,
        recorded=state.recorded,
        created=entry.created or time,
        modified=time,
    )


class LivePerformer:
    """Against providers and a durable state."""

    def __init__(self, store: Store, providers: Providers) -> None:
        self._store = store
        self._providers = providers

    def create(
        self, entry: Entry, counters: Mapping[str, int], old: Entry | None, keep_old: bool
    ) -> Entry:
        """Raises ProviderError; what exists nevertheless is in the state then."""
        token = self._store.new_token()
        old_key = f"{entry.urn}#{token}" if keep_old else ""
        provider = self._providers.of(entry.type, entry.provider)
        return self._perform(
            Pending(token, "create", entry.urn, entry, counters, old_key),
            old,
            lambda inputs: provider.create(entry.urn, entry.type, inputs, token),
        )

    def update(self, entry: Entry, old: Entry, diff: DiffResult | None) -> Entry:
        """Raises ProviderError; what exists nevertheless is in the state then."""
        provider = self._providers.of(entry.type, entry.provider)
        return self._perform(
            Pending(self._store.new_token(), "update", entry.urn, entry),
            old,
            lambda inputs: provider.update(entry.urn, entry.type, old.resource_state(), inputs),
        )

    def _perform(
        self, pending: Pending, old: Entry | None, call: Callable[[Properties], ResourceState]
    ) -> Entry:
        entry = pending.entry
        inputs = reveal(entry.inputs)
        assert not contains_stand_in(inputs), f"{entry.address}: a stand-in reached an emulator"
        self._store.begin(pending)
        try:
            done = completed(entry, call(inputs))
        except ProviderError as error:
            mutation = Mutation()
            if error.partial is not None:
                half = replace(completed(entry, error.partial), init_errors=(error.message,))
                mutation = replaced_mutation(pending, half, old)
            self._store.end(pending.token, mutation)
            raise
        self._store.end(pending.token, replaced_mutation(pending, done, old))
        return done

    def delete(self, key: str, entry: Entry, *, call: bool, pending_replacement: bool) -> None:
        """Raises ProviderError; the entry stays then."""
        mutation = _after_delete(key, entry, pending_replacement)
        if not call:
            self._store.note(mutation)
            return
        token = self._store.new_token()
        pending = Pending(token, "delete", key, entry, pending_replacement=pending_replacement)
        self._store.begin(pending)
        try:
            self._providers.of(entry.type, entry.provider).delete(
                entry.type, entry.resource_state()
            )
        except ProviderError:
            self._store.end(token, Mutation())
            raise
        self._store.end(token, mutation)


class DryPerformer:
    """Against a copy of the state that is thrown away: what would be known afterwards."""

    def __init__(self, store: Store, providers: Providers) -> None:
        self._store = store
        self._providers = providers

    def _outputs(self, entry: Entry, old: Entry | None, diff: DiffResult | None) -> Properties:
        provider = self._providers.of(entry.type, entry.provider)
        return provider.preview_outputs(
            entry.type, reveal(entry.inputs), old.resource_state() if old else None, diff
        )

    def create(
        self, entry: Entry, counters: Mapping[str, int], old: Entry | None, keep_old: bool
    ) -> Entry:
        """Every output that only the server knows is unknown."""
        state = ResourceState("", entry.inputs, self._outputs(entry, None, None))
        created = completed(entry, state)
        token = self._store.new_token()
        old_key = f"{entry.urn}#{token}" if keep_old else ""
        pending = Pending(token, "create", entry.urn, entry, counters, old_key)
        self._store.note(replaced_mutation(pending, created, old))
        return created

    def update(self, entry: Entry, old: Entry, diff: DiffResult | None) -> Entry:
        """Old outputs stay known, except those the change can move."""
        outputs = self._outputs(entry, old, diff)
        updated = completed(entry, ResourceState(old.id, entry.inputs, outputs, old.recorded))
        self._store.note(Mutation(put={entry.urn: updated}))
        return updated

    def delete(self, key: str, entry: Entry, *, call: bool, pending_replacement: bool) -> None:
        """Only the copy of the state changes."""
        self._store.note(_after_delete(key, entry, pending_replacement))


def _after_delete(key: str, entry: Entry, pending_replacement: bool) -> Mutation:
    if pending_replacement:
        return Mutation(put={key: replace(entry, pending_replacement=True)})
    return Mutation(drop=[key])
