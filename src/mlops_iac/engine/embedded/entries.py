"""Entries of the state made from registrations: new ones, renamed ones, the default provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from hashlib import sha256
from uuid import UUID

from mlops_iac.engine.embedded.checkpoint import now
from mlops_iac.engine.embedded.registration import Registration
from mlops_iac.engine.embedded.state import Entry, Mutation, Snapshot
from mlops_iac.graph.model import PROVIDER_TYPE
from mlops_iac.values import Properties, Value

# Of a registration: what stands in a state. The rest is for the one run.
_KEPT = frozenset(each.name for each in fields(Registration)) - {
    "version", "delete_before_replace", "ignore_changes", "replace_on_changes",
}  # fmt: skip


def make_entry(
    registration: Registration, inputs: Properties, old: Entry | None, provider: str
) -> Entry:
    """The entry of a registration before its provider was asked; old aliases are remembered."""
    aliases = {*(old.aliases if old else ()), *registration.aliases} - {registration.urn}
    said = {name: getattr(registration, name) for name in _KEPT}
    return Entry(
        **{**said, "inputs": inputs, "provider": provider, "aliases": tuple(sorted(aliases))}
    )


def renamed(snapshot: Snapshot, old_urn: str, new_urn: str) -> Mutation:
    """The entry under its new URN, and every reference to it rewritten."""

    def named(urn: str) -> str:
        return new_urn if urn == old_urn else urn

    put: dict[str, Entry] = {}
    for key, entry in snapshot.entries.items():
        if key != old_urn and old_urn not in entry.needs():
            continue
        put[named(key)] = replace(
            entry,
            urn=named(entry.urn) if key == old_urn else entry.urn,
            parent=named(entry.parent),
            deleted_with=named(entry.deleted_with),
            dependencies=tuple(named(urn) for urn in entry.dependencies),
            property_dependencies={
                k: tuple(named(urn) for urn in v) for k, v in entry.property_dependencies.items()
            },
        )
    counters = snapshot.counters
    moved = {new_urn: counters[old_urn]} if old_urn in counters else {}
    return Mutation(put=put, drop=[old_urn], counters=moved)


def default_provider(
    snapshot: Snapshot, registration: Registration, stack: str, config: Mapping[str, Value]
) -> Entry:
    """The default provider of a package and version, a resource of the stack as in Pulumi."""
    package, version = registration.package, registration.version
    name = "default" + ("_" + version.replace(".", "_") if version else "")
    type_ = f"{PROVIDER_TYPE}{package}"
    urn = "::".join([*stack.split("::", 2)[:2], type_, name])
    inputs = {**config, **({"version": version} if version else {})}
    return provider_entry(snapshot, Entry(urn, type_, name, custom=True, inputs=inputs))


def provider_entry(snapshot: Snapshot, entry: Entry) -> Entry:
    """The entry of a provider resource: its outputs are its inputs, its id is made here."""
    old = snapshot.entries.get(entry.urn)
    made = str(UUID(sha256(f"{snapshot.salt}{entry.urn}".encode()).hexdigest()[:32]))
    return replace(
        entry,
        id=old.id if old else made,
        outputs=entry.inputs,
        created=old.created if old else now(),
        modified=old.modified if old else now(),
    )
