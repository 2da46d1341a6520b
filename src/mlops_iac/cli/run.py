"""`mlops-iac run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlops_iac.cli._run_progress import progress
from mlops_iac.cli._session import Session, argument, flag, option, verb
from mlops_iac.errors import MlopsError, NotDeployed, ResourceFailed, ScriptFailed, UsageError
from mlops_iac.pipeline.run_report import REPORT

if TYPE_CHECKING:
    from mlops_iac.api.models.local_runs import Run
    from mlops_iac.api.project import Project


@verb("run", rehearses=True)
def command(
    session: Session,
    name: str | None = argument(metavar="[MODEL|ENTRY]", required=False),
    from_step: str | None = option("Resume with this step's inputs.", "--from", metavar="STEP"),
    given: tuple[str, ...] = option(
        "A hyperparameter of the training, for this run alone; repeatable.",
        "--set",
        metavar="KEY=VALUE",
        multiple=True,
    ),
    cache: bool = flag(
        "Take what an earlier run left where a step would have the same code, data and settings."
    ),
    deployed: bool = flag(
        "Run what is deployed, also where the blueprint and its files say otherwise by now."
    ),
) -> None:
    """Run the compiled pipeline of a model or a batch entry on this machine, with the emulated cloud.

    Prepare, train or tune, evaluate, gate, register: as subprocesses in the workload's own
    virtual environment. A version that passes its gates is registered and waits for approval;
    a gate that fails registers nothing. Of a batch entry: resolve, check, predict, complete, publish.

    What --set gives is of the type that the blueprint has; one that is searched is tried with that value
    alone. It is written down with the run, and the version that comes of it says so.

    --cache compares the code, the content of the data, settings and packages; a script that asks
    a database, or what day it is, does not see that they have changed.

    What runs is what `up` deployed. Where gates, scripts or data have changed since, that is told
    with file and line, and whether to deploy first is asked; --yes does, --deployed runs the old.

    Exit codes: 0 registered, or published; 1 a gate was missed; 2 nothing was run: the blueprint, an option, or
    something changed that is not deployed; 4 a script failed, or
    the installation of its packages; 8 interrupted; 9 a step's time is
    over. --json: model, run, status (registered, gate-failed), steps, metrics, model_package,
    approval, missed, seconds, set, report (a path), usage (by step seconds, cpu_seconds, peak_bytes); of a batch entry entry, run, status (published), steps, version, rows,
    predicted, output, seconds, usage; what stops a run is {error: {exit_code, message, hint}}, and what
    has changed since the deployment stands beside it as `differences`.
    """
    project = session.project()
    what = (name, from_step, _pairs(given), cache)
    try:
        result = _run(session, project, *what, deployed=deployed)
    except NotDeployed as error:
        _deploy_first(session, project, error)
        result = _run(session, project, *what, deployed=True)
    if session.json:
        session.emit_json(result.as_json())
    if result.prediction is None:
        session.say(f"page: {result.result.folder / REPORT}")
    if not result.succeeded:
        raise MlopsError(result.message, hint=result.hint)
    session.say(f"{session.style(result.done, fg='green')} {result.message}")
    if result.hint:
        session.say(f"next: {result.hint}")


def _pairs(given: Sequence[str]) -> dict[str, str]:
    """What --set gives, by name; the last one counts. Raises UsageError."""
    for each in given:
        if not each.partition("=")[0] or "=" not in each:
            raise UsageError(
                f"--set {each!r} names no value; nothing was run", hint="--set KEY=VALUE"
            )
    return {name: value for name, _, value in (each.partition("=") for each in given)}


def _run(
    session: Session,
    project: Project,
    name: str | None,
    from_step: str | None,
    given: Mapping[str, str],
    cache: bool,
    *,
    deployed: bool,
) -> Run:
    try:
        with progress(session) as on_event:
            return project.run(
                name,
                stack=session.stack,
                from_step=from_step,
                hyperparameters=given,
                cache=cache,
                deployed=deployed,
                on_event=on_event,
            )
    except ScriptFailed as error:
        if session.json or session.quiet:
            raise
        # Its lines stand above.
        of = f" {name}" if name else ""
        then = f"mend that; `mlops-iac run{of} --from STEP` goes on at a step"
        page = "`mlops-iac open run` shows what there is"
        raise ResourceFailed(error.short, hint=f"{then}; {error.hint}; {page}") from None


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
