"""`mlops-iac validate`."""

from __future__ import annotations

import click

from mlops_iac.cli._diagnostics import show
from mlops_iac.cli._session import Session, verb


@verb(
    "validate",
    click.Option(["--strict"], is_flag=True, help="Also name what a production stack lacks."),
    click.Option(
        ["--format", "style"],
        type=click.Choice(["text", "json", "sarif", "github"]),
        default="text",
        help="How to print problems.",
    ),
)
def command(session: Session, strict: bool, style: str) -> int:
    """Check the blueprint in every environment; all problems in one pass.

    Exit code 0: no errors; 2: errors.
    """
    from mlops_iac.api import validate

    path = session.file or "blueprint.yaml"
    diagnostics = validate(path, strict=strict)
    style = "json" if session.json and style == "text" else style
    show(diagnostics, session, style=style)
    if any(item.severity == "error" for item in diagnostics):
        return 2
    if style == "text":
        session.say(f"{session.style('valid', fg='green')}: {path}")
    return 0
