"""What has to go: what the program no longer registers, replaced copies, or everything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from mlops_iac.engine.embedded.planner import protected
from mlops_iac.engine.embedded.state import Entry, Snapshot
from mlops_iac.engine.embedded.steps import make_step
from mlops_iac.engine.protocol import Operation, Step
from mlops_iac.errors import MlopsError
from mlops_iac.graph.order import topological


@dataclass(frozen=True, slots=True)
class Removal:
    """One entry to remove; `call`: its provider is asked to delete it."""

    key: str
    entry: Entry
    op: Operation
    call: bool
    reason: str = ""

    def step(self) -> Step:
        """As the plan shows it."""
        step = make_step(self.op, self.entry, self.entry)
        retained = self.entry.retain_on_delete
        return replace(step, new_inputs={}, retained=retained, reason=self.reason)


def plan_removals(
    snapshot: Snapshot,
    seen: Collection[str],
    targeted: Callable[[Entry], bool],
    *,
    forced: bool = False,
) -> list[Removal]:
    """Removals, dependants first. Raises MlopsError naming every protected resource.

    Unless they are `forced`: what was only rehearsed protects nothing.
    """
    chosen: dict[str, Entry] = {}
    for key, entry in snapshot.entries.items():
        left_over = entry.delete or (key not in seen and entry.urn not in seen)
        if left_over and (targeted(entry) or entry.pending_replacement):
            chosen[key] = entry
    if not forced:
        _refuse_protected(chosen.values())
    _refuse_needed(snapshot, chosen)
    going = {entry.urn for entry in chosen.values()}
    order = topological({key: _needed_keys(entry, chosen) for key, entry in chosen.items()})
    return [_removal(key, chosen[key], going) for key in reversed(order)]


def _needed_keys(entry: Entry, chosen: dict[str, Entry]) -> list[str]:
    needs = entry.needs()
    return [key for key, other in chosen.items() if other.urn in needs]


def _refuse_protected(entries: Collection[Entry]) -> None:
    kept = sorted(e.address for e in entries if e.protect and not e.delete)
    if len(kept) == 1:
        raise protected(kept[0], "deleted")
    if kept:
        raise MlopsError(
            "these resources are protected and cannot be deleted: " + ", ".join(kept),
            hint="to lift the protection, apply once with `protect: false` on them, then delete",
        )


def _refuse_needed(snapshot: Snapshot, chosen: dict[str, Entry]) -> None:
    going = {entry.urn for entry in chosen.values() if not entry.delete}
    for key, entry in snapshot.live():
        if key not in chosen and (needed := entry.needs() & going):
            other = next(e.address for e in chosen.values() if e.urn in needed)
            raise MlopsError(
                f"{other} cannot be deleted alone: {entry.address} depends on it",
                hint=f"add --target {entry.address}, or leave --target out",
            )


def _removal(key: str, entry: Entry, going: Collection[str]) -> Removal:
    op: Operation = "delete-replaced" if entry.delete or entry.pending_replacement else "delete"
    reason = ""
    call = entry.managed
    if entry.pending_replacement:
        call, reason = False, "it was deleted already"
    elif entry.retain_on_delete:
        call = False  # `retained` says why
    elif entry.deleted_with in going:
        call, reason = False, "goes with what it is deleted with"
    return Removal(key, entry, op, call, reason)


def perform(
    removals: Sequence[Removal],
    delete: Callable[[Removal], bool],
    *,
    parallel: int,
    stop: Callable[[], bool],
) -> list[Removal]:
    """Delete in parallel, each after all that depend on it; returns those that were not begun.

    `delete` returns whether it worked. After a failure, or once `stop` says so, nothing new
    starts.
    """
    chosen = {removal.key: removal.entry for removal in removals}
    blocked: dict[str, int] = dict.fromkeys(chosen, 0)
    frees: dict[str, list[str]] = {key: [] for key in chosen}
    position = {removal.key: index for index, removal in enumerate(removals)}
    for removal in removals:
        for needed in _needed_keys(removal.entry, chosen):
            # A cycle was cut by the order: only what stands earlier holds up what stands later.
            if position[removal.key] < position[needed]:
                frees[removal.key].append(needed)
                blocked[needed] += 1
    by_key = {removal.key: removal for removal in removals}
    waiting = dict.fromkeys(chosen)
    failed = False
    with ThreadPoolExecutor(max(1, parallel), "delete") as pool:
        running: dict[Future[bool], str] = {}
        while True:
            if not failed and not stop():
                for key in [k for k in waiting if blocked[k] == 0]:
                    del waiting[key]
                    running[pool.submit(delete, by_key[key])] = key
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                key = running.pop(future)
                if future.result():
                    for other in frees[key]:
                        blocked[other] -= 1
                else:
                    failed = True
    return [by_key[key] for key in waiting]
