"""Environments for pull requests: another environment's overlay under a name of its own, for a time.

What is known of one is kept with its stack, in the backend that keeps its state: a stack tag says
from which environment it was made and when it ends. It is written before the first resource is, so
that an `up` that fails half way is found too; an output comes last, and only where all went well.
It is read without the program or the blueprint it was made from. The resources carry tags of the
same meaning for people; nothing is decided by them, because a blueprint may write any tag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.project import LOCAL, Project, load
from mlops_iac.blueprint import ExtraEnvironment, ResolvedBlueprint
from mlops_iac.errors import MlopsError, StackNotFound, UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_iac.api.deploying import Deployment
    from mlops_iac.api.ephemeral_deploying import RecordedDeployment
    from mlops_iac.api.states import State

DEFAULT_TTL = timedelta(hours=24)
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=90)

# Of the stack: `BASE until TIME`, one tag and so one write.
# Source of the form: pulumi pkg/backend, stack tag names `[\w.:-]{1,40}`, values of 256 characters.
STACK_TAG = "mlops-iac:ephemeral"
# Of every resource.
TAG, TAG_EXPIRES = "ephemeral", "expires"

_PART = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class EphemeralRecord(Record):
    """What is kept of one: the environment it was made from, and its end, in UTC."""

    base: str
    expires: datetime

    @property
    def expires_text(self) -> str:
        """ISO 8601, `2026-11-22T10:00:00Z`."""
        return self.expires.strftime(_TIME)

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires <= now

    @property
    def stack_tags(self) -> dict[str, str]:
        """How it stands in the tags of the stack."""
        return {STACK_TAG: f"{self.base} until {self.expires_text}"}

    @property
    def resource_tags(self) -> dict[str, str]:
        """How it stands in the tags of every resource."""
        return {TAG: "true", TAG_EXPIRES: self.expires_text}


def parse_ttl(text: str) -> timedelta:
    """`30m`, `24h`, `7d`, `1d12h`. Raises UsageError for anything else, and for too long a time."""
    parts = _PART.findall(text)
    hint = "write minutes, hours, days or weeks: 30m, 24h, 7d, 2w"
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise UsageError(f"'{text[:40]}' is no time to live", hint=hint)
    if len({unit for _, unit in parts}) < len(parts):
        raise UsageError(f"'{text[:40]}' says a unit twice", hint=hint)
    found = timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})
    if not SHORTEST <= found <= LONGEST:
        raise UsageError(
            f"an environment cannot live for {text}",
            hint=f"at least a minute, at most {LONGEST.days} days; declare one that is to stay",
        )
    return found


def declare(
    path: str | Path,
    stack: str,
    base: str,
    *,
    ttl: timedelta | None = None,
    now: datetime | None = None,
) -> EphemeralProject:
    """Return the project with an ephemeral environment that lives for `ttl` from now on.

    Raises UsageError for a name that is none or is taken and for `local` as its base, StackNotFound
    for a base that there is not, BlueprintInvalid. Nothing is written.
    """
    plain = load(path)
    _check_name(plain, stack)
    if base == LOCAL:
        raise UsageError(
            "an ephemeral environment is one of a real cloud; local is emulated",
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
    return EphemeralProject(load(path, extra=extra), stack, record)


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
        from mlops_iac.api.ephemeral_deploying import EphemeralDeployment

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
        if stack == self.stack:
            for item in self.state.deployment.get("resources") or ():
                if item["type"] == "pulumi:providers:aws" and "region" in item.get("inputs", {}):
                    return str(item["inputs"]["region"])
        return super().region(stack)

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
        from mlops_iac.api.ephemeral_deploying import RecordedDeployment

        return RecordedDeployment(self)


def recorded(project: Project, stack: str) -> RecordedProject | None:
    """Return the project seen with an ephemeral stack of that name, None where there is none.

    Raises UsageError, AuthenticationError and MlopsError where no backend can be asked.
    """
    from mlops_iac.api.compiling import backend
    from mlops_iac.api.states import state_of
    from mlops_iac.engine.pulumi_backend import Backend

    urls = dict.fromkeys(backend(project, name) for name in project.environments if name != LOCAL)
    for url in urls or {"": None}:
        with Backend(project.name, url) as asked:
            listed = {item.name: item for item in asked.stacks()}
            if stack not in listed:
                continue
            exported = asked.export(stack)["deployment"] or {}
            tags = asked.tags(stack)
            state = state_of(stack, exported, updated=listed[stack].updated, tags=tags)
        if record_of(state) is not None:
            return RecordedProject(project, stack, url, state)
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


def record_of(state: State) -> EphemeralRecord | None:
    """What a stack says of itself, None where it is not ephemeral or does not say until when.

    Its tag counts, and what it holds must agree: a stack whose resources were not deployed as
    ephemeral ones is none, whatever its tag says.
    """
    base, found, until = state.tags.get(STACK_TAG, "").partition(" until ")
    if not base or not found:
        return None
    if any(tags.get(TAG) != "true" for tags in _tags(state)):
        return None
    try:
        return EphemeralRecord(base, datetime.strptime(until, _TIME).replace(tzinfo=UTC))
    except ValueError:
        return None


def _tags(state: State) -> Iterator[Mapping[str, Any]]:
    """The tags of its resources, those that the stack put there."""
    for item in state.resources:
        tags = (item.get("inputs") or {}).get("tags")
        if isinstance(tags, Mapping) and tags.get("environment") == state.stack:
            yield tags
