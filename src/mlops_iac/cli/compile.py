"""`mlops-iac compile`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_iac.cli._fleet import ALL_STACKS, fleet, given_stack, refuse
from mlops_iac.cli._session import Session, flag, option, verb

if TYPE_CHECKING:
    from mlops_iac.api.compile.compiling import Compiled
    from mlops_iac.api.project import Project


@verb("compile")
def command(
    session: Session,
    out: Path | None = option(
        "Where to; default stacks/NAME, in the nearest `stacks` folder of the repository.",
        type=click.Path(path_type=Path),
    ),
    check: bool = flag("Write nothing; fail when the program is stale."),
    folder: str | None = ALL_STACKS,
) -> int:
    """Write the Pulumi program, its configuration per environment, and a lock file per stack.

    A program is one for all environments, whatever -s says.

    Exit code with --check: 0 fresh, 1 stale.
    """
    if folder is not None:
        from mlops_iac.api.fleet import Compile

        refuse(session, out=out)
        return fleet(session, folder, Compile(given_stack(), check))
    project = session.project()
    if given_stack():
        project.resolve(given_stack())  # says which there are
    if check:
        reasons = project.stale(out)
        if session.json:
            session.emit_json({"fresh": not reasons, "reasons": reasons})
        elif reasons:
            session.error("the compiled program is stale", "run `mlops-iac compile` and commit")
            session.say(*(f"  {reason}" for reason in reasons))
        else:
            session.say("fresh")
        return 1 if reasons else 0
    tell(session, project, project.compile(out))
    return 0


def tell(session: Session, project: Project, compiled: Compiled) -> None:
    """Name the files, and what is to be known besides."""
    left_out = session.tell_left_out(project)
    session.notes(compiled.notes)
    where = os.path.relpath(compiled.out)
    if session.json:
        session.emit_json(
            {
                "out": where,
                "written": [str(path) for path in compiled.written],
                "stacks": list(compiled.stacks),
                "left_out": left_out,
                "notes": list(compiled.notes),
            }
        )
    else:
        for path in compiled.written:
            word, color = ("wrote", "green") if path.exists() else ("removed", "yellow")
            session.say(f"  {session.style(word, fg=color)} {os.path.relpath(path)}")
        gone = sum(not path.exists() for path in compiled.written)
        words = f"{len(compiled.written) - gone} file(s) written" if compiled.written else ""
        words = f"{words}, {gone} removed" if gone else words or "nothing changed"
        stacks = f"stacks {', '.join(compiled.stacks)}" if compiled.stacks else "no stack but local"
        session.say(f"{where}: {words}; {stacks}")
