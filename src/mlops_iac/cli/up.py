"""`mlops-iac up`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mlops_iac.cli._ephemeral import EPHEMERAL_OPTIONS, project_of
from mlops_iac.cli._plan import plan_lines, summary_line
from mlops_iac.cli._policies import guard
from mlops_iac.cli._progress import failed_words, progress
from mlops_iac.cli._session import Session, verb
from mlops_iac.errors import PlanMoved, ResourceFailed, UsageError
from mlops_iac.graph.shown import plain

if TYPE_CHECKING:
    from mlops_iac.api.deploy.deployments import Deployment
    from mlops_iac.api.project import Project
    from mlops_iac.engine.protocol import Result
    from mlops_iac.graph.plan import Plan

PARALLEL = 16
_MOVES_SHOWN = 20


@verb(
    "up",
    click.Option(["--engine"], type=click.Choice(["embedded", "pulumi"]), help="Which engine."),
    click.Option(
        ["--plan", "plan_file"],
        metavar="FILE",
        help="Do exactly what this saved plan says, or nothing.",
    ),
    click.Option(["--target"], metavar="ADDRESS", multiple=True, help="Only these resources."),
    click.Option(
        ["--parallel"], type=click.IntRange(1, 256), default=PARALLEL, help="Operations at a time."
    ),
    click.Option(["--refresh"], is_flag=True, help="Look first for what vanished or drifted."),
    click.Option(["--diff", "detail"], is_flag=True, help="Show every property in the plan."),
    *EPHEMERAL_OPTIONS(),
    rehearses=True,
)
def command(
    session: Session,
    engine: str | None,
    plan_file: str | None,
    target: tuple[str, ...],
    parallel: int,
    refresh: bool,
    detail: bool,
    base: str | None,
    ttl: str | None,
) -> None:
    """Deploy the stack: show the plan, ask, apply it.

    `local` is an emulated cloud on this machine, started on demand. Any other stack is deployed
    by the real Pulumi engine. Interrupt it at any time; the next `up` goes on.

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
    if session.json:
        from mlops_iac.api.deploy.rollbacks import rolled_back
        from mlops_iac.graph.plan import count

        with project.deployment(session.stack) as deployment:
            notes = [] if result.failures else rolled_back(deployment)
        session.emit_json(
            {
                "stack": session.stack,
                "engine": plan.engine,
                "summary": count(result.steps),
                "recorded": [step.urn for step in result.steps if step.recorded],
                "outputs": plain(result.outputs),
                "failures": dict(result.failures),
                "notes": notes,
                "seconds": round(result.duration_seconds, 3),
            }
        )
    require_deployed(session, result)
    if not session.json:
        _closing(session, project.next_steps(session.stack, result))


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
    kept = StackFile(project, session.stack)
    opened = project.deployment(session.stack, engine=engine, targets=target, plan=plan_file)
    with opened as deployment:
        if refresh:
            deployment.refresh()
        plan = _planned(session, deployment)
        if not session.json:
            title = f"{plan.project} → {session.shown}"
            session.say(
                f"{session.style(title, bold=True)} ({project.platform}, {plan.engine} engine)"
            )
            if plan.changes and not session.yes:
                for line in plan_lines(plan, session.style, unchanged=False, detail=detail):
                    session.say(line)
            else:
                session.say(summary_line(plan, session.style))
            for note in plan.diagnostics:
                session.say(f"note: {note}")
            session.tell_left_out(project)
        deployment.require_possible()
        if plan.changes:
            session.confirm(f"Apply {plan.size or len(plan.changes)} change(s) to {session.shown}?")
        with progress(session, plan) as on_event:
            result = deployment.up(on_event=on_event, parallel=parallel)
    if note := kept.changed():
        session.say(f"note: {note}")
    return plan, result


def require_deployed(session: Session, result: Result) -> None:
    """Raise ResourceFailed where a deployment left something undone."""
    if result.failures:
        raise ResourceFailed(
            f"{len(result.failures)} resource(s) failed: {failed_words(session, result.failures)}",
            hint=f"what succeeded is kept; mend the cause and run `mlops-iac up{session.of}` again",
        )


class StackFile:
    """`Pulumi.STACK.yaml`: the engine writes into it what opens the secrets of a stack's state."""

    def __init__(self, project: Project, stack: str) -> None:
        from mlops_iac.api.compile.programs import default_out

        self._path = default_out(project) / f"Pulumi.{stack}.yaml"
        self._is_committed = project.program_folder is None
        self._before = self._read()

    def changed(self) -> str:
        """What to do with what the engine wrote; empty where it wrote nothing."""
        if not self._is_committed or self._read() == self._before:
            return ""
        where = os.path.relpath(self._path)
        return f"{where} has what opens the secrets of this state now: commit it"

    def _read(self) -> bytes:
        return self._path.read_bytes() if self._path.is_file() else b""


def _planned(session: Session, deployment: Deployment) -> Plan:
    try:
        return deployment.preview()
    except PlanMoved as error:
        if session.json:
            session.emit_json(
                {
                    "error": {"exit_code": error.exit_code, "message": error.message},
                    "moved": list(error.moves),
                }
            )
        for move in error.moves[:_MOVES_SHOWN]:
            session.say(f"  {move}")
        if len(error.moves) > _MOVES_SHOWN:
            session.say(f"  and {len(error.moves) - _MOVES_SHOWN} more; --json has them all")
        raise


def _closing(session: Session, lines: list[str]) -> None:
    for line in lines:
        session.say(line)
