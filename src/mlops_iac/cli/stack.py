"""`mlops-iac stack ls | export | add | rm`."""

from __future__ import annotations

import click

from mlops_iac.api.deploy.states import export
from mlops_iac.api.stacks.environments import add_environment, removable, remove_environment
from mlops_iac.api.stacks.listing import Row, stacks, told
from mlops_iac.cli._session import Session, argument, flag, option, verb
from mlops_iac.cli._width import columns, folded
from mlops_iac.errors import BlueprintInvalid, UsageError

_COLORS = {
    "agrees": "green",
    "uncommitted": "yellow",
    "differs": "yellow",
    "nothing": "bright_black",
    "unknown": "yellow",
}


@verb("stack", rehearses=True)
def command(
    session: Session,
    action: str = argument(type=click.Choice(["ls", "export", "add", "rm"])),
    name: str | None = argument(required=False),
    offline: bool = flag("With ls: ask no backend for states."),
    base: str | None = option(
        "With add: begin with this one's overlay.", "--from", metavar="ENVIRONMENT"
    ),
    force: bool = flag(
        "With rm and --yes: nothing is left of a stack whose state cannot be asked."
    ),
) -> None:
    """Show every stack; export a stack's state; add and remove environments.

    ls: what each adds to the blueprint, where it is, whether the compiled program is what the
    blueprint gives and the state what the program says, and who updated it when; ephemeral ones
    with their end. export: the state as the engine keeps it, secrets encrypted. add and rm change
    the blueprint; an environment that still has resources is not removed.
    """
    if base is not None and action != "add":
        raise UsageError("--from is for `stack add`", hint="drop it")
    if force and (action != "rm" or not session.yes):
        raise UsageError("--force is for `stack rm --yes`", hint="drop it")
    if offline and action != "ls":
        raise UsageError("--offline is for `stack ls`", hint="drop it")
    if session.emulated and action in ("add", "rm"):
        raise UsageError(f"`stack {action}` changes the blueprint", hint="leave --emulated out")
    if action == "ls":
        if name:
            raise UsageError("`stack ls` takes no name", hint="it shows every stack")
        _ls(session, offline=offline)
    elif action == "export":
        _export(session, name)
    elif not name:
        raise UsageError(f"which environment? `stack {action}` takes a name")
    elif action == "add":
        _add(session, name, base)
    else:
        _rm(session, name, force=force)


def _ls(session: Session, *, offline: bool) -> None:
    found = stacks(session.project(), offline=offline)
    if session.json:
        session.emit_json(found.as_json())
        return
    wide = max(len(session.as_shown(row.stack)) for row in found.rows)
    places = [f"{row.account or 'no account'} {row.region}" for row in found.rows]
    far = max(map(len, places))
    width = columns()
    for row, place in zip(found.rows, places, strict=True):
        title = session.style(f"{session.as_shown(row.stack):<{wide}}", bold=True)
        kept = "protected" if row.protect else "unprotected"
        session.out(f"{title}  {place:<{far}}  {kept:<11}  {_words(session, row)}")
        for line in _details(row):
            for part in folded(line, " · ", width - wide - 2 if width else 0):
                session.out(f"{'':<{wide}}  {session.style(part, fg='bright_black')}")
    session.notes(found.notes)


def _words(session: Session, row: Row) -> str:
    program = session.style(f"program {row.program}", fg=_COLORS[row.program])
    state = session.style(f"state {row.state}", fg=_COLORS[row.state])
    if row.ephemeral:
        end = "expired" if row.expired else "until"
        return session.style(f"ephemeral, {end} {row.expires}", fg="red" if row.expired else "cyan")
    return f"{program}, {state}"


def _details(row: Row) -> list[str]:
    lines = []
    if row.headlines:
        count = f"{told(row.adds)} of its own: " if row.adds else ""
        lines.append(f"{count}{' · '.join(row.headlines)}")
    if row.program in ("differs", "unknown"):
        lines.append(f"program: {row.program_why}")
    if row.state_why and row.state in ("agrees", "differs"):
        lines.append(f"state: {row.state_why}")
    if row.updated:
        lines.append(f"{row.resources} resources, updated {row.updated} by {row.engine}")
    return lines


def _export(session: Session, name: str | None) -> None:
    if name and session.stack not in ("local", name):
        raise UsageError(f"-s says {session.stack}, and {name} is named", hint="name one")
    session.stack = name or session.stack
    session.emit_json(export(session.deployed(), session.stack), whole=True)


def _add(session: Session, name: str, base: str | None) -> None:
    told = add_environment(session.file or "blueprint.yaml", name, base)
    session.answer(told.as_json(), str(told))


def _rm(session: Session, name: str, *, force: bool) -> None:
    path = session.file or "blueprint.yaml"
    removable(path, name)
    session.confirm(f"Remove the environment {name} from the blueprint?")
    try:
        told = remove_environment(path, name, gone=force)
    except BlueprintInvalid:
        if not session.json:
            session.say(f"without {name} {path} is not valid, nothing was removed:")
        raise
    session.answer(told.as_json(), str(told))
