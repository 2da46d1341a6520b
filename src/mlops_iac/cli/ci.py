"""`mlops-iac ci generate`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mlops_iac.cli._session import Session, verb
from mlops_iac.scaffold.ci import PLATFORMS


@verb(
    "ci",
    click.Argument(["action"], type=click.Choice(["generate"])),
    click.Argument(["platform"], type=click.Choice(PLATFORMS)),
    click.Option(
        ["--root"],
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="The repository's root; default: where its .git is.",
    ),
    click.Option(["--branch"], default="main", show_default=True, help="What is deployed."),
    click.Option(["--check"], is_flag=True, help="Write nothing; fail when a file is stale."),
)
def command(
    session: Session,
    action: str,  # noqa: ARG001 - one word so far
    platform: str,
    root: Path | None,
    branch: str,
    check: bool,
) -> int:
    """Write CI workflows: a preview on every pull request, exact plans applied on merge.

    Pull requests from forks get their preview too, from a job that reads them as data.
    Exit code with --check: 0 fresh, 1 stale.
    """
    from mlops_iac.api import delivering

    files = delivering.workflows(session.project(), platform, root=root, branch=branch)
    told = delivering.stale(files) if check else delivering.write(files)
    paths = [os.path.relpath(path) for path in told]
    if session.json:
        session.emit_json({"stale" if check else "written": paths})
    else:
        word = session.style("stale" if check else "wrote", fg="red" if check else "green")
        for path in paths:
            session.say(f"  {word} {path}")
        if not paths:
            session.say("fresh" if check else "nothing changed")
        elif not check:
            session.say("read the head of each file: what to set up once in the CI system")
    return 1 if check and paths else 0
