"""How the rest reaches what a stack deployed: in the real cloud, and in the emulated one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mlops_iac.clouds.software import Software
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.emulators.common.info import EmulatorInfo
    from mlops_iac.emulators.provider import Provider

Failure = Literal["gone", "refused", "rejected", "signed out", "silent"]
"""What an exception of a cloud's SDK says.

    gone         the cloud does not have what was asked for
    refused      who asks may not do this one thing
    rejected     it answered, and refused for another reason: most often expired credentials
    signed out   there are no credentials
    silent       nobody answered
"""
# The way to what one stack deployed: clients of the cloud's SDK, for the cloud's own code alone.
# Asks nobody when it is made.
Session = Any


class Place(Record):
    """Where a stack lives, as its cloud calls it; empty where that is not said.

    To others both are text, to compare and to show.
    """

    region: str = ""
    account: str = ""

    def moved(self, other: Place) -> list[tuple[str, str, str]]:
        """`(what, here, there)` for each part that both places say, and say differently."""
        pairs = [
            ("region", self.region, other.region),
            ("account", self.account, other.account),
        ]
        return [each for each in pairs if each[1] and each[2] and each[1] != each[2]]


class Emulator(Protocol):
    """The emulated cloud that lives in one folder, started or not."""

    def ensure(self) -> EmulatorInfo:
        """Start it unless it runs. Raises TimedOut, MlopsError, UsageError."""

    def status(self) -> EmulatorInfo | None:
        """Return it as it is, or None where none was started."""

    def stop(self) -> bool:
        """End it, with all it holds; False where none was running. Raises TimedOut, MlopsError."""

    def session(self, place: Place) -> Session:
        """Return the way to one place of it, started if need be."""

    def providers(
        self, place: Place, endpoint: Callable[[], str], *, serves: str, forced: bool
    ) -> Mapping[str, Provider]:
        """Return its providers by package, for the stack `serves` at a place.

        `endpoint` says where it answers once one of them has to ask. `forced` ones delete what is
        full.
        """

    def exports(self, place: Place) -> str:
        """Say what lets the cloud's own tools reach it: a sentence with commands of a shell."""

    def url(self, place: Place, endpoint: str) -> str:
        """Where the calls of an endpoint are taken over plain HTTP; empty where they are not."""


class Access(Protocol):
    """The way to one cloud's deployed things.

    `variables` begin the names of environment variables that say something about the cloud.
    `workflows` is the folder with what signs CI jobs in, as parts of templates.
    """

    software: Software
    variables: Sequence[str]
    workflows: Path

    def place(self, provider: Mapping[str, Any]) -> Place:
        """Return where a provider with these inputs deploys; they may be JSON texts."""

    def session(
        self, place: Place, provider: Mapping[str, Any] | None = None, *, patient: bool = True
    ) -> Session:
        """Return the way to the real cloud.

        As who deploys by a provider with these inputs, or as the user. One that is not patient
        gives up soon: for somebody who only looks.
        """

    def emulator(self, work: Path) -> Emulator:
        """Return the emulated cloud of a work folder; starts nothing."""

    def failure(self, raised: Exception) -> Failure | None:
        """Return what an exception of the cloud's SDK says; None for one that is not its own."""

    def says_signed_out(self, text: str) -> bool:
        """Whether a provider's message says that credentials are missing or refused."""
