"""The emulated cloud of a project, and the providers and clients that reach it."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from mlops_iac.errors import TimedOut

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.emulators.aws.server import ServerInfo
    from mlops_iac.emulators.provider import Provider


class Cloud:
    """The emulated AWS of one project. Nothing is started before something needs it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._url = ""
        self._lock = Lock()

    def ensure(self) -> ServerInfo:
        """Start it unless it runs. Raises TimedOut, MlopsError, UsageError."""
        from mlops_iac.emulators.aws import server

        info = server.ensure(self.project.emulator)
        self._url = info.url
        return info

    def answering(self) -> ServerInfo | None:
        """Return the emulator where it runs, None where it does not. Raises TimedOut if it hangs."""
        info = self.status()
        if info is not None and info.state == "silent":
            raise TimedOut(info.message, hint="`mlops-iac local stop` ends it, then run it again")
        return info if info is not None and info.running else None

    def _endpoint(self) -> str:
        # Found once: with every call it would cost a lock and a request, and an emulator that
        # died in the middle must not be replaced by an empty one.
        with self._lock:
            return self._url or self.ensure().url

    def stop(self) -> bool:
        """End it, with all it holds; False where none was running."""
        from mlops_iac.emulators.aws import server

        return server.stop(self.project.emulator)

    def status(self) -> ServerInfo | None:
        """Return the emulator as it is, or None where none was started."""
        from mlops_iac.emulators.aws import server

        return server.status(self.project.emulator)

    def client(self, service: str, stack: str) -> Any:
        """Return a boto3 client of the running emulator, started if need be."""
        return self.client_at(service, self.region(stack), self.account(stack))

    def client_at(self, service: str, region: str, account: str) -> Any:
        """Return one of a region and an account, as those of another stack."""
        from mlops_iac.emulators.aws import server

        return server.client(service, self.ensure(), region, account or EMULATED_ACCOUNT)

    def region(self, stack: str) -> str:
        """Return the region that a stack was deployed to, whatever its blueprint says since."""
        from mlops_iac.api.deploy.states import emulated_state

        return emulated_state(self.project, stack).region or self.project.region(stack)

    def providers(self, stack: str, *, forced: bool = False) -> Mapping[str, Provider]:
        """Return the emulated providers by package, for one stack; `forced` ones delete what is full."""
        from mlops_iac.api.project import LOCAL
        from mlops_iac.emulators.aws.provider import AwsProvider

        provider = AwsProvider(
            self._endpoint,
            region=self.project.region(stack),
            account=self.account(stack),
            # Whoever captures a real stack for its lock file deploys nothing.
            serves=stack if self.project.emulates(stack) else LOCAL,
            forced=forced,
        )
        return {"aws": provider}

    def account(self, stack: str) -> str:
        """Return the stack's account; the emulator's own where the blueprint names none."""
        from mlops_iac.api.project import LOCAL

        declared = self.project.resolve(stack).blueprint.account
        return EMULATED_ACCOUNT if stack == LOCAL or declared is None else str(declared)


EMULATED_ACCOUNT = "123456789012"
