"""`mlops-iac template init`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from mlops_iac.cli._session import Session, argument, option, verb
from mlops_iac.clouds.registry import DEFAULT
from mlops_iac.clouds.registry import platform as known
from mlops_iac.scaffold.writing import written
from mlops_iac.templates.starter import starter


@verb("init")
def command(
    session: Session,
    name: str = argument(),
    folder: Path | None = argument(
        required=False, metavar="[DIR]", type=click.Path(path_type=Path)
    ),
    platform: str = option("Its first one.", default=DEFAULT, show_default=True),
) -> None:
    """Start the template NAME in DIR, by default a folder of its last name. Overwrites nothing.

    It tests green: change it, and keep it so.
    """
    known(platform)
    target = folder or Path(name.rpartition("/")[2])
    files = starter(name, platform)
    with written(target, files) as paths:
        shown = [os.path.relpath(path) for path in paths]
    if session.json:
        session.emit_json({"written": shown})
        return
    session.say(*(f"  {session.style('wrote', fg='green')} {path}" for path in shown))
    there = shlex.quote(os.path.relpath(target))
    session.say(f"next: mlops-iac template test {there}")
