"""`mlops-iac compile`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mlops_iac.cli._fleet import all_stacks, fleet, given_stack, refuse
from mlops_iac.cli._session import Session, verb


@verb(
    "compile",
    click.Option(
        ["--out"],
        type=click.Path(path_type=Path),
        help="Where to; default stacks/NAME, in the nearest `stacks` folder of the repository.",
    ),
    click.Option(["--check"], is_flag=True, help="Write nothing; fail when the program is stale."),
    all_stacks(),
)
def command(session: Session, out: Path | None, check: bool, folder: str | None) -> int:
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
            for reason in reasons:
                session.say(f"  {reason}")
        else:
            session.say("fresh")
        return 1 if reasons else 0
    compiled = project.compile(out)
    left_out = session.tell_left_out(project)
    where = os.path.relpath(compiled.out)
    if session.json:
        session.emit_json(
            {
                "out": where,
                "written": [str(path) for path in compiled.written],
                "stacks": list(compiled.stacks),
                "left_out": left_out,
            }
        )
    else:
        for path in compiled.written:
            done = session.style("wrote", fg="green")
            if not path.exists():
                done = session.style("removed", fg="yellow")
            session.say(f"  {done} {os.path.relpath(path)}")
        gone = sum(not path.exists() for path in compiled.written)
        words = f"{len(compiled.written) - gone} file(s) written" if compiled.written else ""
        words = f"{words}, {gone} removed" if gone else words or "nothing changed"
        stacks = f"stacks {', '.join(compiled.stacks)}" if compiled.stacks else "no stack but local"
        session.say(f"{where}: {words}; {stacks}")
    return 0
