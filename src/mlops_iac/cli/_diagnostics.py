"""Diagnostics for a person or a machine; the forms themselves are the blueprint's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mlops_iac.cli._output import put_commands
from mlops_iac.cli._session import Session
from mlops_iac.errors import Diagnostic

if TYPE_CHECKING:
    from mlops_iac.blueprint.render import Format, Role, Style

_COLORS: dict[str, dict[str, Any]] = {
    "place": {"bold": True},
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "note": {"fg": "cyan"},
    "gutter": {"fg": "bright_black"},
    "caret": {"fg": "red"},
    "hint": {"fg": "cyan"},
}


def style_of(session: Session) -> Style:
    """Return how a session colours the parts of a diagnostic."""

    def style(text: str, role: Role) -> str:
        return session.style(text, **_COLORS[role])

    return style


def show(diagnostics: Sequence[Diagnostic], session: Session, *, form: Format = "text") -> None:
    """Print diagnostics: text on stderr, machine-readable forms on stdout."""
    if not diagnostics and form == "text" and not session.json:
        return
    from mlops_iac.blueprint.render import render

    if form == "text" and session.json:
        form = "json"
    if form == "text":
        if diagnostics:
            click.echo(
                render(diagnostics, style=style_of(session)), err=True, color=session.colored
            )
    elif form == "github":
        put_commands(render(diagnostics, form))
    else:
        session.out(render(diagnostics, form))
