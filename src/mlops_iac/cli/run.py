"""`mlops-iac run`."""

from __future__ import annotations

import click

from mlops_iac.cli._session import Session, verb
from mlops_iac.errors import MlopsError


@verb(
    "run",
    click.Argument(["model"], required=False),
    click.Option(["--from", "from_step"], metavar="STEP", help="Resume with this step's inputs."),
    rehearses=True,
)
def command(session: Session, model: str | None, from_step: str | None) -> None:
    """Run a model's compiled pipeline on this machine, in and out of the emulated cloud.

    Prepare, train or tune, evaluate, gate, register: as subprocesses in the workload's own
    virtual environment. A version that passes its gates is registered and waits for approval;
    a gate that fails registers nothing (exit code 1).
    """
    project = session.project()
    result = project.run(
        model,
        stack=session.stack,
        from_step=from_step,
        on_event=lambda event: _show(session, event),
    )
    if session.json:
        session.emit_json(result.as_json())
    if not result.succeeded:
        raise MlopsError(result.message, hint=result.hint)
    session.say(f"{session.style('registered', fg='green')} {result.message}")
    if result.hint:
        session.say(f"next: {result.hint}")


def _show(session: Session, event: object) -> None:
    line = str(event)
    if line:
        session.say(line)
