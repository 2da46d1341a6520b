"""The emulated cloud of a project, and the providers and clients that reach it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.emulators.aws.server import ServerInfo
    from mlops_iac.emulators.provider import Provider


class Cloud:
    """The emulated AWS of one project. Nothing is started before something needs it."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def ensure(self) -> ServerInfo:
        """Start it unless it runs. Raises TimedOut, MlopsError, UsageError."""
        from mlops_iac.emulators.aws import server

        return server.ensure(self.project.work)

    def stop(self) -> bool:
        """End it, with all it holds; False where none was running."""
        from mlops_iac.emulators.aws import server

        return server.stop(self.project.work)

    def status(self) -> ServerInfo | None:
        """Return the emulator as it is, or None where none was started."""
        from mlops_iac.emulators.aws import server

        return server.status(self.project.work)

    def client(self, service: str, stack: str) -> Any:
        """Return a boto3 client of the running emulator, started if need be."""
        from mlops_iac.emulators.aws import server

        return server.client(service, self.ensure(), self.project.region(stack))

    def providers(self, stack: str) -> Mapping[str, Provider]:
        """Return the emulated providers by package, for one stack."""
        from mlops_iac.emulators.aws.provider import AwsProvider

        provider = AwsProvider(
            lambda: self.ensure().url,
            region=self.project.region(stack),
            account=self.account(stack),
        )
        return {"aws": provider}

    def account(self, stack: str) -> str:
        """Return the stack's account; the emulator's own where the blueprint names none."""
        from mlops_iac.api.project import LOCAL

        declared = self.project.resolve(stack).blueprint.account
        return EMULATED_ACCOUNT if stack == LOCAL or declared is None else str(declared)


EMULATED_ACCOUNT = "123456789012"
