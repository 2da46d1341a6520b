"""`mlops-iac completion`."""

from __future__ import annotations

import click

from mlops_iac.cli._session import Session, argument, verb


@verb("completion")
def command(
    session: Session,
    shell: str = argument(type=click.Choice(["bash", "zsh", "fish"])),
) -> None:
    """Print the completion script of a shell; source it from the shell's start-up file."""
    from click.shell_completion import get_completion_class

    from mlops_iac.cli._app import root

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(root, {}, "mlops-iac", "_MLOPS_IAC_COMPLETE").source()
    if session.json:
        session.emit_json({"shell": shell, "script": script})
    else:
        session.out(script)
