"""`mlops-iac open run`."""

from __future__ import annotations

import os
import sys
import webbrowser

import click

from mlops_iac.cli._session import Session, argument, flag, verb


@verb("open")
def command(
    session: Session,
    what: str = argument(type=click.Choice(["run"])),
    name: str | None = argument(metavar="[ID]", required=False),
    no_browser: bool = flag("Print the path alone."),
) -> None:
    """Open the page that a run on this machine has left: the last one's, or that of the run ID.

    It shows metrics against their limits and those of the version in service, hyperparameters and
    trials, checks of data, pictures, and what each step took. The page is one file that needs
    nothing else; its path is printed. A browser is opened where there is one.

    Exit codes: 0; 2 no such run. --json: run, path, url, opened.
    """
    path = session.project().run_report(name)
    url = path.resolve().as_uri()
    opened = not no_browser and _has_screen(session) and webbrowser.open(url)
    if session.json:
        session.emit_json({what: path.parent.name, "path": str(path), "url": url, "opened": opened})
    else:
        session.out(str(path))


def _has_screen(session: Session) -> bool:
    """Whether a browser has a window to open: one that runs in the terminal would take it."""
    if session.json or not session.interactive:
        return False
    here = sys.platform in ("darwin", "win32")
    return here or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
