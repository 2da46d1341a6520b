"""What is known of the process that is an emulated cloud."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

State = Literal["running", "lost", "silent"]
"""The state of an emulator.

    running   answers, and is the instance that was started
    lost      was started once, the process is gone: deployed resources are lost
    silent    the process is there and does not answer
"""


@dataclass(frozen=True, slots=True)
class EmulatorInfo:
    """The emulator of one project. `started` is a Unix time in seconds, `began` the system's own.

    `label` is what people call the cloud. `instance` is another one after every start.
    """

    label: str
    port: int
    pid: int
    instance: str
    started: float
    state: State
    log: Path
    began: str
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        """Where it answers the cloud's own clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self.state == "running"

    @property
    def message(self) -> str:
        """One sentence for `local status`."""
        named = f"The emulated {self.label}"
        match self.state:
            case "running":
                return f"{named} answers at {self.url} (process {self.pid})."
            case "lost":
                return (
                    f"{named} is no longer running; what was deployed to it is lost. "
                    "`mlops-iac up` starts a new one and creates everything again."
                )
            case "silent":
                return f"{named} (process {self.pid}) does not answer at {self.url}."
