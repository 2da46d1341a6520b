"""What a blueprint becomes when it stands on other templates: its values, its resources, its risks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.capturing import Captures
from mlops_iac.api.comparing import WithBlueprint, WithLock
from mlops_iac.api.leaf_changes import LeafChange, leaf_changes
from mlops_iac.api.project import LOCAL, Project
from mlops_iac.api.repository import around
from mlops_iac.api.reviewing import Guards, Reviewed, Reviewer, sha_of
from mlops_iac.blueprint.combine import combine

if TYPE_CHECKING:
    from mlops_iac.blueprint import LoadedBlueprint
    from mlops_iac.errors import Diagnostic
    from mlops_iac.policy.model import Finding


@dataclass(frozen=True)
class Effect:
    """Values and resources that change; what the platform or a guard rail would refuse then.

    `broken` are mandatory guard rails that were kept before, each with its stack.
    """

    leaves: Sequence[LeafChange] = ()
    reviews: Sequence[Reviewed] = ()
    problems: Sequence[Diagnostic] = ()
    broken: Sequence[tuple[str, Finding]] = ()
    environments: Sequence[str] = ()
    notes: Sequence[str] = ()


def effect_of(
    before: LoadedBlueprint | None, why: str, after: LoadedBlueprint, *, own: bool
) -> Effect:
    """The way from `before` to `after`; without a `before`, `why` says why there is none.

    Then resources are compared with the compiled lock files. `own` runs the team's guard rails.
    Nothing of the working tree is touched.
    """
    leaves = leaf_changes(before, after) if before is not None else []
    project = Project(after)
    if problems := _errors(project):
        return Effect(leaves, problems=problems, environments=after.environments)
    old = Project(before) if before is not None else None
    if old is not None and (refused := _errors(old)):
        old, why = None, refused[0].message
    notes = []
    if old is None:
        notes.append(
            f"as it is locked now, {after.shown} is not valid ({why}): resources are compared with"
            " the compiled lock files"
        )
    stacks = [name for name in after.environments if name != LOCAL] or [LOCAL]
    with (
        tempfile.TemporaryDirectory(prefix="mlops-iac-") as temporary,
        around(after.root) as repository,
    ):
        folder = Path(temporary)
        comparison: WithBlueprint | WithLock
        if old is None:
            stacks = [name for name in stacks if name != LOCAL]
            comparison = WithLock(project, repository, folder)
        else:
            words = f"{after.shown} as it is locked now"
            comparison = WithBlueprint(old, words, folder / "before")
        head = Captures(project, folder / "after")
        reviewer = Reviewer(head, comparison, folder, Guards(own=own), sha_of(repository))
        reviews = [reviewer.review(stack) for stack in stacks]
        broken = [
            (each.review.stack, finding)
            for each in reviews
            for finding in _newly_broken(each, comparison, own=own)
        ]
    return Effect(leaves, reviews, (), broken, after.environments, notes)


def _errors(project: Project) -> list[Diagnostic]:
    """What the platform and the guard rails' own settings refuse."""
    from mlops_iac.api.policing import problems

    by_environment = {name: project.platform_problems(name) for name in project.environments}
    found = [*combine(by_environment), *problems(project)]
    return [each for each in found if each.severity == "error"]


def _newly_broken(
    reviewed: Reviewed, former: WithBlueprint | WithLock, *, own: bool
) -> Iterator[Finding]:
    """Mandatory guard rails that are broken and were not; all of them where that is not known."""
    counted = [each for each in reviewed.review.policies if each.counts]
    if not counted:
        return
    known: set[tuple[str, str]] = set()
    if isinstance(former, WithBlueprint):
        known = {
            (each.rule, each.address)
            for each in former.policies(reviewed.review.stack, own=own)
            if each.counts
        }
    for finding in counted:
        if (finding.rule, finding.address) not in known:
            yield finding
