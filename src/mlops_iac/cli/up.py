"""`mlops-iac up`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from mlops_iac.api.compile.programs import default_out
from mlops_iac.api.deploy.rollbacks import UNASKED, rolled_back
from mlops_iac.api.deploy.smoke import Smoke, smoke
from mlops_iac.cli._ephemeral import BASE, TTL, project_of
from mlops_iac.cli._plan import plan_lines, summary_line
from mlops_iac.cli._policies import guard
from mlops_iac.cli._progress import failed_words, progress
from mlops_iac.cli._session import ENGINE, Session, flag, option, verb
from mlops_iac.errors import PlanMoved, ResourceFailed, UsageError
from mlops_iac.graph.plan import Plan, count
from mlops_iac.graph.shown import plain

if TYPE_CHECKING:
    from mlops_iac.api.deploy.deployments import Deployment
    from mlops_iac.api.project import Project
    from mlops_iac.engine.protocol import Result

PARALLEL = 16
_MOVES_SHOWN = 20


@verb("up", rehearses=True)
def command(
    session: Session,
    engine: str | None = ENGINE,
    plan_file: str | None = option(
        "Do exactly what this saved plan says, or nothing.", "--plan", metavar="FILE"
    ),
    target: tuple[str, ...] = option("Only these resources.", metavar="ADDRESS", multiple=True),
    parallel: int = option("Operations at a time.", type=click.IntRange(1, 256), default=PARALLEL),
    refresh: bool = flag("Look first for what vanished or drifted."),
    detail: bool = flag("Show every property in the plan.", "--diff"),
    base: str | None = BASE,
    ttl: str | None = TTL,
) -> None:
    """Deploy the stack: show the plan, ask, apply it.

    `local` is an emulated cloud on this machine, started on demand. Any other stack is deployed
    by the real Pulumi engine. Interrupt it at any time; the next `up` goes on.

    Endpoints that changed are asked for the examples that their version answered before it was
    registered. Where one answers otherwise, everything is deployed and the exit code is 4. It is 4, too,
    where an alarm has rolled an endpoint back, which goes on with what it served.

    With --from it is an ephemeral stack: the overlay of another environment under a name of its
    own, unprotected, until its time is over. The same again renews the time.
    """
    project = project_of(session, base, ttl)
    plan, result = deploy(
        session,
        project,
        engine=engine,
        plan_file=plan_file,
        target=target,
        parallel=parallel,
        refresh=refresh,
        detail=detail,
    )
    found, told, back = Smoke(), list[str](), list[str]()
    if not result.failures:
        with project.deployment(session.stack) as deployment:
            told = rolled_back(deployment)
            changed = {step.urn for step in result.steps if step.op != "same"}
            asked = rolled_back(deployment, changed) if told else []
            back = [each for each in asked if not each.startswith(UNASKED)]
            # What was rolled back answers as another version did.
            found = Smoke() if back else smoke(deployment, result.steps)
    if session.json:
        session.emit_json(
            {
                "stack": session.stack,
                "engine": plan.engine,
                "summary": count(result.steps),
                "recorded": [step.urn for step in result.steps if step.recorded],
                "outputs": plain(result.outputs),
                "failures": dict(result.failures),
                "notes": [*told, *found.notes],
                "answers": {"alike": list(found.asked), "otherwise": list(found.wrong)},
                "seconds": round(result.duration_seconds, 3),
            }
        )
    require_deployed(session, result)
    if not session.json:
        session.say(*project.next_steps(session.stack, result))
        if found.asked:
            session.say(f"answer as their versions did: {'; '.join(found.asked)}")
        session.notes([*(each for each in told if each not in back), *found.notes])
    if back:
        raise ResourceFailed("; ".join(back), hint=f"`mlops-iac status{session.of}` says why")
    if found.wrong:
        raise ResourceFailed(
            "; ".join(found.wrong),
            hint="everything is deployed, and it serves; `models.NAME.version` pins a version that"
            f" answered, then run `mlops-iac up{session.of}` again",
        )


def deploy(
    session: Session,
    project: Project,
    *,
    engine: str | None = None,
    plan_file: str | None = None,
    target: Sequence[str] = (),
    parallel: int = PARALLEL,
    refresh: bool = False,
    detail: bool = False,
) -> tuple[Plan, Result]:
    """Show the plan, ask, apply it."""
    if plan_file and refresh:
        raise UsageError(
            "--plan takes the state as it was saved, so it cannot be refreshed first",
            hint="`mlops-iac refresh`, then preview and save again",
        )
    guard(session)
    changed = stack_file(project, session.stack)
    opened = project.deployment(session.stack, engine=engine, targets=target, plan=plan_file)
    with opened as deployment:
        if refresh:
            deployment.refresh()
        plan = _planned(session, deployment)
        if not session.json:
            session.head(plan.project, session.stack, project.platform, plan.engine)
            if plan.changes and not session.yes:
                session.say(*plan_lines(plan, session.style, unchanged=False, detail=detail))
            else:
                session.say(summary_line(plan, session.style))
            session.notes(plan.diagnostics)
            session.tell_left_out(project)
        deployment.require_possible()
        if plan.changes:
            session.confirm(f"Apply {plan.size or len(plan.changes)} change(s) to {session.shown}?")
        with progress(session, plan) as on_event:
            result = deployment.up(on_event=on_event, parallel=parallel)
    session.notes(changed())
    return plan, result


def require_deployed(session: Session, result: Result) -> None:
    """Raise ResourceFailed where a deployment left something undone."""
    if result.failures:
        raise ResourceFailed(
            f"{len(result.failures)} resource(s) failed: {failed_words(session, result.failures)}",
            hint=f"what succeeded is kept; mend the cause and run `mlops-iac up{session.of}` again",
        )


def stack_file(project: Project, stack: str) -> Callable[[], list[str]]:
    """Return what tells what to do with `Pulumi.STACK.yaml`, where it changed since.

    The engine writes into it what opens the secrets of a stack's state.
    """
    path = default_out(project) / f"Pulumi.{stack}.yaml"

    def read() -> bytes:
        return path.read_bytes() if path.is_file() else b""

    before = read()

    def changed() -> list[str]:
        if project.program_folder is not None or read() == before:  # none that is committed
            return []
        return [f"{os.path.relpath(path)} has what opens the secrets of this state now: commit it"]

    return changed


def _planned(session: Session, deployment: Deployment) -> Plan:
    try:
        return deployment.preview()
    except PlanMoved as error:
        if session.json:
            told = {"exit_code": error.exit_code, "message": error.message}
            session.emit_json({"error": told, "moved": list(error.moves)})
        session.say(*(f"  {move}" for move in error.moves[:_MOVES_SHOWN]))
        if len(error.moves) > _MOVES_SHOWN:
            session.say(f"  and {len(error.moves) - _MOVES_SHOWN} more; --json has them all")
        raise
