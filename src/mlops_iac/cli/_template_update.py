"""`mlops-iac template update`."""

from __future__ import annotations

from mlops_iac.api.templates.preparing import prepare
from mlops_iac.api.templates.request import Request
from mlops_iac.api.templates.update import TemplateUpdate, as_json
from mlops_iac.blueprint.words import listed
from mlops_iac.cli._session import Session, argument, flag, option, verb, write_file
from mlops_iac.cli._template_update_words import pinned_words, to_markdown, update_lines
from mlops_iac.errors import BlueprintInvalid, PolicyViolation, UsageError


@verb("update")
def command(
    session: Session,
    template: str | None = argument(metavar="[NAME|SOURCE]", required=False),
    to: str | None = option(
        "This version, also one outside of the range, or older.", metavar="VERSION"
    ),
    preview_only: bool = flag("Show what it does; write nothing."),
    markdown: str | None = option("Write it as the description of a pull request.", metavar="FILE"),
    offline: bool = flag("Ask no network; what is cached counts."),
    no_team_rules: bool = flag("Do not run rules of the team or of templates."),
    template_rules: bool = flag(
        "Run rules of versions that are not pinned yet, too; they are code."
    ),
    detail: bool = flag("Every property, also of what is created.", "--diff"),
) -> None:
    """Take the newest version of the blueprint's templates that fits, after showing what it does.

    Without a name, all of them. Changes `blueprint.lock`, and the blueprint where a template's
    migrations or --to ask for it; only when told to.
    """
    if no_team_rules and template_rules:
        raise UsageError("--no-team-rules and --template-rules exclude each other")
    request = Request(
        template or "", (to or "").removeprefix("v"), offline, not no_team_rules, template_rules
    )
    update = prepare(session.file or "blueprint.yaml", request)
    if markdown is not None:
        write_file(markdown, to_markdown(update))
    writing = update.needed and not update.refused and not preview_only
    asked = session.yes or session.interactive
    if session.json and not (writing and asked):
        session.emit_json(as_json(update, written=False))
    elif not session.json:
        _show(session, update, detail=detail)
    if update.refused:
        _refuse(session, update)
    if not writing:
        return
    names = listed(each.shown for each in update.files if each.old != each.new)
    session.confirm(f"Write {names}?")
    update.write()
    if session.json:
        session.emit_json(as_json(update, written=True))
    session.say(f"wrote {names}; next: `mlops-iac compile`")


def _show(session: Session, update: TemplateUpdate, *, detail: bool) -> None:
    session.out(*update_lines(update, session.style, detail=detail))
    session.notes(update.notes)
    if not update.needed:
        session.say(f"nothing to update: {update.blueprint} {pinned_words(update)}")


def _refuse(session: Session, update: TemplateUpdate) -> None:
    """Raise what refuses the update; under --json it stands in the document already."""
    refused = f"the update of {update.blueprint} is refused, nothing was written"
    if update.problems:
        if session.json:
            first = update.problems[0]
            raise UsageError(f"{refused}: {first.message}", hint=first.hint)
        session.say(f"{refused}:")
        raise BlueprintInvalid(update.problems)
    rules = listed(dict.fromkeys(finding.rule for _, finding in update.broken))
    first_stack, finding = update.broken[0]
    raise PolicyViolation(
        f"{refused}: {first_stack} would break {rules}: {finding.message}", hint=finding.remediation
    )
