"""Projects of other kinds, with the verbs of a project: rehearsed, ephemeral, and of a fork."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compare.forks import ForkedProject
from mlops_iac.api.project import Project
from mlops_iac.api.stacks.ephemeral import EphemeralProject, RecordedProject
from mlops_iac.api.stacks.rehearsal import RehearsedProject, require_another
from mlops_iac.errors import MlopsError, StackNotFound, UsageError

if TYPE_CHECKING:
    from mlops_iac.api.compile.compiling import Compiled
    from mlops_iac.api.deploy.deployments import Deployment
    from mlops_iac.graph.plan import Plan


class Fork(ForkedProject, Project):
    """The project of a fork's commit."""


class Rehearsal(RehearsedProject, Project):
    """A project whose environments all stand on the emulated cloud."""

    def deployment(self, stack: str, **options: Any) -> Deployment:
        """Open a deployment; see `Project.deployment`. Raises UsageError for a saved plan."""
        if options.get("plan") is not None:
            raise UsageError(
                "a saved plan is one of a real stack or of local, not of a rehearsal",
                hint="leave --plan out",
            )
        require_another(self, stack)
        return super().deployment(stack, **options)

    def compile(self, out: Path | None = None) -> Compiled:
        """Raise UsageError: what is compiled is the program of the real stacks."""
        del out
        raise UsageError("a rehearsal compiles nothing that is kept", hint="leave --emulated out")

    def save_plan(self, stack: str, path: str | Path, **options: Any) -> Plan:
        """Raise UsageError: what is saved could be taken for a plan of the real stack."""
        del path, options
        raise UsageError(
            f"a rehearsal of {stack} has no plan to save", hint="leave --save-plan out"
        )


class Ephemeral(EphemeralProject, Project):
    """A project seen with one ephemeral environment, declared to be brought up."""

    def deployment(self, stack: str, **options: Any) -> Deployment:
        """Open a deployment; see `Project.deployment`. Raises UsageError for a saved plan."""
        if stack != self.stack:
            return super().deployment(stack, **options)
        from mlops_iac.api.stacks.ephemeral_deploying import EphemeralDeployment

        if options.pop("plan", None) is not None:
            raise UsageError(
                "a saved plan is one of a declared environment",
                hint="an ephemeral one is made for a while: preview it, and `up` it without --plan",
            )
        return EphemeralDeployment(self, stack, **options)


class Recorded(RecordedProject, Project):
    """A project seen with an ephemeral stack that its backend has."""

    def deployment(self, stack: str, **options: Any) -> Deployment:
        """Open what is deployed, to look at and to delete; a declared environment as ever."""
        if stack != self.stack:
            return super().deployment(stack, **options)
        from mlops_iac.api.stacks.ephemeral_deploying import RecordedDeployment

        return RecordedDeployment(self)


def find(project: Project, stack: str) -> Project:
    """Return the project seen with a stack that its blueprint does not declare.

    Raises StackNotFound, with the reason where no backend could be asked for an ephemeral one.
    """
    try:
        project.resolve(stack)
    except StackNotFound as unknown:
        try:
            found = Recorded.recorded(project, stack)
        except MlopsError as error:
            hint = f"; an ephemeral one cannot be looked for: {error.message}"
            raise StackNotFound(unknown.message, hint=(unknown.hint + hint).lstrip("; ")) from None
        if found is None:
            raise
        return found
    return project
