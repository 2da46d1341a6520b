"""`mlops-iac compile`."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_iac.cli._compiled import tell
from mlops_iac.cli._fleet import ALL_STACKS, fleet, given_stack, refuse
from mlops_iac.cli._session import Session, flag, option, verb


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
