"""Diagnostics for a person or a machine; the forms themselves are the blueprint's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mlops_iac.cli._output import put_commands
from mlops_iac.cli._session import Session
from mlops_iac.errors import Diagnostic

if TYPE_CHECKING:
    from mlops_iac.blueprint.render import Format, Style

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
    return lambda text, role: session.style(text, **_COLORS[role])


def show(diagnostics: Sequence[Diagnostic], session: Session, *, form: Format = "text") -> None:
    """Print diagnostics: text on stderr, machine-readable forms on stdout."""
    if form == "text" and session.json:
        form = "json"
    if form == "text" and not diagnostics:
        return
    from mlops_iac.blueprint.render import render

    match form:
        case "text":
            shown = render(diagnostics, style=style_of(session))
            click.echo(shown, err=True, color=session.colored)
        case "github":
            put_commands(render(diagnostics, form))
        case _:
            session.out(render(diagnostics, form))
