"""Captures of a project's stacks, compared with their locks and checked against the guard rails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compare.reviews import Guards
from mlops_iac.api.compile import programs
from mlops_iac.api.compile.captures import Captures
from mlops_iac.api.compile.guard_rail_checks import policies
from mlops_iac.api.fleet.model import StackOutcome
from mlops_iac.clouds.registry import replaces
from mlops_iac.graph.plan import HALVES, count

if TYPE_CHECKING:
    from mlops_iac.api.fleet.jobs import Preview
    from mlops_iac.api.project import Project
    from mlops_iac.graph.plan import Step
    from mlops_iac.policy.model import Finding

_BROKEN = 5
_CHANGED = 7


def previews(project: Project, stacks: Sequence[str], asked: Preview) -> list[StackOutcome]:
    """Compare every stack with its lock file, or with what a git ref holds."""
    if asked.against not in ("", "lock"):
        return _reviewed(project, stacks, asked)
    from mlops_iac.graph.lock import lock_name, lock_plan

    captures = Captures(project)
    found = []
    for stack in stacks:
        graph = captures.graph(stack)
        lock = programs.default_out(project) / lock_name(stack)
        plan = lock_plan(lock, graph, replaces)
        broken = policies(project, stack, graph=graph, own=asked.own) if asked.policies else []
        found.append(
            _outcome(
                stack, plan.steps, broken, asked, known=lock.exists(), doubt=bool(plan.incomparable)
            )
        )
    return found


def _reviewed(project: Project, stacks: Sequence[str], asked: Preview) -> list[StackOutcome]:
    found = []
    for made in project.reviews(stacks, asked.against, Guards(asked.policies, asked.own)):
        review = made.review
        steps = [each.step for each in (*review.steps, *review.tool_changes)]
        doubt = bool(made.plan.incomparable)
        found.append(_outcome(review.stack, steps, review.policies, asked, doubt=doubt))
    return found


def _outcome(
    stack: str,
    steps: Iterable[Step],
    findings: Sequence[Finding],
    asked: Preview,
    *,
    known: bool = True,
    doubt: bool,
) -> StackOutcome:
    steps = list(steps)
    counts = {op: number for op, number in count(steps).items() if op != "same"}
    changes = [_change(step) for step in steps if step.op not in (*HALVES, "same", "read")]
    state = "changes" if changes else "not comparable" if doubt else "no changes"
    code = _CHANGED if (changes or doubt) and asked.none_expected else 0
    if any(each.counts for each in findings):
        code = _BROKEN
    return StackOutcome(
        stack, state if known else "new", code, counts, [*filter(None, changes)], findings
    )


def _change(step: Step) -> dict[str, Any]:
    """What changes, without values: a report of a thousand stacks is kept in memory."""
    return {
        "op": step.op,
        "address": step.address,
        "type": step.type,
        "properties": sorted({change.path for change in step.changes}),
        "replace_keys": list(step.replace_keys),
    }


def checked(project: Project, stacks: Sequence[str], *, own: bool) -> list[StackOutcome]:
    """Check every stack against the guard rails."""
    captures = Captures(project)
    found = []
    for stack in stacks:
        findings = policies(project, stack, graph=captures.graph(stack), own=own)
        counts = Counter("suppressed" if each.suppressed_by else each.severity for each in findings)
        broken = any(each.counts for each in findings)
        state = "broken" if broken else "kept"
        found.append(
            StackOutcome(stack, state, _BROKEN if broken else 0, dict(counts), (), findings)
        )
    return found
