"""`mlops-iac refresh`."""

from __future__ import annotations

from mlops_iac.cli._plan import step_lines
from mlops_iac.cli._session import ENGINE, Session, flag, verb


@verb("refresh", rehearses=True)
def command(
    session: Session,
    preview_only: bool = flag("Show what drifted; change nothing."),
    engine: str | None = ENGINE,
) -> None:
    """Compare the state with what exists, and take over what vanished or drifted."""
    project = session.project()
    with project.deployment(session.stack, engine=engine) as deployment:
        result = deployment.refresh(preview_only=preview_only)
    changed = [step for step in result.steps if step.op not in ("same", "read")]
    if session.json:
        session.emit_json(
            {
                "changed": [
                    {"urn": step.urn, "op": step.op, "paths": [c.path for c in step.changes]}
                    for step in changed
                ],
                "written": bool(changed) and not preview_only,
            }
        )
        return
    for step in changed:
        session.out(*step_lines(step, session.style, detail=True))
    if not changed:
        session.say("the state agrees with what exists")
    elif preview_only:
        session.say(f"{len(changed)} resource(s) differ; the state is unchanged")
    else:
        session.say(f"{len(changed)} resource(s) taken over into the state")
