"""`mlops-iac promote --from ENVIRONMENT --to ENVIRONMENT [MODEL]`."""

from __future__ import annotations

from mlops_iac.api.compare.comparisons import comparison
from mlops_iac.api.stacks.promoting import Promotion, promote
from mlops_iac.cli._plan import plan_lines
from mlops_iac.cli._session import Session, argument, flag, option, verb
from mlops_iac.engine.preview_json import to_pulumi_json


@verb("promote", rehearses=True)
def command(
    session: Session,
    model: str | None = argument(required=False),
    source: str = option("What it runs is taken.", "--from", metavar="ENVIRONMENT", required=True),
    target: str = option("Where it is to run.", "--to", metavar="ENVIRONMENT", required=True),
    dry_run: bool = flag("Show it, and write nothing."),
) -> None:
    """Pin in one environment the model versions that another one runs, and preview that.

    MODEL may be left out: then it is about all models that both have. The versions must be
    approved; an image of your own is pinned by its digest. Nothing is trained and nothing deployed:
    the blueprint gets the pins.
    """
    promotion = promote(session.project(), source, target, model)
    writes = promotion.changed and not dry_run
    if not session.json:
        _show(session, promotion)
    if not dry_run:
        promotion.require_real()
    if writes:
        session.confirm(f"Write this into {promotion.file}?")
        promotion.write()
    if session.json:
        preview = dict(to_pulumi_json(promotion.plan))
        session.emit_json({**promotion.as_json(), "written": writes, "preview": preview})
        return
    if writes:
        session.say(f"wrote {promotion.file}")
        reviewed = "" if session.emulated else "mlops-iac compile, have it reviewed, "
        session.say(f"next: {reviewed}mlops-iac up -s {target}")
    elif not promotion.changed:
        session.say(f"nothing to write: {promotion.file} says so already")
    else:
        session.say("nothing was written (--dry-run)")


def _show(session: Session, promotion: Promotion) -> None:
    for pin in promotion.pins:
        where = f" ({promotion.file}:{pin.line} {pin.path})" if pin.line else ""
        session.say(f"{session.style(pin.words, bold=True)}{where}")
        if pin.image and pin.version:
            session.say(f"  image {pin.image}")
        session.say(*(f"  note: {note}" for note in pin.notes))
    session.notes(promotion.notes)
    plan, project = promotion.plan, promotion.project
    against = comparison(project, plan)
    session.say(f"{plan.project} → {session.as_shown(plan.stack)}, compared with {against}")
    session.out(*plan_lines(plan, session.style, unchanged=False, detail=False))
    session.notes(plan.diagnostics)
