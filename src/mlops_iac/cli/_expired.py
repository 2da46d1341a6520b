"""`mlops-iac destroy --expired`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_iac.cli._session import Session
from mlops_iac.errors import MlopsError, ResourceFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_iac.api.stacks.ephemeral import RecordedProject
    from mlops_iac.api.stacks.expired import Ended


def destroy_expired(session: Session, *, preview_only: bool) -> None:
    """Show them, ask, and delete one after the other. Raises ResourceFailed if any could not be."""
    from mlops_iac.api.stacks.expired import end, expired

    project = session.project()
    found = expired(project)
    if found.silent and not found.stacks:
        raise next(iter(found.silent.values()))
    for name, error in found.silent.items():
        session.error(f"{name}: {error.message}", error.hint, word="warning")
    if not session.json:
        for item in found.stacks:
            session.say(
                f"  {session.style('-', fg='red')} {item.stack}  from {item.record.base}, until"
                f" {item.record.expires_text}, {len(item.state.resources)} resource(s)"
            )
    if not found.stacks:
        session.say("no ephemeral stack is past its time")
    ended: list[Ended] = []
    if found.stacks and not preview_only:
        session.confirm(f"Delete {len(found.stacks)} ephemeral stack(s)?")
        for item in found.stacks:
            ended.append(end(item))
            _tell(session, ended[-1])
    if session.json:
        session.emit_json({"project": project.name, "expired": _shown(found.stacks, ended)})
    _end(ended, found.silent)


def _end(ended: Sequence[Ended], silent: Mapping[str, MlopsError]) -> None:
    failed = [item.stack for item in ended if item.failures]
    if failed:
        raise ResourceFailed(
            f"{len(failed)} of {len(ended)} stack(s) could not be deleted: {', '.join(failed)}",
            hint="the others are gone; mend the cause and run it again",
        )
    if silent:
        raise MlopsError(
            f"not everything could be asked: {', '.join(silent)}",
            hint="what could be is done; mend the cause and run it again",
        )


def _tell(session: Session, item: Ended) -> None:
    if item.failures:
        session.say(f"{item.stack}: {session.style('kept', fg='red')}: {'; '.join(item.failures)}")
    else:
        session.say(f"{item.stack}: {item.deleted} resource(s) and the stack are deleted")


def _shown(found: Sequence[RecordedProject], ended: Sequence[Ended]) -> list[dict[str, Any]]:
    by_name = {item.stack: item for item in ended}
    return [
        {
            "stack": item.stack,
            "base": item.record.base,
            "expires": item.record.expires_text,
            "resources": len(item.state.resources),
            "destroyed": item.stack in by_name and not by_name[item.stack].failures,
            "failures": list(by_name[item.stack].failures) if item.stack in by_name else [],
        }
        for item in found
    ]
