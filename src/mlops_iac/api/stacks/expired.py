"""Ephemeral stacks whose time is over: found in the backends, deleted as they were deployed.

Nothing of the blueprint is needed but its name and where states are kept: what is deleted, and with
which provider and region, stands in the state. So it makes no difference what the environment they
were made from has become, or whether it is still there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops_iac.api.core.stack_state import state_of
from mlops_iac.api.stacks.ephemeral import RecordedProject
from mlops_iac.api.stacks.ephemeral_deploying import RecordedDeployment
from mlops_iac.api.stacks.ephemeral_record import STACK_TAG, record_of
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.errors import MlopsError
from mlops_iac.graph.plan import count
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.engine.pulumi_backend import Backend, Listed


class Found(Record):
    """Ephemeral stacks, and by what they are called, those stacks and backends that were silent."""

    stacks: Sequence[RecordedProject] = ()
    silent: Mapping[str, MlopsError] = {}


def expired(project: BaseProject, now: datetime | None = None) -> Found:
    """Return those whose time is over, by name.

    Never one that the blueprint declares, whatever its tags say. Raises nothing about a backend
    that cannot be asked.
    """
    from mlops_iac.engine.pulumi_backend import Backend

    at = now or datetime.now(UTC)
    urls = dict.fromkeys(project.backend(name) for name in project.environments if name != LOCAL)
    found: list[RecordedProject] = []
    silent: dict[str, MlopsError] = {}
    for url in urls or {"": None}:
        try:
            with Backend(project.name, url) as asked:
                for item in asked.stacks():
                    if item.name in project.environments:
                        continue
                    try:
                        stack = _ephemeral(project, asked, item, url)
                    except MlopsError as error:
                        silent[item.name] = error
                        continue
                    if stack is not None and stack.record.expired(at):
                        found.append(stack)
        except MlopsError as error:
            silent[url or "the backend"] = error
    return Found(sorted(found, key=lambda item: (item.stack, item.url)), silent)


def _ephemeral(
    project: BaseProject, asked: Backend, item: Listed, url: str
) -> RecordedProject | None:
    tags = asked.tags(item.name)
    if STACK_TAG not in tags:
        return None
    exported = asked.export(item.name)["deployment"] or {}
    state = state_of(item.name, exported, updated=item.updated, tags=tags)
    return RecordedProject(project, item.name, url, state) if record_of(state) else None


class Ended(Record):
    """How deleting one ended: `deleted` resources, or why it could not be."""

    stack: str
    deleted: int = 0
    failures: Sequence[str] = ()


def end(found: RecordedProject, now: datetime | None = None) -> Ended:
    """Delete a stack's resources and the stack itself. Raises nothing about that stack.

    Its record is read again first: somebody may have renewed it meanwhile.
    """
    try:
        with RecordedDeployment(found) as deployment:
            again = deployment.record_now()
            if again is None or not again.expired(now or datetime.now(UTC)):
                return Ended(found.stack, 0, ("renewed meanwhile; it was left alone",))
            result = deployment.destroy()
    except MlopsError as error:
        return Ended(found.stack, 0, (error.message,))
    failures = [f"{urn.split('::')[-1]}: {why}" for urn, why in result.failures.items()]
    return Ended(found.stack, count(result.steps).get("delete", 0), failures)
