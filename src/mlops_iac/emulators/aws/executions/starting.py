"""A pipeline that a client starts, as a process of the project that it belongs to.

`up` leaves a file for every pipeline below `pipelines/` of the work folder; what is in it is the
process's to understand (`api.started`).
"""

from __future__ import annotations

import os
import secrets
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from mlops_iac import python_child
from mlops_iac.emulators.aws.executions.records import SAID, Run

_MODULE = "mlops_iac.api.started"


def startable(runs: Path, pipeline: str) -> Path | None:
    """The file that says what the pipeline is; None for one that `up` has not deployed."""
    found = runs.parent / "pipelines" / f"{pipeline}.json"
    return found if found.is_file() else None


def identity() -> str:
    """Of a run that begins now, as the runner's are."""
    return f"{datetime.now(UTC):%Y%m%d%H%M%S}{secrets.token_hex(3)}"


def start(runs: Path, pipeline: Path, run: Run, step: str = "") -> None:
    """Run it, or go on with it at a step. Its process ends when this one does. Raises OSError."""
    run.folder.mkdir(parents=True, exist_ok=True)
    environment = python_child.environment()
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    said = os.open(run.folder / SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        run.child = subprocess.Popen(
            python_child.command("-m", _MODULE, str(pipeline), run.id, *([step] if step else [])),
            stdin=subprocess.PIPE,  # its end is the end of this process
            stdout=said,
            stderr=said,
            env=environment,
            cwd=runs.parent.parent,
            start_new_session=True,
        )
    finally:
        os.close(said)
