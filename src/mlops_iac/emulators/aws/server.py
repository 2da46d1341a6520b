"""Start, stop and look at the emulated AWS: one moto process per project.

It belongs to the user, not to a command: it survives the command that started it, listens on
loopback alone, and keeps its address, log and lock under `<work>/emulator/` (`work` is the
project's `.mlops-iac/`). moto keeps everything in memory, so what was deployed is lost when the
process ends; `ServerInfo.instance` is new with every start, which tells that it happened. Keeping
moto's state over a restart is not offered: its backends are live object graphs with locks, threads
and temporary files, and pickling them fails.

    ServerInfo.state   meaning
    running            answers, and is the instance that was started
    lost               was started once, the process is gone: deployed resources are lost
    silent             the process is there and does not answer
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlops_iac.emulators.aws.clients import answer_seconds
from mlops_iac.emulators.aws.moto_process import IDENTITY_PATH
from mlops_iac.errors import MlopsError, TimedOut, UsageError

if TYPE_CHECKING:
    from filelock import BaseFileLock

ACCOUNT = "123456789012"
State = Literal["running", "lost", "silent"]
_START_SECONDS = 30.0
# One that lives and is late is no silent one: a training on all cores takes seconds from it.
_ANSWER_SECONDS = 10.0
_END_SECONDS = 5.0
_MODULE = "mlops_iac.emulators.aws.moto_process"


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """The emulator of one project. `started` is a Unix time in seconds."""

    port: int
    pid: int
    instance: str
    started: float
    state: State
    log: Path

    @property
    def url(self) -> str:
        """Endpoint for boto3, the AWS CLI and SDKs (`AWS_ENDPOINT_URL`)."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it answers."""
        return self.state == "running"

    @property
    def message(self) -> str:
        """One sentence for `local status`."""
        match self.state:
            case "running":
                return f"The emulated AWS answers at {self.url} (process {self.pid})."
            case "lost":
                return (
                    "The emulated AWS is no longer running; what was deployed to it is lost. "
                    "`mlops-iac up` starts a new one and creates everything again."
                )
            case "silent":
                return f"The emulated AWS (process {self.pid}) does not answer at {self.url}."


def status(work: Path) -> ServerInfo | None:
    """The emulator as it is now, or None where none was started (or it was stopped)."""
    found = _written(_folder(work))
    if found is None or _identity(found.port) == found.instance:
        return found
    state: State = "silent" if _is_ours(found.pid, found.instance) else "lost"
    return replace(found, state=state)


def _written(folder: Path) -> ServerInfo | None:
    """The emulator as its file says; nobody is asked."""
    try:
        raw = json.loads((folder / "server.json").read_text())
        port, pid, instance = int(raw["port"]), int(raw["pid"]), str(raw["instance"])
        started = float(raw["started"])
    except (OSError, ValueError, KeyError, TypeError):
        # No file, a torn or a foreign one: it says nothing, and a start replaces it.
        return None
    return ServerInfo(port, pid, instance, started, "running", folder / "server.log")


def start(work: Path) -> ServerInfo:
    """Start the emulator unless it runs.

    Raises TimedOut when it does not answer, MlopsError when it ends at once, UsageError when
    `work` cannot be written or moto is not installed.
    """
    folder = _folder(work)
    _require_moto()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = work / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}") from error
    with _locked(folder):
        found = status(work)
        if found is not None and found.state == "running":
            return found
        if found is not None and found.state == "silent":
            raise TimedOut(found.message, hint="End it with `mlops-iac local stop`, then retry.")
        return _spawn(folder, found.port if found else 0)


# `up` starts on demand: the same, under the name that says so.
ensure = start


def stop(work: Path) -> bool:
    """End the emulator; what is deployed in it is lost. False where none was running.

    Only a process that is surely ours is ended: a stale file whose process id now belongs to
    something else is just removed. Raises TimedOut when the process does not end.
    """
    folder = _folder(work)
    if not folder.is_dir():
        return False
    with _locked(folder):
        found = _written(folder)
        if found is None:
            return False
        if not _is_ours(found.pid, found.instance):
            (folder / "server.json").unlink(missing_ok=True)
            return False
        _end(found.pid, found.instance)
        (folder / "server.json").unlink(missing_ok=True)
        return True


def instance_id(work: Path) -> str | None:
    """The running emulator's random id; another one than last time: everything is gone."""
    found = status(work)
    return found.instance if found is not None and found.running else None


def client(service: str, info: ServerInfo, region: str = "eu-west-1") -> Any:
    """A boto3 client of the emulator; sessions and models are shared and cached."""
    from mlops_iac.emulators.aws.clients import clients_for

    return clients_for(info.url, region).get(service)


def _folder(work: Path) -> Path:
    return Path(work).absolute() / "emulator"


def _require_moto() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("moto", "boto3", "flask_cors") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the emulated AWS needs {', '.join(missing)}, which is not installed",
            hint="pip install 'mlops-iac[aws]'",
        )


def _locked(folder: Path) -> BaseFileLock:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=_START_SECONDS)
    except Timeout as error:
        raise TimedOut(
            f"another command is starting or stopping the emulator for over {_START_SECONDS:.0f} s",
            hint=f"If none is running, remove {folder / 'lock'}.",
        ) from error
    except OSError as error:
        raise UsageError(f"cannot lock {folder}: {error.strerror}") from error
    return lock


def _spawn(folder: Path, port: int) -> ServerInfo:
    instance = secrets.token_hex(8)
    log = folder / "server.log"
    command = [sys.executable, "-m", _MODULE]
    command += ["--work", str(folder), "--instance", instance, "--port", str(port)]
    environment = {
        **os.environ,
        "MOTO_ACCOUNT_ID": ACCOUNT,
        # Attachments of AWS-managed policies need those policies to exist.
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=folder,
            start_new_session=True,  # Ctrl-C in the terminal must not reach it
        )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        found = status(folder.parent)
        if found is not None and found.instance == instance and found.running:
            return found
        if process.poll() is not None:
            raise MlopsError(
                f"the emulated AWS ended at once (exit {process.returncode}): {_tail(log)}",
                hint=f"Its log is {log}.",
            )
        time.sleep(0.01)
    process.kill()
    process.wait()
    raise TimedOut(
        f"the emulated AWS did not answer within {_START_SECONDS:.0f} s: {_tail(log)}",
        hint=f"Its log is {log}.",
    )


def _identity(port: int) -> str | None:
    """The instance that answers at `port`, or None: nothing there, or something else."""
    seconds = min(_ANSWER_SECONDS, answer_seconds())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", IDENTITY_PATH)
        body = json.loads(connection.getresponse().read(4096))
        return str(body["instance"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


def _is_ours(pid: int, instance: str) -> bool:
    """Whether the process `pid` is the one started as `instance`: its command line says so."""
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:  # no /proc: macOS
        answer = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        line = answer.stdout
    return instance in line


def _end(pid: int, instance: str) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline:
            _reap(pid)
            if not _is_ours(pid, instance):
                return
            time.sleep(0.01)
    raise TimedOut(f"the emulated AWS (process {pid}) does not end")


def _reap(pid: int) -> None:
    """Collect the process when it is a child of this one; a zombie would seem alive."""
    with suppress(ChildProcessError, OSError):
        os.waitpid(pid, os.WNOHANG)


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "no log"
    return lines[-1] if lines else "no output"
