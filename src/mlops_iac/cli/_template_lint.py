"""`mlops-iac template lint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlops_iac.cli._session import Session, verb

if TYPE_CHECKING:
    from mlops_iac.blueprint.render import Format
    from mlops_iac.errors import Diagnostic


@verb(
    "lint",
    click.Argument(["folder"], required=False, default=".", metavar="[DIR]"),
    click.Option(
        ["--format", "form"],
        type=click.Choice(["text", "json", "sarif", "github"]),
        default="text",
        help="How to print findings.",
    ),
)
def command(session: Session, folder: str, form: Format) -> int:
    """Find everything wrong with a template, in one pass; its code is not run.

    Exit code 2: there are errors. Warnings and notes fail nothing.
    """
    from mlops_iac.api.template_linting import lint_folder

    return told(session, lint_folder(folder), form, folder)


def told(session: Session, found: list[Diagnostic], form: Format, what: str) -> int:
    """Print findings; the exit code that they mean."""
    from mlops_iac.cli._diagnostics import show

    show(found, session, form=form)
    errors = sum(item.severity == "error" for item in found)
    warnings = sum(item.severity == "warning" for item in found)
    session.say(f"{what}: {errors} error(s), {warnings} warning(s)")
    return 2 if errors else 0
