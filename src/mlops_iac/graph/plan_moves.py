"""What moved between a saved plan and a fresh one, by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlops_iac.graph.canonical import unwrapped
from mlops_iac.graph.changes import identical, property_changes
from mlops_iac.graph.model import address_of_urn
from mlops_iac.graph.plan import Step
from mlops_iac.graph.saved_plan import SavedPlan

# Section of a plan → how it is spoken of; in the order in which a cause comes before its effects.
SECTIONS: Final = {
    "configuration": "the configuration",
    "program": "the program's file",
    "assets": "the file uploaded by",
    "versions": "the version of",
    "facts": "the provider facts of",
    "git": "the git",
    "state": "the state of",
    "graph": "the resource",
    "outputs": "the output",
}


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that is not as planned. `old` and `new` are shown, so they hold no digests."""

    section: str
    name: str
    words: str


def moved(planned: SavedPlan, fresh: SavedPlan) -> list[Move]:
    """What is not as planned, causes first; nothing where the two are equal.

    Project, stack, engine and basis are the caller's to compare: they make another plan.
    """
    moves: list[Move] = []
    for section in SECTIONS:
        moves += _section_moves(
            section, planned.bound.get(section, {}), fresh.bound.get(section, {})
        )
    for section in sorted({*planned.bound, *fresh.bound} - {*SECTIONS}):
        moves.append(Move(section, "", f"{section}: not known to this version"))
    if planned.basis == "lock":  # what was compared with has moved on; see `exceeding`
        return moves
    return moves + list(_operation_moves(planned, fresh))


def exceeding(planned: SavedPlan, steps: Sequence[Step]) -> list[Move]:
    """Operations of a live plan that one made from lock files does not have.

    Less may happen than was reviewed (what waits for a first approved version), never more.
    Components and providers are no operations of a cloud and are left out.
    """
    reviewed: dict[str, set[str]] = {}
    for operation in planned.operations:
        reviewed.setdefault(operation["urn"], set()).add(operation["op"])
    moves = []
    for step in steps:
        if not step.in_cloud or step.op in ("same", "read"):
            continue
        allowed = reviewed.get(step.urn, set())
        if "replace" in allowed:
            allowed = allowed | {"create-replacement", "delete-replaced"}
        if step.op not in allowed:
            was = "/".join(sorted(allowed)) or "nothing"
            address = step.address
            moves.append(
                Move("operations", address, f"{address}: {was} was planned, now {step.op}")
            )
    return moves


def _section_moves(section: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Move]:
    for name in [*old, *(name for name in new if name not in old)]:
        title = address_of_urn(name) if name.startswith("urn:") else name
        if name not in new:
            yield Move(section, title, f"{SECTIONS[section]} {title} is gone")
        elif name not in old:
            yield Move(section, title, f"{SECTIONS[section]} {title} is new")
        elif not identical(old[name], new[name]):
            words = _difference(section, old[name], new[name])
            yield Move(section, title, f"{SECTIONS[section]} {title} {words}")


def _difference(section: str, old: Any, new: Any) -> str:
    if section in ("configuration", "versions", "outputs"):
        return f"was {_shown(old)}, is {_shown(new)}"
    if section == "graph" and isinstance(old, dict) and isinstance(new, dict):
        return f"differs in {_paths(old, new)}"
    return "differs"


def _paths(old: Any, new: Any) -> str:
    changes = property_changes(old, new, lambda _path: (False, ""))
    paths = [change.path.removeprefix("inputs.") for change in changes]
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def _operation_moves(planned: SavedPlan, fresh: SavedPlan) -> Iterator[Move]:
    old, new = _by_urn(planned.operations), _by_urn(fresh.operations)
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key, []), new.get(key, [])
        if identical(before, after):
            continue
        urn, during = key
        title = address_of_urn(urn) + (f" in {during}" if during else "")
        was, now = _verbs(before), _verbs(after)
        if was != now:
            yield Move("operations", title, f"{title}: {was} was planned, now {now}")
        else:
            yield Move("operations", title, f"{title}: {was} differs in {_paths(before, after)}")


def _by_urn(
    operations: Sequence[Mapping[str, Any]],
) -> dict[tuple[str, str], list[Any]]:
    """Those of each resource in each pass."""
    found: dict[tuple[str, str], list[Any]] = {}
    for operation in operations:
        key = operation["urn"], operation.get("pass", "")
        found.setdefault(key, []).append(dict(operation))
    for several in found.values():
        several.sort(key=lambda operation: str(operation["op"]))
    return found


def _verbs(operations: Sequence[Mapping[str, Any]]) -> str:
    ops = [operation["op"] for operation in operations]
    return "replace" if "replace" in ops else "/".join(ops) or "nothing"


def _shown(value: Any) -> str:
    text = json.dumps(unwrapped(value), ensure_ascii=True)
    return text if len(text) <= 60 else text[:57] + "…"
