"""`mlops-iac destroy`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.cli._plan import plan_lines
from mlops_iac.cli._progress import failed_words, progress
from mlops_iac.cli._session import ENGINE, Session, flag, verb
from mlops_iac.errors import MlopsError, ResourceFailed, UsageError
from mlops_iac.graph.plan import count

if TYPE_CHECKING:
    from mlops_iac.api.stacks.ephemeral import RecordedProject
    from mlops_iac.api.stacks.expired import Ended


@verb("destroy", rehearses=True)
def command(
    session: Session,
    preview_only: bool = flag("Show what would be deleted."),
    detail: bool = flag("List every resource.", "--diff"),
    engine: str | None = ENGINE,
    expired: bool = flag("Every ephemeral stack whose time is over."),
) -> None:
    """Delete everything the stack made, in reverse order of dependency.

    A protected stack asks for its name, and refuses resources that are protected. Of an ephemeral
    stack the stack itself goes too. --expired deletes ephemeral stacks whose time is over, as they
    were deployed, and no other stack.
    """
    if expired:
        session.require_real("ephemeral stacks")
        if engine == "embedded" or session.stack != "local":
            raise UsageError(
                "--expired finds the stacks itself, in the backend of the real engine",
                hint="drop -s and --engine",
            )
        _expired(session, preview_only=preview_only)
        return
    project = session.deployed()
    with project.deployment(session.stack, engine=engine) as deployment:
        plan = deployment.plan_destroy()
        if project.rehearsed and project.protected(session.stack) and plan.changes:
            session.say(f"note: {session.stack} is protected; its rehearsal goes all the same")
        if session.json and preview_only:
            from mlops_iac.engine.preview_json import to_pulumi_json

            session.emit_json(to_pulumi_json(plan))
            return
        if not session.json:
            session.say(
                *plan_lines(plan, session.style, unchanged=False, detail=detail, fold=("delete",))
            )
            session.notes(plan.diagnostics)
        if preview_only:
            return
        if not plan.changes:
            deployment.release()
            nothing = f"{session.shown}: there is nothing to delete"
            session.answer({"summary": {}, "failures": {}}, nothing)
            return
        word = session.stack if project.protected(session.stack) else None
        many = plan.size or len(plan.changes)
        session.confirm(f"Delete {many} resource(s) of {session.shown}?", word=word)
        with progress(session, plan) as on_event:
            result = deployment.destroy(on_event=on_event)
    if session.json:
        session.emit_json({"summary": count(result.steps), "failures": dict(result.failures)})
    if result.failures:
        raise ResourceFailed(
            f"{len(result.failures)} resource(s) could not be deleted: "
            + failed_words(session, result.failures),
            hint="mend the cause and run `mlops-iac destroy` again",
        )
    kept = [step.address for step in plan.steps if step.retained]
    done = "everything is deleted"
    if kept:
        are = "is" if len(kept) == 1 else "are"
        done = f"all else is deleted; {len(kept)} {are} kept in the cloud: {', '.join(kept)}"
    session.say(f"{session.shown}: {done}")


def _expired(session: Session, *, preview_only: bool) -> None:
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
            ended.append(done := end(item))
            words = f"{done.deleted} resource(s) and the stack are deleted"
            if done.failures:
                words = f"{session.style('kept', fg='red')}: {'; '.join(done.failures)}"
            session.say(f"{done.stack}: {words}")
    if session.json:
        session.emit_json({"project": project.name, "expired": _shown(found.stacks, ended)})
    failed = [item.stack for item in ended if item.failures]
    if failed:
        raise ResourceFailed(
            f"{len(failed)} of {len(ended)} stack(s) could not be deleted: {', '.join(failed)}",
            hint="the others are gone; mend the cause and run it again",
        )
    if found.silent:
        raise MlopsError(
            f"not everything could be asked: {', '.join(found.silent)}",
            hint="what could be is done; mend the cause and run it again",
        )


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
