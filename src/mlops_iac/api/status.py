"""What is deployed, what is only recorded, and what would complete it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mlops_iac.graph.model import address_of
from mlops_iac.graph.plan import Step
from mlops_iac.values import Properties

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.engine.protocol import Result

HALVES = ("create-replacement", "delete-replaced")


@dataclass(frozen=True, slots=True)
class Row:
    """One resource that the state holds."""

    address: str
    type: str
    id: str
    parent: str
    protect: bool
    recorded: bool


@dataclass(frozen=True, slots=True)
class Status:
    """A stack as it stands. `pending` names what waits for a first approved version."""

    project: str
    stack: str
    rows: Sequence[Row]
    pending: Sequence[str]
    notes: Sequence[str]

    @property
    def headline(self) -> str:
        """One line: how much stands."""
        if not self.rows:
            return "nothing is deployed"
        recorded = sum(row.recorded for row in self.rows)
        words = f"{len(self.rows)} resources"
        return f"{words}, {recorded} of them recorded, not emulated" if recorded else words

    def by_component(self) -> Mapping[str, list[Row]]:
        """Return the rows by the URN of their component."""
        groups: dict[str, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(row.parent, []).append(row)
        return groups

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "project": self.project,
            "stack": self.stack,
            "resources": [asdict(row) for row in self.rows],
            "pending": list(self.pending),
            "notes": list(self.notes),
        }


def status(project: Project, stack: str) -> Status:
    """Return what the state of a stack holds."""
    with project.deployment(stack) as deployment:
        rows = [
            Row(
                address=address_of(item.type, item.name),
                type=item.type,
                id=item.id,
                parent=item.parent,
                protect=item.protect,
                recorded=item.recorded,
            )
            for item in deployment.resources()
            if item.custom and not item.type.startswith("pulumi:")
        ]
        outputs = deployment.outputs()
        notes = list(deployment.notes())
    from mlops_iac.api.rollbacks import rolled_back

    pending = pending_names(outputs)
    told = [*notes, *rolled_back(project, stack), *_waiting(project, stack, pending)]
    return Status(project.name, stack, rows, pending, told)


def pending_names(outputs: Properties) -> list[str]:
    """Return the serving entries that wait for a first approved version, with the models meant."""
    return [
        f"{key.removesuffix('_pending')} (model{'s' * (len(value) > 1)} {', '.join(map(str, value))})"
        for key, value in sorted(outputs.items())
        if key.endswith("_pending") and isinstance(value, list | tuple) and value
    ]


def count(steps: Sequence[Step]) -> Mapping[str, int]:
    """Count steps by operation: a replacement once, components and the stack not at all."""
    counts: dict[str, int] = {}
    for step in steps:
        if step.op not in HALVES and step.custom and not step.type.startswith("pulumi:"):
            counts[step.op] = counts.get(step.op, 0) + 1
    return counts


def next_steps(project: Project, stack: str, result: Result) -> list[str]:
    """Say what stands now, and what completes it."""
    recorded = [address_of(s.type, s.name) for s in result.steps if s.recorded and s.op != "delete"]
    named = f"{stack}, emulated," if project.rehearsed else stack
    lines = [f"{named} stands ({result.duration_seconds:.1f}s)"]
    if recorded:
        lines.append(f"recorded, not emulated: {', '.join(recorded)}")
    return [*lines, *_waiting(project, stack, pending_names(result.outputs))]


def _waiting(project: Project, stack: str, pending: Sequence[str]) -> list[str]:
    from mlops_iac.api.project import LOCAL

    if not pending:
        return []
    lines = [f"waits for a first approved version: {', '.join(pending)}"]
    if project.emulates(stack):
        models = project.resolve(stack).blueprint.models
        trained = [item for item in models.values() if item.train is not None]
        origins = [item.promote_from for item in trained if item.promote_from and stack != LOCAL]
        of = "" if stack == LOCAL else f" -s {origins[0] if origins else stack}"
        which = " MODEL" if len(trained) > 1 else ""
        lines.append(
            f"next: mlops-iac run{of}{which}, mlops-iac models approve{of} MODEL VERSION, mlops-iac"
            f" up{'' if stack == LOCAL else f' -s {stack}'}"
        )
    else:
        lines.append("next: train and approve a version, then run `up` again")
    return lines
