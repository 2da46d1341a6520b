"""`mlops-iac local start | stop | status`."""

from __future__ import annotations

import click

from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.cli._session import Session, argument, verb


@verb("local")
def command(
    session: Session,
    action: str = argument(type=click.Choice(["start", "stop", "status"])),
) -> int:
    """Start, stop or inspect the emulated cloud of this project.

    `up` starts it on demand. What it holds lives in its memory and ends with it; the next `up`
    notices and creates again. One answer of it may take 30 seconds, or what the environment variable
    MLOPS_IAC_EMULATOR_TIMEOUT says. Exit code of `status`: 0 running, 1 not running.
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
    if session.json:
        session.emit_json({"running": True, "endpoint": info.url, "pid": info.pid})
    else:
        session.out(info.url)
        session.say(f"{info.message} {cloud.exports(LOCAL)}")
    return 0
