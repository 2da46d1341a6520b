"""What a blueprint becomes when it stands on other templates: its values, its resources, its risks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.compare.comparisons import WithBlueprint, WithLock
from mlops_iac.api.compare.reviews import Guards, Reviewed, Reviewer, sha_of
from mlops_iac.api.compile.captures import Captures, KeptCaptures
from mlops_iac.api.compile.checks import refused
from mlops_iac.api.core.project import BaseProject
from mlops_iac.api.core.repository import around
from mlops_iac.blueprint.combine import combine
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.errors import BlueprintInvalid, Diagnostic, MlopsError
from mlops_iac.templates.leaf_changes import LeafChange, leaf_changes

if TYPE_CHECKING:
    from mlops_iac.api.templates.request import Request
    from mlops_iac.blueprint import LoadedBlueprint
    from mlops_iac.blueprint.templates.applied import AppliedTemplate
    from mlops_iac.policy.model import Finding
    from mlops_iac.templates.lockfile import Lock


@dataclass(frozen=True)
class Effect:
    """Values and resources that change; what the platform or a guard rail would refuse then.

    `problems` are what the blueprint would break, at its lines, and `broken` the mandatory guard
    rails that it would break and does not break today, each with its stack. `reviews` are those of
    every environment, or of `local` where there is no other one.
    """

    leaves: Sequence[LeafChange] = ()
    reviews: Sequence[Reviewed] = ()
    problems: Sequence[Diagnostic] = ()
    broken: Sequence[tuple[str, Finding]] = ()
    environments: Sequence[str] = ()
    notes: Sequence[str] = ()


def effect_of(
    before: LoadedBlueprint | None,
    why: str,
    after: LoadedBlueprint,
    request: Request,
    lock: Lock | None,
) -> Effect:
    """The way from `before` to `after`; without a `before`, `why` says why there is none.

    Then resources are compared with the compiled lock files. Nothing of the working tree is
    touched.
    """
    pinned = {pin.digest for pin in (lock.pins if lock else ())}
    leaves = leaf_changes(before, after) if before is not None else []
    project, own = _project(after, before, request, pinned)
    if problems := _errors(project):
        return Effect(leaves, problems=problems, environments=after.environments)
    old, old_own = None, False
    if before is not None:
        old, old_own = _project(before, None, request, pinned)
    if old is not None and (refused := _errors(old)):
        old, why = None, refused[0].message
    notes = [
        f"the environment {name} is gone: `mlops-iac destroy -s {name}` before, or what it has stays"
        for name in (before.environments if before is not None else ())
        if name not in after.environments
    ]
    stacks = [name for name in after.environments if name != LOCAL] or [LOCAL]
    with (
        tempfile.TemporaryDirectory(prefix="mlops-iac-") as temporary,
        around(after.root) as repository,
    ):
        folder = Path(temporary)
        head = KeptCaptures(project, folder / "after")
        if problem := _not_captured(head, stacks, temporary):
            return Effect(leaves, problems=[problem], environments=after.environments)
        kept = KeptCaptures(old, folder / "before") if old is not None else None
        if kept is not None and (problem := _not_captured(kept, stacks, temporary)):
            kept, why = None, problem.message
        comparison: WithBlueprint | WithLock
        if kept is None:
            notes.append(
                f"as it is pinned now, {after.shown} is not valid ({why}): resources are compared"
                " with the compiled lock files, and whether a guard rail held before is not known"
            )
            stacks = [name for name in stacks if name != LOCAL]
            comparison = WithLock(project, repository, folder)
        else:
            comparison = WithBlueprint(kept, f"{after.shown} as it is pinned now")
        reviewer = Reviewer(head, comparison, folder, Guards(own=own), sha_of(repository))
        reviews = [reviewer.review(stack) for stack in stacks]
        broken = [
            (each.review.stack, finding)
            for each in reviews
            for finding in _newly_broken(each, comparison, own=old_own)
        ]
    return Effect(leaves, reviews, (), broken, after.environments, notes)


def _project(
    loaded: LoadedBlueprint, before: LoadedBlueprint | None, request: Request, pinned: set[str]
) -> tuple[BaseProject, bool]:
    """A reading as a project, and whether all of its guard rails that are code may run.

    Those of a template may where that is pinned, or has none, or the same as where it was pinned.
    """
    known = {
        template.manifest.name: _code(template)
        for template in (before.templates if before is not None else ())
        if template.content.digest in pinned
    }
    project = BaseProject(loaded)
    project.trusted = frozenset(
        template.content.digest
        for template in loaded.templates
        if request.new_rules
        or template.content.digest in pinned
        or not (code := _code(template))
        or code == known.get(template.manifest.name)
    )
    digests = {template.content.digest for template in loaded.templates}
    return project, request.own and digests <= project.trusted


def _not_captured(captures: Captures, stacks: Sequence[str], folder: str) -> Diagnostic | None:
    """What keeps the program of a stack from being made, e.g. an override of what is not there."""
    shown = captures.project.loaded.shown
    for stack in stacks:
        if stack not in captures.project.environments:
            continue
        try:
            captures.graph(stack)
        except BlueprintInvalid as error:
            return error.diagnostics[0]
        except MlopsError as error:
            message = error.message.replace(f"{folder}/", "")
            return Diagnostic("not-captured", f"{stack}: {message}", shown, hint=error.hint)
    return None


def _code(template: AppliedTemplate) -> list[tuple[str, bytes]]:
    """The guard rails that a template brings, none of them run."""
    from mlops_iac.policy.team import files_in

    return [(file.name, file.code) for file in files_in(template.content.files, template.label)]


def _errors(project: BaseProject) -> list[Diagnostic]:
    """What the platform and the guard rails' own settings refuse."""
    from mlops_iac.api.core.guard_rails import problems

    by_environment = {name: refused(project, name) for name in project.environments}
    found = [*combine(by_environment), *problems(project)]
    return [each for each in found if each.severity == "error"]


def _newly_broken(
    reviewed: Reviewed, former: WithBlueprint | WithLock, *, own: bool
) -> Iterator[Finding]:
    """Mandatory guard rails that are broken and were not; none where that is not known."""
    counted = [each for each in reviewed.review.policies if each.counts]
    if not counted or isinstance(former, WithLock):
        return
    known = {
        (each.rule, each.address)
        for each in former.policies(reviewed.review.stack, own=own)
        if each.counts
    }
    for finding in counted:
        if (finding.rule, finding.address) not in known:
            yield finding
