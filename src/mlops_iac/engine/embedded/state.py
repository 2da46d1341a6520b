"""What is known about a stack: entries by key, and the changes an operation makes to them.

A live resource has its URN as key. A replaced copy that still has to be deleted keeps its place
under `<urn>#<mark>`, so that a URN can occur twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from mlops_iac.emulators.provider import ResourceState
from mlops_iac.graph.model import STACK_TYPE, Resource
from mlops_iac.graph.order import topological
from mlops_iac.values import reveal

PendingOp = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Entry(Resource):
    """One resource of the state; the names are Pulumi's (`sdk/go/common/apitype/core.go`)."""

    delete: bool = False
    pending_replacement: bool = False
    external: bool = False
    init_errors: Sequence[str] = ()
    custom_timeouts: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    modified: str = ""

    @property
    def managed(self) -> bool:
        """Whether a provider of ours keeps it."""
        return self.in_cloud and not self.external

    def needs(self) -> set[str]:
        """URNs that must exist before this one and go after it."""
        urns = {self.parent, self.deleted_with, self.provider.rpartition("::")[0]}
        urns.update(self.dependencies)
        for some in self.property_dependencies.values():
            urns.update(some)
        return urns - {"", self.urn}

    def resource_state(self) -> ResourceState:
        """What a provider is given, secrets revealed."""
        inputs, outputs = reveal(self.inputs), reveal(self.outputs)
        return ResourceState(self.id, inputs, outputs, recorded=self.recorded)


@dataclass(frozen=True, slots=True)
class Mutation:
    """What changes in the state: entries put and dropped by key, replacement counters set."""

    put: Mapping[str, Entry] = field(default_factory=dict)
    drop: Sequence[str] = ()
    counters: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.put or self.drop or self.counters)


@dataclass(frozen=True, slots=True)
class Pending:
    """An operation that was begun. `key` is the entry it works on, `entry` what is to exist.

    `on_success` is what the end of a creation does to the state beside putting the entry.
    """

    token: str
    op: PendingOp
    key: str
    entry: Entry
    counters: Mapping[str, int] = field(default_factory=dict)
    # A creation that replaces: the key under which the old copy is kept until it is deleted.
    old_key: str = ""
    # A deletion whose resource is to be created again: its entry stays, marked.
    pending_replacement: bool = False


@dataclass(slots=True)
class Snapshot:
    """The state in memory. Changed through `apply` alone."""

    entries: dict[str, Entry] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    salt: str = field(default_factory=lambda: secrets.token_hex(16))
    serial: int = 0

    def copy(self) -> Snapshot:
        """The same, to be changed on its own."""
        tables = (dict(self.entries), dict(self.counters), dict(self.pending))
        return Snapshot(*tables, self.salt, self.serial)

    def apply(self, mutation: Mutation) -> None:
        """Take over a change."""
        for key in mutation.drop:
            self.entries.pop(key, None)
        self.entries.update(mutation.put)
        self.counters.update(mutation.counters)

    def live(self) -> Iterator[tuple[str, Entry]]:
        """Every entry that is not a copy waiting for its deletion."""
        return ((key, entry) for key, entry in self.entries.items() if not entry.delete)

    def stack(self) -> Entry | None:
        """The stack's own entry."""
        return next((entry for _, entry in self.live() if entry.type == STACK_TYPE), None)

    def dependants(self, urn: str) -> list[Entry]:
        """Live entries that depend on `urn`, directly or not, dependencies first."""
        live = dict(self.live())
        order = topological({key: entry.needs() for key, entry in live.items()})
        found = {urn}
        result = []
        for key in order:
            entry = live[key]
            if entry.urn != urn and entry.needs() & found:
                found.add(entry.urn)
                result.append(entry)
        return result


def replaced_mutation(pending: Pending, created: Entry, old: Entry | None) -> Mutation:
    """What the end of a creation does: the new entry in its place, the old copy marked."""
    put = {pending.key: created}
    if pending.old_key and old is not None:
        put[pending.old_key] = replace(old, delete=True)
    return Mutation(put=put, counters=pending.counters)
