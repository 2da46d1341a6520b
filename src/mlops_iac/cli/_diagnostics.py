"""Diagnostics for a person or a machine; the forms themselves are the blueprint's."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.cli._session import Session
from mlops_iac.errors import Diagnostic


def show(diagnostics: Sequence[Diagnostic], session: Session, *, style: str = "text") -> None:
    """Print diagnostics: text on stderr, machine-readable forms on stdout."""
    from mlops_iac.blueprint import render

    if style == "text" and session.json:
        style = "json"
    match style:
        case "text":
            if diagnostics:
                session_text = render.text(diagnostics, style=session.style)
                import click

                click.echo(session_text, err=True, color=session.colored)
        case "json":
            session.out(render.json(diagnostics))
        case "sarif":
            session.out(render.sarif(diagnostics))
        case _:
            session.out(render.github(diagnostics))
