"""Ephemeral stacks whose time is over: found in the backends, deleted as they were deployed.

Nothing of the blueprint is needed but its name and where states are kept: what is deleted, and with
which provider and region, stands in the state. So it makes no difference what the environment they
were made from has become, or whether it is still there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_iac.api.ephemeral import STACK_TAG, EphemeralRecord, RecordedProject, record_of
from mlops_iac.api.project import LOCAL
from mlops_iac.errors import MlopsError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.api.states import State


class Ephemeral(Record):
    """One ephemeral stack in the backend at `url`."""

    stack: str
    record: EphemeralRecord
    state: State
    url: str

    def project(self, project: Project) -> RecordedProject:
        """The project seen with it, to open a deployment."""
        return RecordedProject(project, self.stack, self.url, self.state)


def expired(project: Project, now: datetime | None = None) -> list[Ephemeral]:
    """Return those whose time is over, by name.

    Never one that the blueprint declares, whatever its tags say. Raises UsageError,
    AuthenticationError and MlopsError where a backend cannot be asked.
    """
    at = now or datetime.now(UTC)
    return [item for item in ephemeral_stacks(project) if item.record.expired(at)]


def ephemeral_stacks(project: Project) -> list[Ephemeral]:
    """Return every ephemeral stack of the project; raises as `expired`."""
    return sorted(_all(project), key=lambda item: (item.stack, item.url))


def _all(project: Project) -> Iterator[Ephemeral]:
    from mlops_iac.api.compiling import backend
    from mlops_iac.api.states import state_of
    from mlops_iac.engine.pulumi_backend import Backend

    urls = dict.fromkeys(backend(project, name) for name in project.environments if name != LOCAL)
    for url in urls or {"": None}:
        with Backend(project.name, url) as asked:
            for item in asked.stacks():
                if item.name in project.environments:
                    continue
                tags = asked.tags(item.name)
                if STACK_TAG not in tags:
                    continue
                exported = asked.export(item.name)["deployment"] or {}
                state = state_of(item.name, exported, updated=item.updated, tags=tags)
                record = record_of(state)
                if record is not None:
                    yield Ephemeral(item.name, record, state, url)


class Ended(Record):
    """How deleting one ended: `deleted` resources, or why it could not be."""

    stack: str
    deleted: int = 0
    failures: Sequence[str] = ()


def end(project: Project, found: Ephemeral, now: datetime | None = None) -> Ended:
    """Delete a stack's resources and the stack itself. Raises nothing about that stack.

    Its record is read again first: somebody may have renewed it meanwhile.
    """
    try:
        with found.project(project).deployed as deployment:
            again = deployment.record_now()
            if again is None or not again.expired(now or datetime.now(UTC)):
                return Ended(found.stack, 0, ("renewed meanwhile; it was left alone",))
            result = deployment.destroy()
    except MlopsError as error:
        return Ended(found.stack, 0, (error.message,))
    failures = [f"{urn.split('::')[-1]}: {why}" for urn, why in result.failures.items()]
    return Ended(found.stack, project.count(result.steps).get("delete", 0), failures)
