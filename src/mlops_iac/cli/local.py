"""`mlops-iac local start | stop | status`."""

from __future__ import annotations

import shlex

import click

from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.cli._session import Session, argument, verb
from mlops_iac.pipeline.steps import MLFLOW


@verb("local")
def command(
    session: Session,
    action: str = argument(type=click.Choice(["start", "stop", "status"])),
) -> int:
    """Start, stop or inspect the emulated cloud of this project.

    `up` starts it on demand. What it holds lives in its memory and ends with it; the next `up`
    notices and creates again. One answer of it may take 30 seconds, or what the environment variable
    MLOPS_IAC_EMULATOR_TIMEOUT says. `status` says what to export for the cloud's own tools, and how
    what serves is called. Exit code of `status`: 0 running, 1 not running. --json: running, endpoint,
    pid, entries[] (entry, missing, url, body: what is sent to the url).
    """
    project = session.project()
    cloud = project.emulated_cloud
    if action == "stop":
        stopped = cloud.stop()
        words = "stopped" if stopped else "was not running"
        session.answer({"running": False, "stopped": stopped}, words)
        return 0
    info = cloud.ensure() if action == "start" else cloud.status()
    if info is None or not info.running:
        words = "not running; `mlops-iac local start` or `up` starts it"
        session.answer({"running": False}, info.message if info else words)
        return 1
    found = project.ways() if action == "status" else []
    if session.json:
        entries = {"entries": [vars(each) for each in found]} if action == "status" else {}
        session.emit_json({"running": True, "endpoint": info.url, "pid": info.pid, **entries})
        return 0
    session.out(info.url)
    session.say(f"{info.message} {cloud.exports(LOCAL)}")
    if project.resolve(LOCAL).blueprint.tracking == "mlflow":
        store = project.shown(project.emulator / MLFLOW)
        session.say(
            "For what runs here keep in MLflow (`pip install mlflow`):",
            f"  MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {shlex.quote(store)}",
        )
    for each in found:
        if each.missing:
            session.say(f"{each.entry} does not serve yet: {each.missing}")
            continue
        session.say(f"For predictions of {each.entry}:", f"  mlops-iac invoke {each.entry}")
        if each.url:
            header = "-H 'Content-Type: application/json'"
            session.say(f"  curl {header} -d {shlex.quote(each.body)} {each.url}")
    return 0
