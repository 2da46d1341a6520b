"""Every environment in a row: what it adds, where it is, whether program and state agree with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile import programs
from mlops_iac.api.core.stack_state import State, emulated_state
from mlops_iac.api.deploy.states import States, states, unasked
from mlops_iac.api.stacks.agreements import Agrees, agreement_of_state, program_agreements
from mlops_iac.api.stacks.ephemeral_record import record_of
from mlops_iac.blueprint.fill import LOCAL

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject

_HEADLINES = 4
# What people ask of an environment first; the rest follows in the order of the blueprint.
_FIRST = (
    "promote_from",
    "version",
    "security.",
    "approval",
    "existing.",
    "scaling.",
    "rollout.",
    "compute.",
    "budget.",
)
# Shown in columns of their own.
_ELSEWHERE = ("account", "region", "protect")


@dataclass(frozen=True, slots=True)
class Row:
    """One environment.

    `adds` are the leaves that it says differently from the blueprint's base, path to value (None:
    removed). `program` and `state` say whether the compiled program is what the blueprint gives
    (`uncommitted`: it is, and git does not have it), and whether the state holds what the program's lock file says; `…_why` is the reason where not.
    `updated` is ISO 8601, `engine` who wrote the state, `expires` the end of an ephemeral one, whose
    `base` it was made from.
    """

    stack: str
    account: str | None
    region: str
    protect: bool
    adds: Mapping[str, Any]
    headlines: Sequence[str]
    program: Agrees
    program_why: str
    state: Agrees
    state_why: str
    resources: int | None
    updated: str = ""
    engine: str = ""
    ephemeral: bool = False
    base: str = ""
    expires: str = ""
    expired: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self) | {"adds": dict(self.adds), "headlines": list(self.headlines)}


@dataclass(frozen=True, slots=True)
class Stacks:
    """All of a project's. `notes` are for people: backends that could not be asked, strangers."""

    project: str
    rows: Sequence[Row]
    notes: Sequence[str] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "project": self.project,
            "stacks": [row.as_json() for row in self.rows],
            "notes": list(self.notes),
        }


def stacks(project: BaseProject, *, offline: bool = False, now: datetime | None = None) -> Stacks:
    """Return every environment; `offline` asks no backend but that of `local`.

    Raises BlueprintInvalid where the platform refuses something.
    """
    if offline:
        why = "not asked (--offline)"
        real = [name for name in project.environments if not project.emulates(name)]
        known = {
            name: emulated_state(project, name)
            for name in project.environments
            if project.emulates(name)
        }
        found = States(known, dict.fromkeys(real, why))
    else:
        found = states(project)
    program = program_agreements(project, programs.default_out(project))
    rows = [_row(project, name, found, program[name], State(name)) for name in project.environments]
    more, notes = _others(found, now or datetime.now(UTC))
    silent = found.silent.values() if len(rows) > 1 else ()  # `local` has a state of its own
    for error in {error.message: error for error in silent}.values():
        why = unasked(error.message)
        notes.append(f"states are unknown: {why}; {error.hint}".removesuffix("; "))
    return Stacks(project.name, [*rows, *more], notes)


def adds(project: BaseProject, stack: str) -> dict[str, Any]:
    """Return the leaves that an environment says differently from the base, path to value.

    What its overlay repeats unchanged is none of them; None is a leaf that it removes. The base is
    seen through `local`, as far as that has no overlay of its own.
    """
    mine, base = project.resolve(stack), project.resolve(LOCAL)
    own = f"environment {LOCAL}"
    there = {
        path: value
        for path, value in base.leaves().items()
        if base.is_written(path) and base.origin(path).layer != own
    }
    leaves = mine.leaves()
    found = {
        path: value
        for path, value in leaves.items()
        if _of_environment(mine.origin(path).layer, stack)
        and not (path in there and there[path] == value)
    }
    if stack != LOCAL:
        found |= {path: None for path in there if path not in leaves}
    return found


def _of_environment(layer: str, stack: str) -> bool:
    """Whether a layer is an environment's own; a template's says which it is for.

    What a template fixes in all environments stands in the base too, and is taken out with it.
    """
    return (
        layer == f"environment {stack}"
        or layer.startswith("fixed by ")
        or (layer.startswith("template ") and layer.endswith(f", {stack}"))
    )


def headlines(differences: Mapping[str, Any], most: int = _HEADLINES) -> list[str]:
    """The most telling of `adds`, as words; how many more there are comes last."""
    shown = _beside_columns(differences)

    def rank(path: str) -> int:
        return next((i for i, mark in enumerate(_FIRST) if mark in f"{path}."), len(_FIRST))

    ordered = sorted(shown, key=rank)
    words = [_headline(path, shown[path]) for path in ordered[:most]]
    return [*words, *([f"{len(ordered) - most} more"] if len(ordered) > most else [])]


def told(differences: Mapping[str, Any]) -> int:
    """How many of `adds` the headlines stand for: those that no column shows."""
    return len(_beside_columns(differences))


def _beside_columns(differences: Mapping[str, Any]) -> dict[str, Any]:
    return {path: value for path, value in differences.items() if path not in _ELSEWHERE}


def _headline(path: str, value: Any) -> str:
    if value is None:
        return f"no {path}"
    text = ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return f"{path} {text if len(text) <= 32 else text[:31] + '…'}"


def _row(
    project: BaseProject, stack: str, found: States, program: tuple[Agrees, str], nothing: State
) -> Row:
    blueprint = project.resolve(stack).blueprint
    state = found.known.get(stack, nothing)
    agrees, why = agreement_of_state(project, stack, found)
    added = adds(project, stack)
    return Row(
        stack=stack,
        account=project.emulated_cloud.account(stack)
        if project.emulates(stack)
        else blueprint.account,
        region=str(blueprint.region),
        protect=bool(blueprint.protect),
        adds=added,
        headlines=headlines(added),
        program=program[0],
        program_why=program[1],
        state=agrees,
        state_why=why,
        resources=None if stack in found.unknown else len(state.resources),
        updated=state.updated,
        engine=state.engine,
    )


# -- what no blueprint declares --------------------------------------------------------------------


def _others(found: States, now: datetime) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    notes: list[str] = []
    for state in found.others:
        record = record_of(state)
        if record is None:
            if state.resources:
                notes.append(
                    f"the backend has a stack {state.stack} that is no environment of the blueprint:"
                    f" {len(state.resources)} resource(s) run on; write it back, then"
                    f" mlops-iac destroy -s {state.stack}"
                )
            continue
        rows.append(
            Row(
                stack=state.stack,
                account=state.place.account or None,
                region=state.place.region,
                protect=False,
                adds={},
                headlines=[f"a {record.base} of its own"],
                program="agrees",
                program_why="made anew by every command",
                state="unknown",
                state_why="an ephemeral stack has no lock file",
                resources=len(state.resources),
                updated=state.updated,
                engine=state.engine,
                ephemeral=True,
                base=record.base,
                expires=record.expires_text,
                expired=record.expired(now),
            )
        )
    return rows, notes
