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
    match action:
        case "start":
            info = project.emulated_cloud.ensure()
        case "stop":
            stopped = project.emulated_cloud.stop()
            if session.json:
                session.emit_json({"running": False, "stopped": stopped})
            else:
                session.say("stopped" if stopped else "was not running")
            return 0
        case _:
            found = project.emulated_cloud.status()
            if found is None or not found.running:
                words = "not running; `mlops-iac local start` or `up` starts it"
                if session.json:
                    session.emit_json({"running": False})
                else:
                    session.say(found.message if found else words)
                return 1
            info = found
    if session.json:
        session.emit_json({"running": True, "endpoint": info.url, "pid": info.pid})
    else:
        session.out(info.url)
        session.say(f"{info.message} {project.emulated_cloud.exports(LOCAL)}")
    return 0
