"""`mlops-iac models ls | show | approve | reject`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from mlops_iac.cli._session import Session, argument, option, verb
from mlops_iac.cli._words import one_line, short_time
from mlops_iac.clouds.operations import APPROVED, REJECTED
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.deploy.registry import Registry
    from mlops_iac.api.project import Project
    from mlops_iac.clouds.operations import Entry, Version


@verb("models", rehearses=True)
def command(
    session: Session,
    action: str = argument(type=click.Choice(["ls", "show", "approve", "reject"])),
    model: str | None = argument(required=False),
    version: str | None = argument(required=False),
    comment: str = option("Why; kept with the approval.", metavar="TEXT", default=""),
) -> None:
    """List, show, approve and reject registered model versions.

    MODEL may be left out where the blueprint has one; VERSION is a number or `latest`. An
    approval serves nothing by itself: the next `mlops-iac up` does.

    Exit codes: 0; 2 no such model or version; 3 nobody is signed in; 6 no such stack. --json: a
    version is {model, version, status, id, created, metrics, comment, decided, by, details}; ls a
    list, with `serves` and `rolled_back` besides: null, or {entry, since, why} of an entry that went
    back from it.
    """
    project = session.deployed()
    if model and version is None and (model == "latest" or model.isdigit()):
        model, version = None, model
    if model and "/" in model and version is None:
        model, version = model.split("/", 1)
    registry = project.registry(session.stack)
    of = session.of
    if action == "ls":
        versions = registry.versions(model)
        serving = registry.serving()
        entries = registry.rolled_back() if serving else []
        back = {each.id: _back(each, entries) for each in versions}
        serves = {
            each.id
            for each in versions
            if (each.id in serving and not back[each.id]) or _runs(each, entries)
        }
        if session.json:
            told = [
                {**each.as_json(), "serves": each.id in serves, "rolled_back": back[each.id]}
                for each in versions
            ]
            session.emit_json(told)
            return
        for each in versions:
            session.out(_line(session, each, serves=each.id in serves))
            if went := back[each.id]:
                words = session.style("rolled back", fg="red")
                session.out(f"  {went['entry']} {words} {short_time(went['since'])}: {went['why']}")
        if not versions:
            with project.deployment(session.stack) as deployment:
                lost = [*deployment.notes()] if deployment.lost else []
            then = f"no versions yet; {registry.trained_by} trains and registers one"
            session.say(f"note: {lost[0]}; versions are gone with it" if lost else then)
        return
    if action in ("approve", "reject") and version is None:
        raise UsageError(
            f"which version? {action} needs MODEL VERSION",
            hint=f"see `mlops-iac models ls{of}`, then `mlops-iac models {action}{of} MODEL VERSION`",
        )
    if action == "show":
        found = registry.version(model, version or "latest")
        session.emit_json(found.as_json(), whole=not session.json)
        return
    decided = registry.decide(model, version or "", approve=action == "approve", comment=comment)
    if session.json:
        session.emit_json(decided.as_json())
    else:
        session.say(f"{decided.model}/{decided.version} is {decided.status}")
        session.say(*_then(session, project, registry, decided))


def _back(version: Version, entries: Sequence[Entry]) -> dict[str, str] | None:
    """The entry that went back from a version, when and why."""
    for each in entries:
        if each.rollout and f"{version.model}/{version.version}" in each.rollout.versions:
            return {"entry": each.name, "since": each.rollout.since, "why": each.rollout.why}
    return None


def _runs(version: Version, entries: Sequence[Entry]) -> bool:
    """Whether one of them went back to a version."""
    meant = (version.model, str(version.version))
    return any((each.model, each.version) == meant for entry in entries for each in entry.variants)


def _line(session: Session, version: Version, *, serves: bool) -> str:
    """What it is, what it reached, who decided about it, and whether it serves."""
    color = {APPROVED: "green", REJECTED: "red"}.get(version.status, "yellow")
    parts = [
        f"{version.model}/{version.version}",
        session.style(version.status, fg=color),
        f"{version.created:%Y-%m-%d %H:%M}",
        " ".join(f"{key}={value:g}" for key, value in sorted(version.metrics.items())),
        "serves" if serves else "",
    ]
    if version.decided:
        by = f" by {version.by}" if version.by else ""
        why = f": {one_line(version.comment)}" if version.comment else ""
        parts.append(f"{version.status.lower()} {short_time(version.decided)}{by}{why}")
    return "  ".join(part for part in parts if part)


def _then(
    session: Session, project: Project, registry: Registry, decided: Version
) -> Iterator[str]:
    """What comes next, and what a version that was rejected does until then."""
    record = getattr(project, "record", None)  # that of an ephemeral stack
    up = f"mlops-iac up{session.of}" + (f" --from {record.base}" if record is not None else "")
    if decided.status == APPROVED:
        yield f"next: {up}"
    elif registry.serves(decided):
        left = registry.approved(decided.model)
        refused = "no other is approved, and `up` is refused until one is"
        then = f"`{up}` goes back to {decided.model}/{left}" if left else refused
        yield f"note: {session.shown} serves it still; {then}"
