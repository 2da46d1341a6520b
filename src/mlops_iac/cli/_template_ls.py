"""`mlops-iac template ls`."""

from __future__ import annotations

from dataclasses import asdict

from mlops_iac.api.templates.showing import available
from mlops_iac.blueprint.words import one_line
from mlops_iac.cli._session import Session, verb


@verb("ls")
def command(session: Session) -> None:
    """List the templates there are: built-in, those of the blueprint, those of Python packages.

    A package names its templates as entry points of the group `mlops_iac.templates`.
    """
    found = list(available(session.file or "blueprint.yaml"))
    if session.json:
        session.emit_json([asdict(each) for each in found])
        return
    width = max((len(each.source) for each in found), default=0)
    for each in found:
        label = f"{each.name}@{each.version}" if each.name else "?"
        session.out(f"{each.source:<{width}}  {label}  ({each.where})")
        if each.description:
            session.out(
                f"{'':<{width}}  {session.style(one_line(each.description), fg='bright_black')}"
            )
