"""What comes back from a fleet: one outcome per blueprint, and the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops_iac.errors import Diagnostic
from mlops_iac.policy.model import Finding
from mlops_iac.records import Record

# From the least to the worst: a run ends with the last of these that any blueprint has. 255 is a
# bug of ours, 2 a blueprint that is wrong, 1 everything else that failed.
EXIT_CODES = (0, 7, 5, 6, 9, 4, 3, 1, 2, 255)


class Identity(Record):
    """What an environment is in the world: two that agree in it are the same things in a cloud.

    `account` is "" where the blueprint names none, `backend` where states lie with the user's own.
    `place` is where the blueprint says its name.
    """

    name: str
    stack: str
    account: str
    region: str
    backend: str
    place: Diagnostic


class StackOutcome(Record):
    """One stack: `state` is a word or two, `counts` what there is of what.

    `changes` are the changed resources of a preview, `findings` the broken guard rails.
    """

    stack: str
    state: str
    exit_code: int = 0
    counts: Mapping[str, int] = {}
    changes: Sequence[Mapping[str, Any]] = ()
    findings: Sequence[Finding] = ()


class Outcome(Record):
    """One blueprint. `file` is its path as shown, `name` is empty where it could not be read."""

    file: str
    name: str = ""
    state: str = ""
    exit_code: int = 0
    stacks: Sequence[StackOutcome] = ()
    problems: Sequence[Diagnostic] = ()
    notes: Sequence[str] = ()
    identities: Sequence[Identity] = ()
    # Largest resident memory of the worker so far, in bytes, and how many it had done before.
    peak_bytes: int = 0
    turn: int = 0


class Report(Record):
    """All outcomes, in the order of their files; `problems` are those between blueprints."""

    outcomes: Sequence[Outcome]
    problems: Sequence[Diagnostic] = ()
    seconds: float = 0.0
    workers: int = 0
    started: int = 0

    @property
    def exit_code(self) -> int:
        """The worst of all."""
        codes = [outcome.exit_code for outcome in self.outcomes]
        codes += [2 for problem in self.problems if problem.severity == "error"]
        return worst(codes)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Every problem, by blueprint, then those between them."""
        return [*(item for each in self.outcomes for item in each.problems), *self.problems]

    @property
    def totals(self) -> dict[str, int]:
        """How many blueprints and stacks there are, and how many of each state."""
        stacks = [stack for each in self.outcomes for stack in each.stacks]
        found = {"blueprints": len(self.outcomes), "stacks": len(stacks)}
        for each in self.outcomes:
            found[each.state] = found.get(each.state, 0) + 1
        return found


def worst(codes: Iterable[int]) -> int:
    """The worst of several exit codes; one that is not in the list is as bad as 1."""
    order = {code: rank for rank, code in enumerate(EXIT_CODES)}
    return max(codes, key=lambda code: order.get(code, order[1]), default=0)
