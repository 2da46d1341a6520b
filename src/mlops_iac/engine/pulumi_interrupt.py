"""Ctrl-C while the real CLI runs: it ends in order by itself, and lets its stack go.

A terminal sends Ctrl-C to the CLI as well, and it must not hear of it twice: the second is an end at
once, which leaves the stack locked. So nothing is raised before the CLI has ended. SIGTERM, which CI
systems and orchestrators send to this process alone, is passed on to it.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from mlops_iac.engine.embedded.interrupt import Interrupt

_CLI = "pulumi"


class PulumiInterrupt(Interrupt):
    """As `Interrupt`, with the CLI's processes told of a SIGTERM."""

    def _hear(self, number: int, frame: FrameType | None) -> None:
        super()._hear(number, frame)
        if number == signal.SIGTERM:
            for process in _running():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGINT)


@contextlib.contextmanager
def in_order() -> Iterator[None]:
    """Raises KeyboardInterrupt after what ran in it, where it was asked for meanwhile."""
    with PulumiInterrupt() as interrupt:
        try:
            yield
        except Exception:
            if interrupt.requested():
                raise KeyboardInterrupt from None
            raise
    if interrupt.requested():
        raise KeyboardInterrupt


def _running() -> list[int]:
    """The CLI's processes among our children; none where the system does not say.

    Source: Linux, proc_pid_task(5) `children`, proc_pid_comm(5).
    """
    try:
        tasks = [each / "children" for each in Path("/proc/self/task").iterdir()]
        children = [child for each in tasks for child in each.read_text().split()]
        return [int(child) for child in children if _name(child) == _CLI]
    except OSError:
        return []


def _name(process: str) -> str:
    return Path("/proc", process, "comm").read_text().strip()


__all__ = ["PulumiInterrupt", "in_order"]
