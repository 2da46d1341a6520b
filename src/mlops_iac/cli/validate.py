"""`mlops-iac validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlops_iac.cli._diagnostics import show
from mlops_iac.cli._session import Session, verb

if TYPE_CHECKING:
    from mlops_iac.blueprint.render import Format


@verb(
    "validate",
    click.Option(["--strict"], is_flag=True, help="Also name what a production stack lacks."),
    click.Option(
        ["--format", "form"],
        type=click.Choice(["text", "json", "sarif", "github"]),
        default="text",
        help="How to print problems.",
    ),
)
def command(session: Session, strict: bool, form: Format) -> int:
    """Check the blueprint in every environment; all problems in one pass.

    Exit code 0: no errors; 2: errors.
    """
    from mlops_iac.api import validate

    path = session.file or "blueprint.yaml"
    diagnostics = validate(path, strict=strict)
    show(diagnostics, session, form=form)
    if any(item.severity == "error" for item in diagnostics):
        return 2
    if form == "text" and not session.json:
        session.say(f"{session.style('valid', fg='green')}: {path}")
    return 0
