"""Progress of a deployment: a live tree on a terminal, one line an event everywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from mlops_iac.cli._plan import SIGNS, component_title
from mlops_iac.cli._session import Session
from mlops_iac.engine.protocol import Event, OnEvent, Step
from mlops_iac.graph.model import address_of

if TYPE_CHECKING:
    from rich.tree import Tree

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


@contextmanager
def progress(session: Session) -> Iterator[OnEvent]:
    """Give a callback that shows events while the block runs."""
    if session.live:
        with _live(session) as on_event:
            yield on_event
    else:
        yield _Lines(session)


class _Lines:
    """One line when something ended; nothing for what did not change."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.lock = Lock()

    def __call__(self, event: Event) -> None:
        line = event_line(event, self.session)
        if line:
            with self.lock:
                self.session.say(line)


def event_line(event: Event, session: Session) -> str:
    """Return the line of an event, or nothing where there is nothing to tell."""
    step = event.step
    if step is None:
        return event.message if event.kind == "note" else ""
    if not step.custom or step.type.startswith("pulumi:") or step.op == "same":
        return ""
    name = address_of(step.type, step.name)
    match event.kind:
        case "done":
            sign, color = SIGNS.get(step.op.split("-", maxsplit=1)[0], ("+", "green"))
            notes = "  [recorded, not emulated]" if step.recorded else ""
            verb = VERBS.get(step.op, ("", step.op))[1]
            return f"{session.style(sign, fg=color)} {verb} {name} ({event.seconds:.1f}s){notes}"
        case "failed":
            return f"{session.style('✗', fg='red', bold=True)} {name}: {event.message}"
        case "skipped":
            return f"{session.style('-', fg='bright_black')} skipped {name}: {event.message}"
        case _:
            return f"  {VERBS.get(step.op, (step.op,))[0]} {name}" if session.verbose else ""


@contextmanager
def _live(session: Session) -> Iterator[OnEvent]:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, no_color=not session.colored, highlight=False)
    board = _Board()
    with Live(board.tree(), console=console, refresh_per_second=12, transient=False) as live:

        def on_event(event: Event) -> None:
            board.take(event)
            live.update(board.tree())

        yield on_event


class _Board:
    """What the live tree shows: components, and under each the resources that changed."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.rows: dict[str, dict[str, tuple[str, Step, str]]] = {}
        self.notes: list[str] = []

    def take(self, event: Event) -> None:
        """Take one event over."""
        with self.lock:
            step = event.step
            if step is None:
                if event.message:
                    self.notes.append(event.message)
                return
            if not step.custom or step.type.startswith("pulumi:") or step.op == "same":
                return
            words = {
                "start": "…",
                "done": f"{event.seconds:.1f}s"
                + (" recorded, not emulated" if step.recorded else ""),
            }.get(event.kind, event.message)
            self.rows.setdefault(step.parent, {})[step.urn] = (event.kind, step, words)

    def tree(self) -> Tree:
        """Draw the board as it stands."""
        from rich.text import Text
        from rich.tree import Tree

        marks = {"start": "…", "done": "✓", "failed": "✗", "skipped": "-", "note": " "}
        with self.lock:
            root = Tree(Text("resources", style="bold"), hide_root=True)
            for parent, rows in self.rows.items():
                branch = root.add(Text(component_title(parent), style="bold"))
                for kind, step, words in rows.values():
                    sign, color = SIGNS.get(step.op.split("-", maxsplit=1)[0], ("+", "green"))
                    style = {"failed": "red", "skipped": "dim"}.get(
                        kind, color.replace("bright_black", "dim")
                    )
                    branch.add(
                        Text.assemble(
                            (f"{marks[kind]} {sign} ", style),
                            address_of(step.type, step.name),
                            (f"  {words}", "dim" if kind != "failed" else "red"),
                        )
                    )
            for note in self.notes:
                root.add(Text(note, style="dim"))
            return root
