"""Environments for pull requests: another environment's overlay under a name of its own, for a time.

Declared, they are brought up; recorded in a backend, they are looked at and deleted, whatever the
blueprint says by then. What is kept of them: `ephemeral_record`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mlops_iac.api.core.loading import load_as
from mlops_iac.api.core.project import BaseProject
from mlops_iac.api.deploy.states import state_in
from mlops_iac.api.stacks.ephemeral_record import DEFAULT_TTL, EphemeralRecord, record_of
from mlops_iac.blueprint import ExtraEnvironment, ResolvedBlueprint
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.reading import COMMAND_LINE_LAYER
from mlops_iac.errors import BlueprintInvalid, MlopsError, StackNotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_iac.api.core.stack_state import State


def _check_name(project: BaseProject, stack: str) -> None:
    from mlops_iac.blueprint.checks.names import illegal_name
    from mlops_iac.blueprint.sections.base import EntryName

    if stack in project.environments:
        raise UsageError(
            f"{stack} is an environment of the blueprint, and not an ephemeral one",
            hint="leave --from and --ttl out, or take another name",
        )
    if wrong := illegal_name(stack, EntryName("environment", 20)):
        raise UsageError(wrong[1], hint=wrong[2])


def _named_bases(project: BaseProject, stack: str) -> str:
    bases = [name for name in project.environments if name != LOCAL]
    if not bases:
        return "the blueprint declares no environment yet"
    return f"name one of {', '.join(bases)}: -s {stack} --from {bases[0]}"


class EphemeralProject(BaseProject):
    """A project seen with one ephemeral environment, whose program is planned alone.

    The program lies in the work folder; the committed one is not touched.
    """

    @classmethod
    def declare(
        cls,
        path: str | Path,
        stack: str,
        base: str,
        *,
        ttl: timedelta | None = None,
        now: datetime | None = None,
    ) -> Self:
        """Return the project with an ephemeral environment that lives for `ttl` from now on.

        Raises UsageError for a name that is none or is taken, for `local` as its base and for one that a
        template holds to what no ephemeral one is; StackNotFound for a base that there is not,
        BlueprintInvalid. Nothing is written.
        """
        plain = load_as(BaseProject, path)
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
            return cls(load_as(BaseProject, path, extra), stack, record)
        except BlueprintInvalid as error:
            # What an ephemeral environment has of its own stands in no file: unprotected, and its tags.
            own = [item.message for item in error.diagnostics if item.file == COMMAND_LINE_LAYER]
            if not own:
                raise
            raise UsageError(
                f"{stack} cannot be made from {base}: {own[0]}", hint="take another environment"
            ) from None

    def __init__(self, project: BaseProject, stack: str, record: EphemeralRecord) -> None:
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


class RecordedProject(BaseProject):
    """A project seen with an ephemeral stack that its backend has, whatever the blueprint says."""

    def __init__(self, project: BaseProject, stack: str, url: str, state: State) -> None:
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
        known = self.state.place.region if stack == self.stack else ""
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

    @classmethod
    def recorded(cls, project: BaseProject, stack: str) -> Self | None:
        """Return the project seen with an ephemeral stack of that name, None where there is none.

        Raises UsageError, AuthenticationError and MlopsError where it is in none of the backends that
        can be asked, and one could not be.
        """
        from mlops_iac.engine.pulumi_backend import Backend

        urls = dict.fromkeys(
            project.backend(name) for name in project.environments if name != LOCAL
        )
        silent: MlopsError | None = None
        for url in urls or {"": None}:
            try:
                with Backend(project.name, url) as asked:
                    state = state_in(asked, stack)
            except MlopsError as error:
                silent = silent or error
                continue
            if state is not None and record_of(state) is not None:
                return cls(project, stack, url, state)
        if silent is not None:
            raise silent
        return None

    def backend(self, stack: str) -> str:
        """The backend that has the stack; of a declared environment, as the blueprint says."""
        return self.url if stack == self.stack else super().backend(stack)
