"""`mlops-iac run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_iac.cli._session import Session, argument, flag, option, verb
from mlops_iac.errors import MlopsError, NotDeployed, ResourceFailed, ScriptFailed

if TYPE_CHECKING:
    from mlops_iac.api.models.local_runs import Run
    from mlops_iac.api.project import Project
    from mlops_iac.pipeline.executor import RunEvent


@verb("run", rehearses=True)
def command(
    session: Session,
    name: str | None = argument(metavar="[MODEL|ENTRY]", required=False),
    from_step: str | None = option("Resume with this step's inputs.", "--from", metavar="STEP"),
    deployed: bool = flag(
        "Run what is deployed, also where the blueprint and its files say otherwise by now."
    ),
) -> None:
    """Run the compiled pipeline of a model or a batch entry on this machine, with the emulated cloud.

    Prepare, train or tune, evaluate, gate, register: as subprocesses in the workload's own
    virtual environment. A version that passes its gates is registered and waits for approval;
    a gate that fails registers nothing. Of a batch entry: resolve, check, predict, complete, publish.

    What runs is what `up` deployed. Where gates, scripts or data have changed since, that is told
    with file and line, and whether to deploy first is asked; --yes does, --deployed runs the old.

    Exit codes: 0 registered, or published; 1 a gate was missed; 2 nothing was run: the blueprint, an option, or
    something changed that is not deployed; 4 a script failed, or
    the installation of its packages; 8 interrupted; 9 a step's time is
    over. --json: model, run, status (registered, gate-failed), steps, metrics, model_package,
    approval, missed, seconds; of a batch entry entry, run, status (published), steps, version, rows,
    predicted, output, seconds; what stops a run is {error: {exit_code, message, hint}}, and what
    has changed since the deployment stands beside it as `differences`.
    """
    project = session.project()
    try:
        result = _run(session, project, name, from_step, deployed=deployed)
    except NotDeployed as error:
        _deploy_first(session, project, error)
        result = _run(session, project, name, from_step, deployed=True)
    if session.json:
        session.emit_json(result.as_json())
    if not result.succeeded:
        raise MlopsError(result.message, hint=result.hint)
    session.say(f"{session.style(result.done, fg='green')} {result.message}")
    if result.hint:
        session.say(f"next: {result.hint}")


def _run(
    session: Session, project: Project, name: str | None, from_step: str | None, *, deployed: bool
) -> Run:
    try:
        return project.run(
            name,
            stack=session.stack,
            from_step=from_step,
            deployed=deployed,
            on_event=lambda event: _show(session, event),
        )
    except ScriptFailed as error:
        if session.json or session.quiet:
            raise
        # Its lines stand above.
        of = f" {name}" if name else ""
        then = f"mend that; `mlops-iac run{of} --from STEP` goes on at a step"
        raise ResourceFailed(error.short, hint=f"{then}; {error.hint}") from None


def _deploy_first(session: Session, project: Project, error: NotDeployed) -> None:
    """Tell what is not deployed, and deploy it where somebody wants that."""
    from mlops_iac.cli.up import deploy, require_deployed

    if session.json and not (session.yes or session.interactive):
        session.emit_json({"error": session.told(error), "differences": list(error.differences)})
    session.say("changed since it was deployed:")
    session.say(*(f"  {each}" for each in error.differences))
    if not (session.yes or session.interactive):
        raise error
    session.confirm("Deploy that first, and run it then? (`--deployed` runs what is deployed)")
    _, result = deploy(session, project)
    require_deployed(session, result)


def _show(session: Session, event: RunEvent) -> None:
    """Say how the run goes on; why it ended is what the error says, at the end and once."""
    missed = event.kind == "line" and event.message.startswith("mlops-iac gate missed")
    if event.kind != "failed" and not missed:
        session.say(str(event))
