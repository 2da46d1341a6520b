"""`mlops-iac destroy`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from mlops_iac.cli._plan import plan_lines
from mlops_iac.cli._progress import failed_words, progress
from mlops_iac.cli._session import Session, verb
from mlops_iac.errors import ResourceFailed, UsageError
from mlops_iac.graph.model import address_of


@verb(
    "destroy",
    click.Option(["--preview-only"], is_flag=True, help="Show what would be deleted."),
    click.Option(["--diff", "detail"], is_flag=True, help="List every resource."),
    click.Option(["--engine"], type=click.Choice(["embedded", "pulumi"]), help="Which engine."),
    click.Option(["--expired"], is_flag=True, help="Every ephemeral stack whose time is over."),
    rehearses=True,
)
def command(
    session: Session, preview_only: bool, detail: bool, engine: str | None, expired: bool
) -> None:
    """Delete everything the stack made, in reverse order of dependency.

    A protected stack asks for its name, and refuses resources that are protected. Of an ephemeral
    stack the stack itself goes too. --expired deletes ephemeral stacks whose time is over, as they
    were deployed, and no other stack.
    """
    if expired:
        session.require_real("ephemeral stacks")
        from mlops_iac.cli._expired import destroy_expired

        if engine == "embedded" or session.stack != "local":
            raise UsageError(
                "--expired finds the stacks itself, in the backend of the real engine",
                hint="drop -s and --engine",
            )
        destroy_expired(session, preview_only=preview_only)
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
            for line in plan_lines(
                plan, session.style, unchanged=False, detail=detail, fold=("delete",)
            ):
                session.say(line)
            for note in plan.diagnostics:
                session.say(f"note: {note}")
        if preview_only:
            return
        if not plan.changes:
            deployment.release()
            if session.json:
                session.emit_json({"summary": {}, "failures": {}})
            else:
                session.say(f"{session.shown}: there is nothing to delete")
            return
        if plan.changes:
            word = session.stack if project.protected(session.stack) else None
            session.confirm(
                f"Delete {plan.size or len(plan.changes)} resource(s) of {session.shown}?",
                word=word,
            )
        with progress(session, plan) as on_event:
            result = deployment.destroy(on_event=on_event)
    if session.json:
        from mlops_iac.graph.plan import count

        session.emit_json({"summary": count(result.steps), "failures": dict(result.failures)})
    if result.failures:
        raise ResourceFailed(
            f"{len(result.failures)} resource(s) could not be deleted: "
            + failed_words(session, result.failures),
            hint="mend the cause and run `mlops-iac destroy` again",
        )
    kept = [address_of(step.type, step.name) for step in plan.steps if step.retained]
    session.say(f"{session.shown}: {_ended(kept)}")


def _ended(kept: Sequence[str]) -> str:
    if not kept:
        return "everything is deleted"
    are = "is" if len(kept) == 1 else "are"
    return f"all else is deleted; {len(kept)} {are} kept in the cloud: {', '.join(kept)}"
