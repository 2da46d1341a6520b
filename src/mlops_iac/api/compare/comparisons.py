"""What a stack is compared with: the graph it had, and the blueprint that gave it.

`WithLock` takes the lock file of the working tree, `WithCommit` what a git ref holds, `WithBlueprint`
another reading of the same blueprint: another version of a template, a parameter, a limit.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mlops_iac.api.compare.baseline import Baseline, Old, nothing
from mlops_iac.api.compile import programs
from mlops_iac.api.compile.captures import Captures, KeptCaptures
from mlops_iac.api.compile.guard_rail_checks import policies
from mlops_iac.clouds.registry import replaces
from mlops_iac.errors import BlueprintInvalid, UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.core.repository import Repository
    from mlops_iac.blueprint import LoadedBlueprint
    from mlops_iac.graph.plan import Plan
    from mlops_iac.policy.model import Finding

HEAD = "HEAD"


class Unexplained(Exception):
    """Which blueprint gave what a stack was is not known; the text says why."""


class Written(Protocol):
    """A blueprint as it was, and what it is called.

    `named` are the files that it names and that may have changed, `notes` what to tell of it.
    """

    @property
    def words(self) -> str: ...

    @property
    def loaded(self) -> LoadedBlueprint | None: ...

    @property
    def root(self) -> Path: ...

    @property
    def named(self) -> Mapping[str, str]: ...

    @property
    def notes(self) -> Sequence[str]: ...


class Comparison(Protocol):
    """One thing to compare all stacks of a project with. `against` is what a plan calls it."""

    @property
    def against(self) -> str: ...

    def old(self, stack: str) -> Old:
        """What the stack was. Raises UsageError for what cannot be read."""

    def written(self, stack: str) -> Written:
        """The blueprint that gave it, with `stack` in it. Raises Unexplained."""


def lock_words(project: BaseProject, stack: str) -> str:
    """Say in words that a stack is compared with its lock file, or why with none."""
    from mlops_iac.graph.lock import lock_name

    if project.program_folder is not None:
        return "nothing: an ephemeral stack has no lock file; --live compares with its state"
    path = programs.default_out(project) / lock_name(stack)
    if not path.exists():
        return "nothing: there is no lock file yet, `mlops-iac compile` writes it"
    return f"the lock file {os.path.relpath(path)}; no credentials used"


def comparison(project: BaseProject, plan: Plan) -> str:
    """Say in words what a plan was compared with."""
    match plan.against:
        case "lock":
            words = lock_words(project, plan.stack)
            return f"{words}; {plan.assumed.words}" if plan.assumed else words
        case "live":
            return "the state in the real backend"
        case _:
            return f"the state of {plan.stack} under {os.path.relpath(project.work)}"


def against_lock(project: BaseProject, stack: str, *, approved: bool = True) -> Plan:
    """Compare a fresh capture with the committed lock file. Needs no credentials.

    The lock file tells the steady state, with an approved version of every model. Without `approved`
    the plan leaves out what waits for one.
    """
    from mlops_iac.graph.lock import lock_name, lock_plan

    project.resolve(stack)
    captures = Captures(project)
    graph = captures.graph(stack)
    plan = lock_plan(programs.default_out(project) / lock_name(stack), graph, replaces)
    assumed = captures.assumed(stack, graph, plan.steps, approved=approved)
    left_out = set(assumed.waiting) if assumed and not approved else ()
    steps = [step for step in plan.steps if step.address not in left_out]
    return replace(plan, steps=steps, assumed=assumed)


class WithCommit:
    """What a git ref holds: its lock files and its blueprint."""

    def __init__(self, project: BaseProject, baseline: Baseline) -> None:
        self.against = baseline.commit.ref
        self.baseline = baseline
        self._project = project

    def old(self, stack: str) -> Old:
        """From the lock file; where there is none, from the blueprint by today's tool."""
        baseline = self.baseline
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
                " of mlops-iac; none of its code was run"
            )
            old.notes += baseline.notes
            old.today = graph
            return old
        old = Old(nothing(self._project, stack), f"nothing: {words} has no {stack}")
        what = f"no stack {stack}" if baseline.loaded else f"no {self._project.loaded.shown}"
        old.notes.append(f"{words} has {what}: all of it is new")
        return old

    def written(self, stack: str) -> Written:
        """The commit's blueprint."""
        try:
            loaded = self.baseline.loaded
        except (BlueprintInvalid, UsageError) as error:
            raise Unexplained(f"{self.baseline.words}: {error.message}") from None
        if loaded is None or stack not in loaded.environments:
            raise Unexplained(f"{self.baseline.commit.words} has no blueprint of {stack}")
        return self.baseline


class WithLock:
    """The lock files of the working tree. Where they are committed, HEAD's blueprint gave them."""

    against = "lock"

    def __init__(self, project: BaseProject, repository: Repository | None, folder: Path) -> None:
        self._project = project
        self._repository = repository
        self._folder = folder

    def old(self, stack: str) -> Old:
        """From the file."""
        from mlops_iac.graph.lock import lock_name, lock_versions, parse_lock

        path = programs.default_out(self._project) / lock_name(stack)
        words = lock_words(self._project, stack)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return Old(nothing(self._project, stack), words)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from None
        old = Old(parse_lock(raw, path.name), words)
        old.versions = lock_versions(raw)
        return old

    @cached_property
    def _head(self) -> WithCommit | None:
        if self._repository is None:
            return None
        try:
            commit = self._repository.commit(HEAD)
        except UsageError:
            return None  # no commit yet
        baseline = Baseline(self._project, self._repository, commit, self._folder)
        return WithCommit(self._project, baseline)

    def written(self, stack: str) -> Written:
        """HEAD's blueprint, where the lock file is HEAD's."""
        if self._head is None:
            raise Unexplained("this is no git repository with a commit")
        if not self._committed(self._head.baseline, stack):
            raise Unexplained(f"the lock file of {stack} is not the one at {HEAD}")
        return self._head.written(stack)

    def _committed(self, baseline: Baseline, stack: str) -> bool:
        from mlops_iac.graph.lock import lock_name, same_lock

        committed = baseline.lock_bytes(stack)
        path = programs.default_out(self._project) / lock_name(stack)
        if committed is None or not path.exists():
            return False
        return same_lock(committed, path.read_bytes())


class WithBlueprint:
    """The same project by another reading of its blueprint, captured by today's tool.

    `before` are captures of that project, `words` what it is called. The files that it names are
    those of today.
    """

    against = "blueprint"

    def __init__(self, before: KeptCaptures, words: str) -> None:
        self._captures = before
        self._before = before.project
        self.words = words
        self.root = self._before.root
        self.loaded = self._before.loaded
        self.named: Mapping[str, str] = {}
        self.notes: Sequence[str] = ()

    def policies(self, stack: str, *, own: bool) -> list[Finding]:
        """The guard rails that the stack broke; none where there was no such stack."""
        if stack not in self._before.environments:
            return []
        return policies(self._before, stack, graph=self._captures.graph(stack), own=own)

    def old(self, stack: str) -> Old:
        """As it is captured; nothing where there was no such stack."""
        from mlops_iac.graph.comparable import comparable

        if stack not in self._before.environments:
            old = Old(nothing(self._before, stack), f"nothing: {self.words} has no {stack}")
            old.notes.append(f"{self.words} has no stack {stack}: all of it is new")
            return old
        graph = comparable(self._captures.graph(stack))
        old = Old(graph, self.words)
        old.today = graph
        return old

    def written(self, stack: str) -> Written:
        """The other reading."""
        if stack not in self._before.environments:
            raise Unexplained(f"{self.words} has no stack {stack}")
        return self
