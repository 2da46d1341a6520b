"""What is asked of a stack on Azure ML once it stands: `clouds.operations.Operations`.

Nothing is trained or served there yet (`decisions`), so no state has what most of these are asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mlops_iac.clouds.azure.ml.contents import holdings
from mlops_iac.clouds.azure.ml.registry import delete_versions, held, registry
from mlops_iac.clouds.azure.ml.runs import last_run
from mlops_iac.clouds.azure.session import Session
from mlops_iac.clouds.operations import (
    AlarmState,
    Answer,
    Entry,
    LastRun,
    ModelRegistry,
    Monitored,
    Page,
    Served,
)
from mlops_iac.clouds.questions import Questions
from mlops_iac.errors import UsageError
from mlops_iac.graph.model import Resource
from mlops_iac.graph.plan import Step


def _nothing(what: str) -> UsageError:
    return UsageError(f"nothing is {what} on Azure ML yet")


class AzureOperations:
    """Implements `clouds.operations.Operations`."""

    registry_output = "model_container"
    largest_body = 10_000_000  # azure-ai-docs, how-to-manage-quotas: payload of online endpoints

    def registry(self, session: Session) -> ModelRegistry:
        """Model containers of workspaces."""
        return registry(session)

    def served(self, resources: Iterable[Resource]) -> Iterable[Served]:
        """None yet."""
        return ()

    def endpoints(self, resources: Iterable[Resource]) -> dict[str, Resource]:
        """None yet."""
        return {}

    def entry(
        self, name: str, endpoint: Resource, questions: Questions | None, groups: Mapping[str, str]
    ) -> Entry:
        """There are none yet."""
        raise _nothing("served")

    def invoke(
        self,
        endpoint: Resource,
        session: Session,
        body: bytes,
        content_type: str,
        *,
        variant: str = "",
    ) -> Answer:
        """There is nothing to call yet."""
        raise _nothing("served")

    def run_monitoring(
        self,
        pipeline: str,
        session: Session,
        runs: Path,
        identity: str = "",
        *,
        cooldown: bool = True,
    ) -> Monitored:
        """There is nothing to watch yet."""
        raise _nothing("monitored")

    def alarms(
        self, resources: Iterable[Resource], questions: Questions | None
    ) -> list[AlarmState]:
        """None yet."""
        return []

    def last_run(self, pipeline: str, questions: Questions) -> LastRun | None:
        """The last job of a pipeline component."""
        return last_run(pipeline, questions)

    def page(self, pipeline: str, session: Session, file: str, run: str) -> Page | None:
        """None yet."""
        return None

    def differing(
        self, endpoints: Iterable[Resource], session: Session, of: str = ""
    ) -> Iterable[str]:
        """None yet."""
        return ()

    def images(self, endpoints: Iterable[Resource], session: Session) -> dict[str, str]:
        """None yet."""
        return {}

    def definition(self, pipeline: str, session: Session) -> str | None:
        """There is none yet."""
        return None

    def read_by_run(self, steps: Iterable[Step], pipeline: str, definition: str) -> list[Step]:
        """None: nothing runs yet."""
        return []

    def upload(self, step: Step) -> str:
        """No resource uploads a file: bytes go to blobs by the identity of who deploys."""
        return ""

    def uploaded(self, step: Step, session: Session) -> bytes | None:
        """No resource uploads a file."""
        return None

    def holdings(
        self, resources: Iterable[Resource], session: Session, *, emptied: bool, versions_go: bool
    ) -> Iterator[str]:
        """Storage accounts and containers go with every blob in them; models with their versions."""
        yield from holdings(resources, session)
        yield from held(resources, session)

    def delete_versions(self, resources: Iterable[Resource], session: Session) -> int:
        """Delete what registries hold."""
        return delete_versions(resources, session)


OPERATIONS = AzureOperations()
