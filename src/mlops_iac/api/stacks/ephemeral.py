"""Environments for pull requests: another environment's overlay under a name of its own, for a time.

Declared, they are brought up; recorded in a backend, they are looked at and deleted, whatever the
blueprint says by then. What is kept of them: `ephemeral_record`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.core.loading import load, load_with
from mlops_iac.api.project import LOCAL, Project
from mlops_iac.api.stacks.ephemeral_record import DEFAULT_TTL, EphemeralRecord, record_of
from mlops_iac.blueprint import ExtraEnvironment, ResolvedBlueprint
from mlops_iac.blueprint.loaded import COMMAND_LINE_LAYER
from mlops_iac.errors import BlueprintInvalid, MlopsError, StackNotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_iac.api.deploy.deployments import Deployment
    from mlops_iac.api.deploy.states import State
    from mlops_iac.api.stacks.ephemeral_deploying import RecordedDeployment


def declare(
    path: str | Path,
    stack: str,
    base: str,
    *,
    ttl: timedelta | None = None,
    now: datetime | None = None,
) -> EphemeralProject:
    """Return the project with an ephemeral environment that lives for `ttl` from now on.

    Raises UsageError for a name that is none or is taken, for `local` as its base and for one that a
    template holds to what no ephemeral one is; StackNotFound for a base that there is not,
    BlueprintInvalid. Nothing is written.
    """
    plain = load(path)
    _check_name(plain, stack)
    if base == LOCAL:
        raise UsageError(
            "an ephemeral stack is one of a real cloud; local is emulated",
            hint=_named_bases(plain, stack),
        )
    if base not in plain.environments:
        raise StackNotFound(
            f"there is no environment '{base}' to make {stack} from",
            hint=_named_bases(plain, stack),
        )
    until = (now or datetime.now(UTC)) + (ttl or DEFAULT_TTL)
    record = EphemeralRecord(base, until.replace(microsecond=0))
    extra = {stack: ExtraEnvironment(base, record.resource_tags)}
    try:
        return EphemeralProject(load_with(path, extra), stack, record)
    except BlueprintInvalid as error:
        # What an ephemeral environment has of its own stands in no file: unprotected, and its tags.
        own = [item.message for item in error.diagnostics if item.file == COMMAND_LINE_LAYER]
        if not own:
            raise
        raise UsageError(
            f"{stack} cannot be made from {base}: {own[0]}", hint="take another environment"
        ) from None


def _check_name(project: Project, stack: str) -> None:
    from mlops_iac.blueprint.checks.names import illegal_name
    from mlops_iac.blueprint.sections.base import EntryName

    if stack in project.environments:
        raise UsageError(
            f"{stack} is an environment of the blueprint, and not an ephemeral one",
            hint="leave --from and --ttl out, or take another name",
        )
    if wrong := illegal_name(stack, EntryName("environment", 20)):
        raise UsageError(wrong[1], hint=wrong[2])


def _named_bases(project: Project, stack: str) -> str:
    bases = [name for name in project.environments if name != LOCAL]
    if not bases:
        return "the blueprint declares no environment yet"
    return f"name one of {', '.join(bases)}: -s {stack} --from {bases[0]}"


class EphemeralProject(Project):
    """A project seen with one ephemeral environment, whose program is planned alone.

    The program lies in the work folder; the committed one is not touched.
    """

    def __init__(self, project: Project, stack: str, record: EphemeralRecord) -> None:
        super().__init__(project.loaded, project._templates)
        self.stack = stack
        self.record = record

    @property
    def environments(self) -> Sequence[str]:
        """The one; the others are there for what is promoted from them."""
        return (self.stack,)

    @property
    def program_folder(self) -> Path:
        """The folder of its program."""
        return self.work / "ephemeral" / self.stack

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
        return EphemeralDeployment(self, stack, **{"engine": None, **options})


class RecordedProject(Project):
    """A project seen with an ephemeral stack that its backend has, whatever the blueprint says."""

    def __init__(self, project: Project, stack: str, url: str, state: State) -> None:
        super().__init__(project.loaded, project._templates)
        self.stack = stack
        self.url = url
        self.state = state
        record = record_of(state)
        assert record is not None
        self.record = record

    @property
    def environments(self) -> Sequence[str]:
        """The declared ones and this one."""
        return (*super().environments, self.stack)

    def region(self, stack: str) -> str:
        """The region that the stack was deployed to."""
        known = self.state.region if stack == self.stack else ""
        return known or super().region(stack)

    def protected(self, stack: str) -> bool:
        """An ephemeral stack is never protected."""
        return stack != self.stack and super().protected(stack)

    def resolve(self, stack: str) -> ResolvedBlueprint:
        """Return the blueprint of a declared environment; of this stack, that of its base today."""
        if stack != self.stack:
            return super().resolve(stack)
        if self.record.base not in self.loaded.environments:
            raise StackNotFound(
                f"{stack} was made from {self.record.base}, which is not in the blueprint any more",
                hint=f"`mlops-iac destroy -s {stack}` deletes it all the same",
            )
        return super().resolve(self.record.base)

    def deployment(self, stack: str, **options: Any) -> Deployment:
        """Open what is deployed, to look at and to delete; a declared environment as ever."""
        return self.deployed if stack == self.stack else super().deployment(stack, **options)

    @property
    def deployed(self) -> RecordedDeployment:
        """The stack as it stands in its backend."""
        from mlops_iac.api.stacks.ephemeral_deploying import RecordedDeployment

        return RecordedDeployment(self)


def recorded(project: Project, stack: str) -> RecordedProject | None:
    """Return the project seen with an ephemeral stack of that name, None where there is none.

    Raises UsageError, AuthenticationError and MlopsError where it is in none of the backends that
    can be asked, and one could not be.
    """
    from mlops_iac.api.compile.programs import backend
    from mlops_iac.api.deploy.states import state_in
    from mlops_iac.engine.pulumi_backend import Backend

    urls = dict.fromkeys(backend(project, name) for name in project.environments if name != LOCAL)
    silent: MlopsError | None = None
    for url in urls or {"": None}:
        try:
            with Backend(project.name, url) as asked:
                state = state_in(asked, stack)
        except MlopsError as error:
            silent = silent or error
            continue
        if state is not None and record_of(state) is not None:
            return RecordedProject(project, stack, url, state)
    if silent is not None:
        raise silent
    return None


def find(project: Project, stack: str) -> Project:
    """Return the project seen with a stack that its blueprint does not declare.

    Raises StackNotFound, with the reason where no backend could be asked for an ephemeral one.
    """
    try:
        project.resolve(stack)
    except StackNotFound as unknown:
        try:
            found = recorded(project, stack)
        except MlopsError as error:
            hint = f"; an ephemeral one cannot be looked for: {error.message}"
            raise StackNotFound(unknown.message, hint=(unknown.hint + hint).lstrip("; ")) from None
        if found is None:
            raise
        return found
    return project
