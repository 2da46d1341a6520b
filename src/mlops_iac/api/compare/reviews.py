"""A change reviewed: today's capture beside what a ref, a lock file or a state holds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.compare.baseline import Baseline, Old
from mlops_iac.api.compare.comparisons import (
    HEAD,
    Comparison,
    Unexplained,
    WithCommit,
    WithLock,
    comparison,
)
from mlops_iac.api.compare.forks import ForkedProject
from mlops_iac.api.compile.captures import Captures
from mlops_iac.api.compile.guard_rail_checks import policies
from mlops_iac.api.core.guard_rails import not_run
from mlops_iac.api.core.repository import Repository, around
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds.registry import replaces
from mlops_iac.errors import BlueprintInvalid, UsageError
from mlops_iac.review.model import Cause, Review, ReviewedStep, Risk

if TYPE_CHECKING:
    from mlops_iac.api.compare.counterfactuals import FileEdit, Variants
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.blueprint.edits import Edit
    from mlops_iac.graph.canonical import CanonicalGraph
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.graph.plan import Plan, Step
    from mlops_iac.policy.model import Finding

_UNEXPLAINED = "the blueprint lines that cause the changes are not known"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review, and the plan that it is about, for whoever shows or saves the plan itself."""

    review: Review
    plan: Plan


@dataclass(frozen=True, slots=True)
class Guards:
    """Which guard rails a review checks: none, ours, or the team's own too, whose code runs then."""

    checked: bool = True
    own: bool = True


def reviews(
    project: BaseProject,
    stacks: Sequence[str],
    against: str | None,
    guards: Guards | None = None,
) -> list[Reviewed]:
    """Review several stacks in one process, against the same: a git ref or, without one, the locks."""
    for stack in stacks:
        project.resolve(stack)
    if LOCAL in stacks:
        raise UsageError(
            "local has no lock file, so it is compared with its state only",
            hint="name a stack with -s, or leave --against out",
        )
    with _reviewer(project, against or "lock", guards or Guards()) as reviewer:
        return [reviewer.review(stack) for stack in stacks]


@contextmanager
def _reviewer(project: BaseProject, against: str, guards: Guards) -> Iterator[Reviewer]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlops-iac-")))
        compared: Comparison
        if against == "lock":
            repository = stack.enter_context(around(project.root))
            compared = WithLock(project, repository, folder)
        else:
            repository = stack.enter_context(Repository.around(project.standard.root))
            commit, roots = repository.commit(against), project.loaded.reach.roots
            baseline = Baseline(project.standard, repository, commit, folder, roots=roots)
            compared = WithCommit(project, baseline)
        sha = project.commit.sha if isinstance(project, ForkedProject) else sha_of(repository)
        yield Reviewer(Captures(project), compared, folder, guards, sha)


def review_of(project: BaseProject, plan: Plan, guards: Guards) -> Reviewed:
    """A review of a plan against a state: what it holds is known, what caused it is not."""
    from mlops_iac.review.semantics import all_risks, plan_hash, reviewed, unknown_outputs

    steps = reviewed(plan.steps, {})
    with around(project.root) as repository:
        sha = sha_of(repository)
    made = Review(
        project=plan.project,
        stack=plan.stack,
        platform=project.platform,
        engine=plan.engine,
        against=comparison(project, plan),
        steps=steps,
        risks=all_risks(steps),
        outputs_unknown=unknown_outputs(plan.outputs, plan.steps),
        policies=policies(project, plan.stack, own=guards.own) if guards.checked else (),
        plan_hash=plan_hash(steps),
        sha=sha,
        notes=[*plan.doubts, *plan.diagnostics],
    )
    return Reviewed(made, plan)


def sha_of(repository: Repository | None) -> str:
    """The commit that is checked out; empty where there is none."""
    if repository is None:
        return ""
    try:
        return repository.commit(HEAD).sha
    except UsageError:
        return ""  # no commit yet


@dataclass
class Reviewer:
    """Reviews stacks of one project against one thing; `folder` is a temporary one."""

    _head: Captures
    _comparison: Comparison
    folder: Path
    guards: Guards
    sha: str = ""

    def __post_init__(self) -> None:
        self.project = self._head.project

    def review(self, stack: str) -> Reviewed:
        """Review one stack."""
        from mlops_iac.graph.canonical import unwrapped
        from mlops_iac.graph.comparable import comparable, incomparable
        from mlops_iac.graph.diff import diff
        from mlops_iac.graph.plan import Plan
        from mlops_iac.review.semantics import all_risks, plan_hash, reviewed, unknown_outputs

        old = self._comparison.old(stack)
        graph = self._head.graph(stack)
        if isinstance(self.project, ForkedProject):
            self.project.check_size(stack, graph)
        head = comparable(graph)
        tool: list[ReviewedStep] = []
        causes: Mapping[str, Sequence[Cause]] = {}
        base = old.graph
        if old.graph.resources and old.graph != head:
            variants = self._variants(stack, old)
            if variants is not None:
                base = old.today or variants.capture(())
                tool = self._tool_changes(old, base)
                steps = diff(base, head, replaces)
                causes = self._causes(base, steps, variants, old.notes)
        steps = diff(base, head, replaces)
        shown = reviewed(steps, causes)
        renamed = sum(1 for step in steps if step.op == "same" and step.reason.startswith("was "))
        if renamed:
            old.notes.append(f"{renamed} resource(s) are renamed in the state alone (`moved`)")
        plan = Plan(
            stack=stack,
            project=self.project.name,
            engine="embedded",
            against=self._comparison.against,
            steps=steps,
            outputs=unwrapped(dict(head.outputs)),
            incomparable=incomparable(base, head),
            assumed=(assumed := self._head.assumed(stack, graph, steps)),
        )
        made = Review(
            project=self.project.standard.name,
            stack=stack,
            platform=self.project.platform,
            engine=plan.engine,
            against=f"{old.words}; {assumed.words}" if assumed else old.words,
            steps=shown,
            risks=[*self._own_rules(stack), *self._moves(stack), *all_risks([*shown, *tool])],
            outputs_unknown=unknown_outputs(head.outputs, steps),
            tool_changes=tool,
            policies=self._policies(stack, graph),
            plan_hash=plan_hash([*shown, *tool]),
            sha=self.sha,
            notes=[*old.notes, *plan.doubts, *not_run(self.project, own=self.guards.own)],
        )
        return Reviewed(made, plan)

    @cached_property
    def _own_files(self) -> list[Risk]:
        # Start-up: a comparison with a lock file needs none of it.
        from mlops_iac.api.compare.guard_changes import changed_files

        if not isinstance(self._comparison, WithCommit):
            return []
        return changed_files(self.project, self._comparison.baseline)

    def _own_rules(self, stack: str) -> list[Risk]:
        """What the change says of the rules that judge it."""
        if not isinstance(self._comparison, WithCommit):
            return []
        from mlops_iac.api.compare.guard_changes import changed_values  # as above

        try:
            loaded = self._comparison.written(stack).loaded
        except Unexplained:
            return self._own_files
        assert loaded is not None
        return [*self._own_files, *changed_values(self.project, loaded, stack)]

    def _moves(self, stack: str) -> list[Risk]:
        """A stack that goes to another account or region leaves everything behind.

        That is the provider's configuration and no resource's, so no step tells it.
        """
        try:
            loaded = self._comparison.written(stack).loaded
        except Unexplained:
            return []
        assert loaded is not None
        old, new = loaded.resolve(stack).blueprint, self.project.resolve(stack).blueprint
        return [
            Risk(
                "data-loss",
                f"pulumi.Stack/{self.project.name}-{stack}",
                f"the {what} goes from {before} to {after}: everything is made anew there, and"
                " nothing that is stored goes with it",
            )
            for what, before, after in (
                ("account", old.account, new.account),
                ("region", old.region, new.region),
            )
            if before != after and before is not None
        ]

    def _policies(self, stack: str, graph: ResourceGraph) -> Sequence[Finding]:
        if not self.guards.checked:
            return ()
        return policies(self.project, stack, graph=graph, own=self.guards.own)

    # -- why

    def _variants(self, stack: str, old: Old) -> Variants | None:
        """Counterfactuals of what it was; None, with a note, where its blueprint is not known."""
        from mlops_iac.api.compare.counterfactuals import Variants  # start-up: most find no change

        try:
            written = self._comparison.written(stack)
        except Unexplained as reason:
            old.notes.append(f"{_UNEXPLAINED}: {reason}")
            return None
        old.notes += [note for note in written.notes if note not in old.notes]
        variants = Variants(self.project, written, stack, self.folder / "variants")
        try:
            variants.plan(())
        except (BlueprintInvalid, UsageError) as error:
            old.notes.append(f"{_UNEXPLAINED}: {written.words}: {error.message}")
            return None
        return variants

    def _tool_changes(self, old: Old, base: CanonicalGraph) -> list[ReviewedStep]:
        """What differs for the same blueprint: another tool, or a lock file that was stale."""
        from mlops_iac.graph.diff import diff
        from mlops_iac.graph.lock import installed_versions
        from mlops_iac.review.semantics import reviewed

        changes = [step for step in diff(old.graph, base, replaces) if step.op != "same"]
        if not changes:
            return []
        today = installed_versions(each.type for each in base.resources)
        moved = [
            Cause(name, old=old.versions.get(name), new=version, kind="tool")
            for name, version in today.items()
            if old.versions.get(name) != version
        ]
        if not moved:
            old.notes.append(
                "the lock file compared with is not what its own blueprint gives with the same"
                " versions: it was stale, or code outside of the blueprint changed"
            )
            moved = [Cause("a stale lock file", kind="unknown")]
        causes = {step.urn: moved for step in changes}
        return reviewed(changes, causes, same_content=True)

    def _causes(
        self,
        base: CanonicalGraph,
        steps: Sequence[Step],
        variants: Variants,
        notes: list[str],
    ) -> dict[str, list[Cause]]:
        from mlops_iac.review.causes import attribute

        found = attribute(base, steps, variants.edits, variants, replaces)
        changed = [step for step in steps if step.op != "same"]
        left = [step for step in changed if step.urn not in found.causes]
        if left and variants.elsewhere:
            more = attribute(base, left, variants.elsewhere, variants, replaces)
            found.causes.update(more.causes)
            left = [step for step in left if step.urn not in found.causes]
        notes += found.notes
        causes = {urn: [cause_of(edit) for edit in edits] for urn, edits in found.causes.items()}
        if left:
            notes.append(f"{len(left)} change(s) follow from no single line of the blueprint")
            causes |= {step.urn: [Cause("", kind="unknown")] for step in left}
        return causes


def cause_of(edit: Edit | FileEdit) -> Cause:
    """What a person is told of an edit."""
    return Cause(edit.path, edit.file, edit.line, edit.old, edit.new)
