"""What has to happen to one registration, given what the state knows of it.

The rules are those of the real engine (`pkg/resource/deploy/step_generator.go`, engine 3.260); the
provider alone knows what differs and what forces a replacement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal

from mlops_iac.emulators.provider import DiffResult, PropertyDiff, Provider
from mlops_iac.engine.embedded import paths
from mlops_iac.engine.embedded.autonaming import Autonaming
from mlops_iac.engine.embedded.marks import mark_like
from mlops_iac.engine.embedded.registration import Registration
from mlops_iac.engine.embedded.state import Entry
from mlops_iac.engine.protocol import PropertyChange
from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.graph.model import address_of_urn
from mlops_iac.values import UNKNOWN, Properties, contains_unknown, reveal


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with one registration. `inputs` are checked, with secrets still marked."""

    op: Literal["same", "create", "update", "replace"]
    inputs: Properties
    diff: DiffResult | None = None
    changes: Sequence[PropertyChange] = ()
    replace_keys: Sequence[str] = ()
    delete_before_replace: bool = False
    # The old resource is gone already: it only has to be created again.
    recreate: bool = False
    counter: int = 0
    reason: str = ""


_NO_NAMING = Autonaming({})


def seed(salt: str, urn: str, counter: int) -> bytes:
    """What a name is made from: the same until the resource is replaced once more."""
    return sha256(f"{salt}\0{urn}\0{counter}".encode()).digest()


def check(
    provider: Provider,
    registration: Registration,
    olds: Properties | None,
    news: Properties,
    seed_: bytes,
    naming: Autonaming,
) -> dict[str, Any]:
    """Checked inputs, secrets marked as in `news`. Raises UsageError with every refusal."""
    result = provider.check(
        registration.urn,
        registration.type,
        None if olds is None else reveal(olds),
        reveal(news),
        seed_,
        naming.proposed(registration.type, registration.name, seed_),
    )
    if result.failures:
        what = "; ".join(f"{f.property}: {f.reason}" for f in result.failures)
        raise UsageError(f"{registration.address} is refused by the provider: {what}")
    return dict(mark_like(dict(result.inputs), news))


def decide(
    registration: Registration,
    old: Entry | None,
    provider: Provider,
    *,
    salt: str,
    counter: int,
    replaced: set[str],
    naming: Autonaming = _NO_NAMING,
    cascade_keys: Sequence[str] | None = None,
) -> Decision:
    """Plan a custom resource.

    `counter` is the number of its replacements so far, `replaced` the URNs this run replaces,
    `naming` what the stack proposes for names,
    `cascade_keys` what made a delete-before-replace take it away, None if nothing did.
    Raises UsageError for refused inputs, MlopsError for a protected resource.
    """
    urn = registration.urn

    def checked(olds: Properties | None, news: Properties, count: int) -> dict[str, Any]:
        return check(provider, registration, olds, news, seed(salt, urn, count), naming)

    if old is None:
        inputs = checked(None, registration.inputs, counter)
        return Decision("create", inputs, counter=counter)
    if cascade_keys is not None or old.pending_replacement:
        inputs = checked(None, registration.inputs, counter + 1)
        reason = (
            "what it depends on is replaced" if cascade_keys else "its replacement is unfinished"
        )
        return Decision(
            "replace",
            inputs,
            replace_keys=cascade_keys or (),
            delete_before_replace=True,
            recreate=True,
            counter=counter + 1,
            reason=reason,
        )
    if old.external:
        raise MlopsError(
            f"{registration.address} is external in the state; taking it over is not implemented"
        )
    wanted = paths.reset(registration.inputs, old.inputs, registration.ignore_changes)
    inputs = checked(old.inputs, wanted, counter)
    awaited = _still_awaited(registration, old.inputs, inputs, replaced)
    diff = _with_replace_on_changes(
        provider.diff(
            registration.type,
            old.id,
            reveal({key: old.inputs[key] for key in old.inputs if key not in awaited}),
            reveal(old.outputs),
            reveal({key: inputs[key] for key in inputs if key not in awaited}),
            list(registration.ignore_changes),
        ),
        registration.replace_on_changes,
    )
    reason = ""
    keys = diff.replace_keys
    if registration.deleted_with in replaced:
        keys, reason = (
            ["deletedWith"],
            (f"{address_of_urn(registration.deleted_with)}, which it is deleted with, is replaced"),
        )
    changes = _changes(diff, old.inputs, inputs)
    if keys:
        if old.protect and registration.protect:
            raise protected(registration.address, "replaced", keys)
        fresh = checked(None, registration.inputs, counter + 1)
        before = registration.delete_before_replace
        if before is None:
            # Asked again, because only now the name is known under which it would be created.
            again = provider.diff(
                registration.type,
                old.id,
                reveal(old.inputs),
                reveal(old.outputs),
                reveal(fresh),
                list(registration.ignore_changes),
            )
            before = again.delete_before_replace
        return Decision("replace", fresh, diff, changes, keys, before, False, counter + 1, reason)
    if diff.changes:
        return Decision("update", inputs, diff, changes, counter=counter)
    if old.init_errors:
        reason = "its last operation ended halfway"
        return Decision("update", inputs, diff, counter=counter, reason=reason)
    return Decision("same", inputs, diff, counter=counter)


def _still_awaited(
    registration: Registration, old: Properties, new: Properties, replaced: set[str]
) -> set[str]:
    """Inputs with the same unknown as before: what an earlier pass is planned to make.

    Only where passes are planned one on another: no other state holds unknowns.
    """
    return {
        key
        for key, value in new.items()
        if contains_unknown(value)
        and old.get(key) == value
        and replaced.isdisjoint(registration.property_dependencies.get(key, ()))
    }


def protected(address: str, verb: str, keys: Sequence[str] = ()) -> MlopsError:
    """The refusal to touch a protected resource."""
    because = f", which a change of {', '.join(keys)} needs" if keys else ""
    return MlopsError(
        f"{address} is protected and cannot be {verb}{because}",
        hint="to lift the protection, apply once with `protect: false` on it, then change it",
    )


def _with_replace_on_changes(diff: DiffResult, patterns: Sequence[str]) -> DiffResult:
    if not patterns or not diff.detailed:
        return diff
    parsed = [paths.parse(pattern) for pattern in patterns]
    detailed: dict[str, PropertyDiff] = {}
    for path, item in diff.detailed.items():
        hit = any(paths.covers(pattern, paths.parse(path)) for pattern in parsed)
        detailed[path] = replace(item, replaces=True, source="replaceOnChanges") if hit else item
    return replace(diff, detailed=detailed)


def _changes(diff: DiffResult, old: Properties, new: Properties) -> list[PropertyChange]:
    changes = []
    for path, item in diff.detailed.items():
        segments = paths.parse(path)
        before, after = item.values or (
            paths.get(dict(old), segments),
            paths.get(dict(new), segments),
        )
        changes.append(PropertyChange(path, item.kind, before, after, item.replaces, item.source))
    return changes


def cascade(
    root: Entry,
    dependants: Sequence[Entry],
    provider_of: Callable[[Entry], Provider],
) -> Mapping[str, Sequence[str]]:
    """URNs that must go before `root` does, with what forces their replacement.

    `dependants` stand in order of dependency. One of them goes if its diff, with every property
    that depends on something that goes unknown as a whole, forces a replacement.
    """
    going: dict[str, Sequence[str]] = {root.urn: ()}
    for entry in dependants:
        if not entry.managed or entry.pending_replacement:
            continue
        if entry.deleted_with in going:
            going[entry.urn] = ("deletedWith",)
            continue
        moved = [
            key
            for key in entry.inputs
            if any(urn in going for urn in entry.property_dependencies.get(key, ()))
        ]
        if not moved:
            continue
        inputs = reveal(entry.inputs)
        diff = provider_of(entry).diff(
            entry.type,
            entry.id,
            inputs,
            reveal(entry.outputs),
            {**inputs, **dict.fromkeys(moved, UNKNOWN)},
        )
        if diff.replace_keys:
            going[entry.urn] = diff.replace_keys
    del going[root.urn]
    return going
