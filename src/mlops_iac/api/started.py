"""Run a pipeline that a client of the emulated cloud has started: a process of its own.

    python -P -m mlops_iac.api.started FILE RUN [STEP]

FILE is what `up` has written of the pipeline, RUN the identity of its run, STEP where it goes on. Stdin
is a pipe to the emulated cloud; with its end the run is interrupted. The last line says why it failed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from mlops_iac.api.deploy.startable import read
from mlops_iac.api.invoke.monitoring import monitor
from mlops_iac.api.kinds import Rehearsal
from mlops_iac.api.models.local_runs import run
from mlops_iac.api.project import load
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.errors import MlopsError


def main() -> int:
    """Return the exit code that `mlops-iac run` has."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _run(Path(sys.argv[1]), *sys.argv[2:])
    except MlopsError as error:
        print(f"{error.message}; {error.hint}" if error.hint else error.message)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        return 8
    return 0


def _run(file: Path, identity: str, from_step: str | None = None) -> None:
    found = read(file)
    project = load(file.parent.parent.parent / found.blueprint)
    project = project if found.stack == LOCAL else Rehearsal(project)
    if found.monitors:  # which is short, and begun anew
        monitor(project, found.entry, found.stack, identity=identity)
        return
    run(
        project,
        found.entry,
        stack=found.stack,
        from_step=from_step,
        deployed=True,
        identity=identity,
    )


def _end_with_parent() -> None:
    # Not by sys.stdin: an interpreter that ends dies of a thread that reads it.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
