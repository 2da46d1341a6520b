"""Progress of a run: its lines as they come, and under them, on a terminal, the step that goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from mlops_iac.cli._output import visible
from mlops_iac.cli._session import Session

if TYPE_CHECKING:
    from rich.text import Text

    from mlops_iac.pipeline.executor import OnRunEvent, RunEvent


@contextmanager
def progress(session: Session) -> Iterator[OnRunEvent]:
    """Give a callback that shows events of a run while the block runs; a line each off a terminal.

    Why a run ended is what the error says, at the end and once.
    """
    if not session.live:
        yield lambda event: session.say(str(event)) if _told(event) else None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=sys.__stderr__, no_color=not session.colored, highlight=False)
    now = Now()

    def show(event: RunEvent) -> None:
        now.take(event)
        if _told(event):
            console.print(Text(visible(str(event))), soft_wrap=True)

    with Live(get_renderable=now.draw, console=console, refresh_per_second=4, transient=True):
        yield show


def _told(event: RunEvent) -> bool:
    missed = event.kind == "line" and event.message.startswith("mlops-iac gate missed")
    return event.kind != "failed" and not missed


@dataclass
class Now:
    """The step that goes on: which of how many, and for how long."""

    step: str = ""
    at: tuple[int, int] | None = None
    since: float = 0.0

    def take(self, event: RunEvent) -> None:
        """Take an event over; called from the runner's threads."""
        if event.kind == "start":
            self.step, self.at, self.since = event.step, event.at, monotonic()
        elif event.kind in ("done", "reused", "failed"):
            self.step = ""

    def draw(self) -> Text:
        """Draw the line as it stands."""
        from rich.text import Text

        if not self.step:
            return Text()
        minutes, seconds = divmod(int(monotonic() - self.since), 60)
        number = f" ({self.at[0]} of {self.at[1]})" if self.at else ""
        return Text(f"{self.step}{number} · {minutes}:{seconds:02}", style="dim")
