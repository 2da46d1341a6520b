"""The emulated cloud of a project, and the providers and sessions that reach it."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING

from mlops_iac.api.core.stack_state import emulated_state
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds import registry
from mlops_iac.clouds.access import Place
from mlops_iac.errors import TimedOut

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.clouds.access import Session
    from mlops_iac.emulators.common.info import EmulatorInfo
    from mlops_iac.emulators.provider import Provider


class EmulatedCloud:
    """The emulated cloud of one project. Nothing is started before something needs it."""

    def __init__(self, project: BaseProject) -> None:
        self.project = project
        self._emulator = project.access.emulator(project.emulator)
        self._url = ""
        self._lock = Lock()

    def ensure(self) -> EmulatorInfo:
        """Start it unless it runs. Raises TimedOut, MlopsError, UsageError."""
        info = self._emulator.ensure()
        self._url = info.url
        return info

    def answering(self) -> EmulatorInfo | None:
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
        return self._emulator.stop()

    def status(self) -> EmulatorInfo | None:
        """Return the emulator as it is, or None where none was started."""
        return self._emulator.status()

    def session(self, stack: str) -> Session:
        """Return the way to what a stack deployed; the emulator is started if need be."""
        return self._emulator.session(self.place(stack))

    def place(self, stack: str) -> Place:
        """Return where a stack was deployed, whatever its blueprint says since."""
        region = emulated_state(self.project, stack).place.region or self.project.region(stack)
        return Place(region, self.account(stack))

    def exports(self, stack: str) -> str:
        """Say what lets the cloud's own tools reach it."""
        return self._emulator.exports(Place(self.project.region(stack), self.account(stack)))

    def url(self, stack: str, endpoint: str) -> str:
        """Where the calls of an endpoint are taken over plain HTTP; empty where they are not."""
        return self._emulator.url(self.place(stack), endpoint)

    def providers(self, stack: str, *, forced: bool = False) -> Mapping[str, Provider]:
        """Return the emulated providers by package, for one stack; `forced` ones delete what is full."""
        return self._emulator.providers(
            Place(self.project.region(stack), self.account(stack)),
            self._endpoint,
            # Whoever captures a real stack for its lock file deploys nothing.
            serves=stack if self.project.emulates(stack) else LOCAL,
            forced=forced,
        )

    def account(self, stack: str) -> str:
        """Return the stack's account; the emulator's own where the blueprint names none."""
        declared = self.project.resolve(stack).blueprint.account
        own = stack == LOCAL or declared is None
        return registry.forms(self.project.platform).account if own else str(declared)
