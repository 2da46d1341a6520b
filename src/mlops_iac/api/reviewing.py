"""A change reviewed: today's capture beside what a ref, a lock file or a state holds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api import compiling
from mlops_iac.api.baseline import Baseline, Old, nothing
from mlops_iac.api.policing import not_run
from mlops_iac.api.project import LOCAL
from mlops_iac.api.repository import Repository, around
from mlops_iac.errors import BlueprintInvalid, UsageError
from mlops_iac.review.model import Cause, Review, ReviewedStep, Risk

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.api.variants import FileEdit, Variants
    from mlops_iac.blueprint.edits import Edit
    from mlops_iac.graph.canonical import CanonicalGraph
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.graph.plan import Plan, Step
    from mlops_iac.policy.model import Finding
    from mlops_iac.program.build import Program

HEAD = "HEAD"
_NO_REF = ("lock", "state")


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


def review(
    project: Project, stack: str, against: str | None = None, guards: Guards | None = None
) -> Reviewed:
    """Review one stack; see `Project.review`."""
    return reviews(project, [stack], against, guards)[0]


def reviews(
    project: Project,
    stacks: Sequence[str],
    against: str | None,
    guards: Guards | None = None,
) -> list[Reviewed]:
    """Review several stacks in one process, against the same thing."""
    guards = guards or Guards()
    for stack in stacks:
        project.resolve(stack)
    if against == "state" or (against is None and list(stacks) == [LOCAL]):
        return [_of_plan(project, stack, "state", guards) for stack in stacks]
    if LOCAL in stacks:
        raise UsageError(
            "local has no lock file, so it is compared with its state only",
            hint="name a stack with -s, or leave --against out",
        )
    with _reviewer(project, against or "lock", guards) as reviewer:
        return [reviewer.review(stack) for stack in stacks]


@contextmanager
def _reviewer(project: Project, against: str, guards: Guards) -> Iterator[_Reviewer]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlops-iac-")))
        if against == "lock":
            repository = stack.enter_context(around(project.root))
            yield _Reviewer(project, repository, None, folder, guards)
            return
        opened = stack.enter_context(Repository.around(project.root))
        yield _Reviewer(project, opened, against, folder, guards)


def _of_plan(project: Project, stack: str, against: str, guards: Guards) -> Reviewed:
    """A review of a plan against a state: what it holds is known, what caused it is not."""
    from mlops_iac.review.semantics import all_risks, plan_hash, reviewed, unknown_outputs

    plan = project.preview(stack, against=against)
    steps = reviewed(plan.steps, {})
    with around(project.root) as repository:
        sha = _sha(repository)
    made = Review(
        project=plan.project,
        stack=stack,
        platform=project.platform,
        engine=plan.engine,
        against=project.comparison(plan),
        steps=steps,
        risks=all_risks(steps),
        outputs_unknown=unknown_outputs(plan.outputs, plan.steps),
        policies=project.policies(stack, own=guards.own) if guards.checked else (),
        plan_hash=plan_hash(steps),
        sha=sha,
        notes=list(plan.diagnostics),
    )
    return Reviewed(made, plan)


def _sha(repository: Repository | None) -> str:
    if repository is None:
        return ""
    try:
        return repository.commit(HEAD).sha
    except UsageError:
        return ""  # no commit yet


class _Reviewer:
    """Reviews stacks of one project against one ref, or against the lock in the working tree."""

    def __init__(
        self,
        project: Project,
        repository: Repository | None,
        ref: str | None,
        folder: Path,
        guards: Guards,
    ) -> None:
        self.guards = guards
        self.project = project
        self.repository = repository
        self.ref = ref
        self.folder = folder

    @cached_property
    def _baseline(self) -> Baseline | None:
        """The ref; where the working tree's lock is compared, HEAD."""
        if self.repository is None:
            return None
        if self.ref is not None:
            commit = self.repository.commit(self.ref)
        else:
            try:
                commit = self.repository.commit(HEAD)
            except UsageError:
                return None
        return Baseline(self.project, self.repository, commit, self.folder)

    @cached_property
    def _program(self) -> tuple[Path, Program]:
        return compiling.work_program(self.project)

    def _head(self, stack: str) -> ResourceGraph:
        from mlops_iac.api.variants import collector_paused

        folder, program = self._program
        with collector_paused():
            return compiling.capture_program(self.project, stack, folder, program.config[stack])

    def review(self, stack: str) -> Reviewed:
        """Review one stack."""
        from mlops_iac.api.deploying import replacement_fact
        from mlops_iac.graph.canonical import canonical
        from mlops_iac.graph.diff import diff
        from mlops_iac.graph.plan import Plan
        from mlops_iac.review.semantics import all_risks, plan_hash, reviewed, unknown_outputs

        old = self._old(stack)
        graph = self._head(stack)
        head = canonical(graph)
        tool: list[ReviewedStep] = []
        causes: Mapping[str, Sequence[Cause]] = {}
        base = old.graph
        if old.graph.resources and old.graph != head:
            variants = self._variants(stack, old)
            if variants is not None:
                base = old.today or variants.capture(())
                tool = self._tool_changes(old, base)
                steps = diff(base, head, replacement_fact)
                causes = self._causes(base, steps, variants, old.notes)
        steps = diff(base, head, replacement_fact)
        shown = reviewed(steps, causes)
        renamed = sum(1 for step in steps if step.op == "same" and step.reason.startswith("was "))
        if renamed:
            old.notes.append(f"{renamed} resource(s) are renamed in the state alone (`moved`)")
        plan = Plan(
            stack=stack,
            project=self.project.name,
            engine="embedded",
            against=self.ref or "lock",
            steps=steps,
            outputs=head.outputs,
        )
        made = Review(
            project=self.project.name,
            stack=stack,
            platform=self.project.platform,
            engine=plan.engine,
            against=old.words,
            steps=shown,
            risks=[*self._moves(stack), *all_risks([*shown, *tool])],
            outputs_unknown=unknown_outputs(head.outputs, steps),
            tool_changes=tool,
            policies=self._policies(stack, graph),
            plan_hash=plan_hash([*shown, *tool]),
            sha=_sha(self.repository),
            notes=[*old.notes, *not_run(self.project, own=self.guards.own)],
        )
        return Reviewed(made, plan)

    def _moves(self, stack: str) -> list[Risk]:
        """A stack that goes to another account or region leaves everything behind.

        That is the provider's configuration and no resource's, so no step tells it.
        """
        baseline = self._baseline
        if baseline is None or (self.ref is None and not self._committed(baseline, stack)):
            return []
        try:
            loaded = baseline.loaded
        except UsageError:
            return []
        if loaded is None or stack not in loaded.environments:
            return []
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
        return self.project.policies(stack, graph=graph, own=self.guards.own)

    # -- what it was

    def _old(self, stack: str) -> Old:
        return self._in_tree(stack) if self.ref is None else self._at_ref(stack)

    def _in_tree(self, stack: str) -> Old:
        from mlops_iac.api.deploying import comparison
        from mlops_iac.graph.lock import lock_name, lock_versions, parse_lock
        from mlops_iac.graph.plan import Plan

        path = compiling.default_out(self.project) / lock_name(stack)
        plan = Plan(stack, self.project.name, "embedded", "lock", ())
        words = comparison(self.project, plan)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return Old(nothing(self.project, stack), words)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from None
        old = Old(parse_lock(raw, path.name), words)
        old.versions = lock_versions(raw)
        return old

    def _at_ref(self, stack: str) -> Old:
        baseline = self._baseline
        assert baseline is not None
        words = baseline.commit.words
        locked = baseline.lock(stack)
        if locked is not None:
            old = Old(locked[0], f"the lock file at {words}; no credentials used")
            old.versions = locked[1]
            return old
        graph = baseline.captured(stack)
        if graph is not None:
            old = Old(graph, f"the blueprint at {words}, captured by this version")
            old.notes.append(
                f"{words} has no lock file of {stack}: its blueprint was captured by this version"
                " of mlops-iac, in a process of its own; none of its code was run"
            )
            old.today = graph
            return old
        old = Old(nothing(self.project, stack), f"nothing: {words} has no {stack}")
        what = f"no stack {stack}" if baseline.loaded else f"no {self.project.loaded.shown}"
        old.notes.append(f"{words} has {what}: all of it is new")
        return old

    # -- why

    def _variants(self, stack: str, old: Old) -> Variants | None:
        """Counterfactuals of what it was; None, with a note, where its blueprint is not known."""
        from mlops_iac.api.variants import Variants

        baseline = self._baseline
        unknown = "the blueprint lines that cause the changes are not known: "
        if baseline is None:
            old.notes.append(unknown + "this is no git repository with a commit")
            return None
        if self.ref is None and not self._committed(baseline, stack):
            old.notes.append(unknown + f"the lock file of {stack} is not the one at {HEAD}")
            return None
        try:
            loaded = baseline.loaded
        except (BlueprintInvalid, UsageError) as error:
            old.notes.append(unknown + f"at {baseline.commit.words}: {error.message}")
            return None
        if loaded is None or stack not in loaded.environments:
            old.notes.append(unknown + f"{baseline.commit.words} has no blueprint of {stack}")
            return None
        variants = Variants(self.project, baseline, stack, self.folder / "variants")
        try:
            variants.plan(())
        except (BlueprintInvalid, UsageError) as error:
            old.notes.append(unknown + f"at {baseline.commit.words}: {error.message}")
            return None
        return variants

    def _committed(self, baseline: Baseline, stack: str) -> bool:
        from mlops_iac.graph.lock import lock_name, same_lock

        committed = baseline.lock_bytes(stack)
        path = compiling.default_out(self.project) / lock_name(stack)
        if committed is None or not path.exists():
            return False
        return same_lock(committed, path.read_bytes())

    def _tool_changes(self, old: Old, base: CanonicalGraph) -> list[ReviewedStep]:
        """What differs for the same blueprint: another tool, or a lock file that was stale."""
        from mlops_iac.api.deploying import replacement_fact
        from mlops_iac.graph.diff import diff
        from mlops_iac.graph.lock import installed_versions
        from mlops_iac.review.semantics import reviewed

        changes = [step for step in diff(old.graph, base, replacement_fact) if step.op != "same"]
        if not changes:
            return []
        today = installed_versions()
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
        from mlops_iac.api.deploying import replacement_fact
        from mlops_iac.review.causes import attribute

        found = attribute(base, steps, variants.edits, variants, replacement_fact)
        changed = [step for step in steps if step.op != "same"]
        left = [step for step in changed if step.urn not in found.causes]
        if left and variants.elsewhere:
            more = attribute(base, left, variants.elsewhere, variants, replacement_fact)
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
