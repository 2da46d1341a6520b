"""How what is deployed to the fake cloud is reached: only the emulated one is there at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fake_cloud.emulator.provider import FakeProvider
from fake_cloud.emulator.world import Gone, World
from mlops_iac.clouds.access import Failure, Place
from mlops_iac.clouds.software import Software
from mlops_iac.emulators.common.info import EmulatorInfo
from mlops_iac.emulators.provider import Provider


class SignedOut(Exception):
    """Nobody has credentials for a cloud that is none."""


class NoWorld:
    """The way to the real cloud: whoever asks is not signed in."""

    def __getattr__(self, name: str) -> Any:
        raise SignedOut("there are no fake credentials")


class FakeEmulator:
    """One file and its objects. There is no process, so it runs as soon as it is made."""

    def __init__(self, work: Path) -> None:
        self._world = World(work / "emulator")

    def ensure(self) -> EmulatorInfo:
        self._world.make()
        return self._info()

    def status(self) -> EmulatorInfo | None:
        return self._info() if self._world.file.is_file() else None

    def stop(self) -> bool:
        there = self._world.file.is_file()
        shutil.rmtree(self._world.folder, ignore_errors=True)
        return there

    def session(self, place: Place) -> World:
        self._world.make()
        return self._world

    def providers(
        self, place: Place, endpoint: Callable[[], str], *, serves: str, forced: bool
    ) -> Mapping[str, Provider]:
        return {"fake": FakeProvider(self._world, endpoint, serves=serves)}

    def exports(self, place: Place) -> str:
        return f"For your eyes:\n  less {self._world.file}"

    def url(self, place: Place, endpoint: str) -> str:
        return ""

    def _info(self) -> EmulatorInfo:
        log, instance = self._world.folder / "log", str(self._world.read()["instance"])
        return EmulatorInfo("Fake", 1, 1, instance, 0.0, "running", log, "", "")


class FakeAccess:
    """How what is deployed to the fake cloud is reached."""

    software = Software(
        extra="",
        distributions=("mlops-iac-fake", "pulumi-fake"),
        emulator=(),
        modules=frozenset(("fake_cloud", "pulumi_fake")),
        emulator_modules=frozenset(),
        warm=("fake_cloud.emulator.provider", "pulumi_fake"),
        compiled=(),
    )
    variables: Sequence[str] = ("FAKE_",)
    workflows = Path(__file__).parent / "workflows"

    def place(self, provider: Mapping[str, Any]) -> Place:
        return Place(str(provider.get("region") or ""), str(provider.get("account") or ""))

    def session(
        self, place: Place, provider: Mapping[str, Any] | None = None, *, patient: bool = True
    ) -> NoWorld:
        return NoWorld()

    def emulator(self, work: Path) -> FakeEmulator:
        return FakeEmulator(work)

    def failure(self, raised: Exception) -> Failure | None:
        match raised:
            case SignedOut():
                return "signed out"
            case Gone():
                return "gone"
            case _:
                return None

    def says_signed_out(self, text: str) -> bool:
        return "fake credentials" in text
