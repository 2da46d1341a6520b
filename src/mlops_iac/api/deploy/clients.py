"""Clients of the cloud that holds what a stack made, and questions to it that may go unanswered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from mlops_iac.api.core.project import LOCAL
from mlops_iac.api.deploy.registry_cleanup import as_deployer
from mlops_iac.api.models.registry import real_session
from mlops_iac.errors import MlopsError

if TYPE_CHECKING:
    from mlops_iac.api.project import Project

T = TypeVar("T")
# Of somebody who only looks: botocore's own are a minute, five times.
_SECONDS = 10
_TRIES = 2
# What AWS answers where one thing is refused; everything else is refused, too, where it is the
# credentials. Source: AWS general reference, "Common errors".
_ONE_REFUSED = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthorizationError",
)
_NOT_THERE = ("ResourceNotFound", "ResourceNotFoundException", "ValidationException", "NoSuchKey")


def is_gone(error: Exception) -> bool:
    """Whether botocore's error says that the cloud does not have what was asked for."""
    return _code(error) in _NOT_THERE


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


class Clients:
    """boto3 clients for one stack: of the emulator, or of the real cloud as who deployed it.

    `provider` are the inputs of the provider that deployed it.
    """

    def __init__(self, project: Project, stack: str, provider: Mapping[str, Any]) -> None:
        self._project = project
        self._stack = stack
        self._provider = provider
        self._made: dict[tuple[str, str, str], Any] = {}
        self._sessions: dict[str, Any] = {}

    def __call__(self, service: str, region: str = "", account: str = "") -> Any:
        """Return a client. Raises MlopsError where boto3 is missing, and botocore's own errors.

        `account` is for the emulator, which lets no account look into another: in the real cloud
        who deploys asks, as a policy there allows.
        """
        region = region or str(self._provider.get("region") or "")
        region = region or self._project.region(self._stack)
        key = service, region, account
        if key not in self._made:
            self._made[key] = self._client(*key)
        return self._made[key]

    def _client(self, service: str, region: str, account: str) -> Any:
        cloud = self._project.cloud
        if self._project.emulates(self._stack):
            return cloud.client_at(service, region, account or cloud.account(self._stack))
        if region not in self._sessions:
            self._sessions[region] = as_deployer(self._provider, real_session(region), region)
        from botocore.config import Config

        patience = Config(
            connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": _TRIES}
        )
        return self._sessions[region].client(service, config=patience)


class Questions:
    """Asks a cloud that may not answer. `notes` say what could not be asked, and why, once each.

    `of` names the stack to a command.
    """

    def __init__(self, clients: Clients, stack: str) -> None:
        self.clients = clients
        self.notes: list[str] = []
        self.of = "" if stack == LOCAL else f" -s {stack}"
        self._stack = stack
        self._silent = False

    def ask(self, what: str, question: Callable[[], T], gone: T | None = None) -> T | None:
        """The answer; None where there is none, with a note that says so about `what`.

        `gone` is the answer where the cloud does not have what is asked for.
        """
        if self._silent:
            return None
        try:
            return question()
        except MlopsError as error:  # boto3 is missing, an emulator hangs
            self._silent = True
            self.notes.append(f"{self._stack} was not asked: {error.message}")
        except Exception as error:
            if not type(error).__module__.startswith(("botocore.", "boto3.")):
                raise
            if gone is not None and is_gone(error):
                return gone
            if is_gone(error) or _code(error) in _ONE_REFUSED:
                self.notes.append(f"not known: {what}: {error}")
            else:
                self._silent = True
                self.notes.append(f"{self._stack} was not asked: {error}")
        return None
