"""Progress of a deployment: a live view on a terminal, one line an event everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from mlops_iac.cli._output import visible
from mlops_iac.cli._plan import SIGNS, component_title
from mlops_iac.cli._session import Session
from mlops_iac.engine.protocol import Event, OnEvent, Step

if TYPE_CHECKING:
    from rich.text import Text

    from mlops_iac.graph.plan import Plan

VERBS = {
    "create": ("creating", "created"),
    "create-replacement": ("creating replacement of", "created replacement of"),
    "update": ("updating", "updated"),
    "delete": ("deleting", "deleted"),
    "delete-replaced": ("deleting replaced", "deleted replaced"),
    "read": ("reading", "read"),
    "refresh": ("refreshing", "refreshed"),
    "replace": ("replacing", "replaced"),
}
_KEPT = ("keeping", "kept in the cloud:")


def verbs(step: Step) -> tuple[str, str]:
    """Return what is said while a step goes on and when it ended."""
    kept = step.retained and step.op in ("delete", "delete-replaced")
    return _KEPT if kept else VERBS.get(step.op, (step.op, step.op))


def _sign(step: Step) -> tuple[str, str]:
    return SIGNS.get(step.op.split("-", maxsplit=1)[0], ("+", "green"))


@contextmanager
def progress(session: Session, plan: Plan) -> Iterator[OnEvent]:
    """Give a callback that shows events of applying a plan while the block runs.

    Off a terminal that is one line when something ended; nothing for what did not change.
    """
    if session.live and plan.changes:
        with _live(session, plan) as on_event:
            yield on_event
    else:
        lock, reasons = Lock(), set[str]()

        def tell(event: Event) -> None:
            with lock:
                if line := event_line(_once(event, reasons), session):
                    session.say(line)

        yield tell


def failed_words(session: Session, failures: Mapping[str, str]) -> str:
    """The resources that failed; with the reasons where those were not told as they came."""
    told = not session.quiet
    return ", ".join(
        name if told else f"{name}: {why}"
        for urn, why in failures.items()
        if (name := urn.split("::")[-1])
    )


def _once(event: Event, reasons: set[str]) -> Event:
    """The event; a reason that was told of another resource is not told again."""
    if event.kind != "failed":
        return event
    if event.message in reasons:
        return replace(event, message="as above")
    reasons.add(event.message)
    return event


def event_line(event: Event, session: Session) -> str:
    """Return the line of an event, or nothing where there is nothing to tell."""
    step = event.step
    if step is None:
        return event.message if event.kind == "note" else ""
    if not step.in_cloud or step.op == "same":
        return ""
    name = step.address
    match event.kind:
        case "done":
            sign, color = _sign(step)
            notes = "  [recorded, not emulated]" if step.recorded else ""
            verb = verbs(step)[1]
            return f"{session.style(sign, fg=color)} {verb} {name} ({event.seconds:.1f}s){notes}"
        case "failed":
            return f"{session.style('✗', fg='red', bold=True)} {name}: {event.message}"
        case "skipped" if session.verbose:  # of one failure there may be fifty
            return f"{session.style('-', fg='bright_black')} skipped {name}: {event.message}"
        case _:
            return f"  {verbs(step)[0]} {name}" if session.verbose else ""


@contextmanager
def _live(session: Session, plan: Plan) -> Iterator[OnEvent]:
    from rich.console import Console
    from rich.live import Live

    # It moves the cursor, so its own words are made inert where they become text.
    console = Console(file=sys.__stderr__, no_color=not session.colored, highlight=False)
    board = Board(plan)
    with Live(get_renderable=board.draw, console=console, refresh_per_second=10):
        yield board.take


@dataclass
class _Row:
    """The latest of one resource."""

    kind: str
    step: Step
    message: str
    since: float


class Board:
    """What the live view shows: a line per component, and under it only what needs a look.

    What is done is counted, not listed, so that the view stays shorter than the terminal.
    """

    def __init__(self, plan: Plan) -> None:
        self.began = monotonic()
        self._lock = Lock()
        self._rows: dict[str, dict[str, _Row]] = {}
        self._notes: list[str] = []
        self._reasons: set[str] = set()
        self._planned: dict[str, set[str]] = {}
        for step in plan.steps:
            if _shown(step):
                self._planned.setdefault(step.parent, set()).add(step.urn)

    def take(self, event: Event) -> None:
        """Take one event over; called from the engine's threads."""
        with self._lock:
            event = _once(event, self._reasons)
            step = event.step
            if step is None:
                if event.kind == "note" and event.message:
                    self._notes.append(visible(event.message))
            elif _shown(step):
                rows = self._rows.setdefault(step.parent, {})
                rows[step.urn] = _Row(event.kind, step, visible(event.message), monotonic())

    def draw(self) -> Text:
        """Draw the board as it stands."""
        from rich.text import Text

        with self._lock:
            lines: list[Text] = []
            done = total = 0
            for parent, rows in self._rows.items():
                goal = len(self._planned.get(parent, set()) | rows.keys())
                ended = sum(row.kind == "done" for row in rows.values())
                done, total = done + ended, total + goal
                lines.append(_component(parent, rows.values(), ended, goal))
                lines += [
                    _line(row) for row in rows.values() if row.kind not in ("done", "skipped")
                ]
            waiting = [urns for parent, urns in self._planned.items() if parent not in self._rows]
            total += sum(map(len, waiting))
            lines += [Text(note, style="dim") for note in self._notes]
            seconds = f"{monotonic() - self.began:.1f}s"
            lines.append(Text(f"{done} of {total} resources · {seconds}", style="dim"))
            return Text("\n").join(lines)


def _shown(step: Step) -> bool:
    return step.in_cloud and step.op not in ("same", "read")


def _component(parent: str, rows: Collection[_Row], ended: int, goal: int) -> Text:
    from rich.text import Text

    failed = any(row.kind == "failed" for row in rows)
    mark, style = ("✗", "red") if failed else ("✓", "green") if ended == goal else ("…", "yellow")
    recorded = sum(row.kind == "done" and row.step.recorded for row in rows)
    note = f", {recorded} recorded, not emulated" if recorded else ""
    skipped = sum(row.kind == "skipped" for row in rows)
    note += f", {skipped} skipped" if skipped else ""
    return Text.assemble(
        (f"{mark} ", style),
        (visible(component_title(parent)), "bold"),
        (f"  {ended}/{goal}{note}", "dim"),
    )


def _line(row: _Row) -> Text:
    from rich.text import Text

    name = visible(row.step.address)
    if row.kind == "failed":
        return Text.assemble(("    ✗ ", "red"), name, (f": {row.message}", "red"))
    sign, color = _sign(row.step)
    seconds = f"  {monotonic() - row.since:.0f}s"
    style = color.replace("bright_black", "dim")
    return Text.assemble((f"    {sign} ", style), f"{verbs(row.step)[0]} {name}", (seconds, "dim"))
