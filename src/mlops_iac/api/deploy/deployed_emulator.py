"""Which emulated cloud a stack was deployed to: one that was started anew holds nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_iac.records import Record
from mlops_iac.workfolder import write_durably

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_iac.api.core.project import BaseProject


class DeployedEmulator(Record):
    """The record of it beside the stack's state."""

    project: BaseProject
    stack: str

    @property
    def _file(self) -> Path:
        return self.project.work / "state" / f"{self.stack}.emulator"

    def recorded(self) -> str:
        """The instance that it was deployed to; empty for none."""
        try:
            return self._file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def record(self, instance: str) -> None:
        """Write down that it is deployed to an instance."""
        if self.recorded() != instance:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_durably(self._file, f"{instance}\n".encode())

    @property
    def lost(self) -> bool:
        """Whether that instance is not the one that answers now. Raises TimedOut if it hangs."""
        info = self.project.emulated_cloud.answering()
        return (info.instance if info is not None else "") != self.recorded() != ""
