"""`mlops-iac template lint`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlops_iac.cli._session import Session, verb
from mlops_iac.errors import BlueprintInvalid, UsageError

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
    click.Option(
        ["--against"],
        metavar="previous|VERSION|DIR|SOURCE[@VERSION]",
        help="Say what it changes since then, for whom, and whether its version says so.",
    ),
    click.Option(
        ["--first-version"],
        is_flag=True,
        help="With --against previous: pass where no tag is a version of it yet.",
    ),
)
def command(
    session: Session, folder: str, form: Format, against: str | None, first_version: bool
) -> int:
    """Find everything wrong with a template, in one pass; its code is not run.

    With --against, what breaks for whom is told as warnings, what is new or another as notes, and
    a version number that is not honest by semver as an error. `previous` and VERSION are tags of
    the template's own git repository. Exit code 2: there are errors.
    """
    from mlops_iac.api.templates.linting import compare_folder, lint_folder
    from mlops_iac.templates.authoring import PREVIOUS, NothingTagged

    if first_version and against != PREVIOUS:
        raise UsageError("only before the first version is there none", hint="--against previous")
    found = lint_folder(folder)
    if against is None:
        return told(session, found, form, folder)
    try:
        changes, former = compare_folder(folder, against)
    except NothingTagged:
        if not first_version:
            raise
        session.say("No version is tagged yet: there is nothing to compare with.")
        return told(session, found, form, folder)
    except BlueprintInvalid as error:
        here = {(item.file, item.line, item.column, item.code) for item in found}
        more = [i for i in error.diagnostics if (i.file, i.line, i.column, i.code) not in here]
        session.say(f"note: not compared with {against}: what cannot be read cannot be compared")
        return told(session, [*found, *more], form, folder)
    return told(session, [*found, *changes], form, f"{folder} since {former}")


def told(session: Session, found: list[Diagnostic], form: Format, what: str) -> int:
    """Print findings; the exit code that they mean."""
    from mlops_iac.cli._diagnostics import show

    show(found, session, form=form)
    errors = sum(item.severity == "error" for item in found)
    warnings = sum(item.severity == "warning" for item in found)
    session.say(f"{what}: {errors} error(s), {warnings} warning(s)")
    return 2 if errors else 0
