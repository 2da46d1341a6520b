"""`mlops-iac status`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mlops_iac.cli._plan import component_title
from mlops_iac.cli._session import Session, flag, verb
from mlops_iac.cli._words import one_line, short_time
from mlops_iac.clouds.operations import REJECTED, ROLLED_BACK, WAITING

if TYPE_CHECKING:
    from mlops_iac.api.status.models import ModelState
    from mlops_iac.api.status.status import Status
    from mlops_iac.clouds.operations import AlarmState, Entry, LastRun, Rollout, Variant

_COLORS = {"InService": "green", "Failed": "red", "Missing": "red", "OutOfService": "red"}
_RUNS = {
    "registered": ("registered a version", "green"),
    "published": ("published its output", "green"),
    "gate-failed": ("missed a gate", "red"),
    "failed": ("failed", "red"),
    "stopped": ("was stopped", "yellow"),
    "running": ("goes on", "yellow"),
}
_APPROVALS = {REJECTED: "rejected", WAITING: "not approved"}
_SHOWN = 3


@verb("status", rehearses=True)
def command(
    session: Session,
    resources: bool = flag("List every resource with its id, too."),
) -> None:
    """Show what serves: endpoints, versions, traffic, alarms, the last run, what comes next.

    A real stack is asked with the credentials of whoever deploys it; what cannot be asked is said,
    and the exit code is 0 all the same.

    Exit codes: 0; 2 the blueprint or an option; 3 nobody is signed in at the backend; 6 no such
    stack. --json has all of it: project, stack, entries[], models[], alarms[], next[], resources[],
    pending[], notes[]; docs/running.md says what stands in each.
    """
    report = session.deployed().status(session.stack)
    if session.json:
        said = report.as_json()
        session.emit_json({**said, "next": [session.typed(each) for each in said["next"]]})
        return
    session.out(f"{report.project} → {session.shown}: {report.headline}")
    session.out(*_standing(session, report))
    if resources:
        for parent, rows in report.by_component().items():
            session.out(session.style(component_title(parent), bold=True))
            for row in rows:
                note = "  [recorded, not emulated]" if row.recorded else ""
                note += "  [protected]" if row.protect else ""
                session.out(f"  {row.address}  {session.style(row.id, fg='bright_black')}{note}")
    session.notes(report.notes)
    if report.next:
        session.say(f"next: {', '.join(report.next)}")


def _standing(session: Session, report: Status) -> Iterator[str]:
    if report.rows:
        for entry in report.entries:
            yield from _entry(session, entry, report)
    for model in report.models:
        yield from _model(session, model)
    others = [alarm for alarm in report.alarms if not alarm.endpoint]
    if others:
        yield from _alarms(session, others, "")


def _entry(session: Session, entry: Entry, report: Status) -> Iterator[str]:
    title = session.style(entry.name, bold=True)
    if entry.pipeline:
        needs = f"; before it can: {entry.missing}" if entry.missing else ""
        yield f"{title}  {_run(session, entry.last_run)}{needs}"
        return
    if not entry.endpoint:
        yield f"{title}  no endpoint yet" + (f": {entry.missing}" if entry.missing else "")
        return
    state = session.style(entry.state or "state not known", fg=_COLORS.get(entry.state, "yellow"))
    local = session.is_local
    since = f" since {short_time(entry.since)}" if entry.since else ""
    yield f"{title}  {state}{' (emulated)' if local and entry.state else ''}{since}  {entry.endpoint}"
    for variant in entry.variants:
        yield f"  {_variant(variant)}"
    if entry.rollout is not None:
        yield f"  {_rollout(session, entry.rollout)}"
    alarms = [each for each in report.alarms if each.endpoint == entry.endpoint]
    if alarms:
        yield from _alarms(session, alarms, "  ")


def _variant(variant: Variant) -> str:
    percent = "" if variant.percent is None else f" {variant.percent:g} %"
    parts = [f"{variant.name}{percent}{' in shadow' if variant.shadow else ''}"]
    if variant.version:
        parts.append(f"{variant.model}/{variant.version}")
    if variant.approved:
        by = f" by {variant.by}" if variant.by else ""
        parts.append(f"approved {short_time(variant.approved)}{by}")
    elif variant.version:
        parts.append(_APPROVALS.get(variant.approval, "approval not known"))
    if variant.run:
        parts.append(f"run {variant.run}")
    if variant.metrics:
        parts.append(_metrics(variant.metrics))
    if variant.instances is not None:
        parts.append(f"{variant.instances} instance{'' if variant.instances == 1 else 's'}")
    return "  ".join(parts)


def _rollout(session: Session, rollout: Rollout) -> str:
    versions = ", ".join(rollout.versions) or "a configuration"
    since = short_time(rollout.since)
    if rollout.state == ROLLED_BACK:
        state = session.style(f"{rollout.state} from {versions}", fg="red")
        return f"{state} {since}: {rollout.why}"
    return f"{session.style(f'rollout of {versions}', fg='yellow')} since {since}: {rollout.why}"


def _alarms(session: Session, alarms: list[AlarmState], indent: str) -> Iterator[str]:
    loud = [alarm for alarm in alarms if alarm.state == "ALARM"]
    for alarm in loud:
        word = session.style("ALARM", fg="red", bold=True)
        yield f"{indent}{word} {alarm.name} since {short_time(alarm.since)}: {alarm.reason}"
    quiet = [alarm for alarm in alarms if alarm.state and alarm.state != "ALARM"]
    silent = sum(alarm.state == "INSUFFICIENT_DATA" for alarm in quiet)
    words = [f"{len(quiet) - silent} in order"] if len(quiet) > silent else []
    words += [f"{silent} without data"] if silent else []
    unknown = len(alarms) - len(loud) - len(quiet)
    emulated = session.is_local
    words += [f"{unknown} {'not measured here' if emulated else 'not known'}"] * bool(unknown)
    if words:
        yield f"{indent}alarms: {', '.join(words)}"


def _model(session: Session, model: ModelState) -> Iterator[str]:
    title = session.style(f"model {model.name}", bold=True)
    yield f"{title}  {_run(session, model.last_run)}" if model.pipeline else title
    for each in model.waiting[:_SHOWN]:
        metrics = f"  {_metrics(each.metrics)}" if each.metrics else ""
        yield (
            f"  {model.name}/{each.version} waits for approval since"
            f" {short_time(each.registered)}{metrics}"
        )
    if len(model.waiting) > _SHOWN:
        yield f"  and {len(model.waiting) - _SHOWN} older ones"


def _run(session: Session, run: LastRun | None) -> str:
    if run is None:
        return "no run yet"
    words, color = _RUNS[run.status]
    step = f" in {run.step}" if run.step else ""
    reason = f": {one_line(run.reason)}" if run.reason else ""
    when = f"{short_time(run.started)}  {run.id}"
    return f"last run {when} {session.style(words, fg=color)}{step}{reason}"


def _metrics(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{key} {value:g}" for key, value in sorted(metrics.items()))
