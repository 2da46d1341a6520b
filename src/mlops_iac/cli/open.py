"""`mlops-iac open`."""

from __future__ import annotations

import os
import sys
import webbrowser
from typing import Literal

import click

from mlops_iac.cli._session import Session, argument, flag, verb


@verb("open", rehearses=True)
def command(
    session: Session,
    what: Literal["run", "monitor"] = argument(type=click.Choice(["run", "monitor"])),
    name: str | None = argument(metavar="[ID]", required=False),
    no_browser: bool = flag("Print the path alone."),
) -> None:
    """Open the page that a run has left, of a pipeline or of a monitoring: the last one's, or that of ID.

    Of a run it shows metrics against their limits and those of the version in service, what was predicted
    and how groups fare, what has changed since, hyperparameters and trials, checks and profiles of data,
    pictures, and what each step took; of a monitoring what has drifted, metrics and groups. The page is
    one file that needs nothing else; its path is printed. A browser is opened where there is one.

    That of a stack in a real cloud is what its pipeline wrote there: it is fetched, and not opened, because
    whatever runs in a job can write it.

    Exit codes: 0; 2 no such run; 5 nobody is signed in; 6 no such stack. --json: run or monitor (its id),
    path, url, place (in the cloud), opened.
    """
    found = session.deployed().page(what, name, stack=session.stack)
    url = found.path.resolve().as_uri()
    ours = not found.place and not no_browser
    opened = ours and _has_screen(session) and webbrowser.open(url)
    if session.json:
        told = {"path": str(found.path), "url": url, "place": found.place, "opened": opened}
        session.emit_json({what: found.run, **told})
        return
    session.out(str(found.path))
    if found.place:
        session.say(f"from {found.place}")


def _has_screen(session: Session) -> bool:
    """Whether a browser has a window to open: one that runs in the terminal would take it."""
    if session.json or not session.interactive:
        return False
    here = sys.platform in ("darwin", "win32")
    return here or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
