"""Start, stop and look at the emulated AWS: one moto process per project.

It belongs to the user, not to a command: it survives the command that started it, listens on
loopback alone, and keeps its address, log and lock under `<work>/emulator/` (`work` is the
project's `.mlops-iac/`). moto keeps everything in memory, so what was deployed is lost when the
process ends; `EmulatorInfo.instance` is new with every start, which tells that it happened. Keeping
moto's state over a restart is not offered: its backends are live object graphs with locks, threads
and temporary files, and pickling them fails.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac import python_child
from mlops_iac.emulators import processes
from mlops_iac.emulators.aws.clients import answer_seconds
from mlops_iac.emulators.aws.moto_process import IDENTITY_PATH
from mlops_iac.emulators.info import EmulatorInfo
from mlops_iac.emulators.loopback import TOKEN_HEADER
from mlops_iac.errors import MlopsError, TimedOut, UsageError
from mlops_iac.workfolder import created, made

if TYPE_CHECKING:
    from filelock import BaseFileLock

ACCOUNT = "123456789012"
_START_SECONDS = 30.0
# One that lives and is late is no silent one: a training on all cores takes seconds from it.
_ANSWER_SECONDS = 10.0
_END_SECONDS = 5.0
_MODULE = "mlops_iac.emulators.aws.moto_process"
_INSTANCE = re.compile(r"[0-9a-f]{16}")


def status(work: Path) -> EmulatorInfo | None:
    """The emulator as it is now, or None where none was started (or it was stopped)."""
    found = _written(_folder(work))
    if found is None or _answers(found):
        return found
    return replace(found, state="silent" if _is_ours(found) else "lost")


def _written(folder: Path) -> EmulatorInfo | None:
    """The emulator as its file says; nobody is asked."""
    try:
        raw = json.loads((folder / "server.json").read_text())
        port, pid, instance = int(raw["port"]), int(raw["pid"]), str(raw["instance"])
        started, began, token = float(raw["started"]), str(raw["began"]), str(raw["token"])
        if not (0 < port < 65536 and 1 < pid < 2**31 and _INSTANCE.fullmatch(instance) and began):
            return None
        token.encode("ascii")
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        # No file, a torn or a foreign one: it says nothing, and a start replaces it.
        return None
    log = folder / "server.log"
    return EmulatorInfo("AWS", port, pid, instance, started, "running", log, began, token)


def start(work: Path) -> EmulatorInfo:
    """Start the emulator unless it runs.

    Raises TimedOut when it does not answer, MlopsError when it ends at once, UsageError when
    `work` cannot be written or moto is not installed.
    """
    folder = _folder(work)
    _require_moto()
    made(folder.parent)
    try:
        folder.mkdir(exist_ok=True)
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

    Only a process that is surely ours is ended: a stale or forged file whose process id belongs to
    something else is just removed. Raises TimedOut when the process does not end, MlopsError where
    the emulator answers and its process cannot be told for sure.
    """
    folder = _folder(work)
    if not folder.is_dir():
        return False
    with _locked(folder):
        found = _written(folder)
        if found is None:
            return False
        ended = False
        with suppress(ProcessLookupError), processes.held(found.pid) as send:
            # Looked at while it is held: an id that is given to another one is signalled to nobody.
            if ended := _is_ours(found):
                _end(found, send)
        if not ended and _answers(found):
            raise MlopsError(
                f"the emulated AWS answers at {found.url}, and process {found.pid} was not started"
                " for this folder; nothing was ended",
                hint="was the project moved? Move it back to stop it, or end the process yourself",
            )
        (folder / "server.json").unlink(missing_ok=True)
        return ended


def instance_id(work: Path) -> str | None:
    """The running emulator's random id; another one than last time: everything is gone."""
    found = status(work)
    return found.instance if found is not None and found.running else None


def client(
    service: str, info: EmulatorInfo, region: str = "eu-west-1", account: str = ACCOUNT
) -> Any:
    """A boto3 client of the emulator; sessions and models are shared and cached."""
    from mlops_iac.emulators.aws.clients import clients_for

    return clients_for(info.url, region, account).get(service)


def _folder(work: Path) -> Path:
    # One name, whichever links lead to the project: the process was told it.
    return Path(work).resolve() / "emulator"


def _require_moto() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("moto", "boto3", "flask_cors") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the emulated AWS needs {', '.join(missing)}, which is not installed",
            hint="pip install 'mlops-iac[emulate]'",
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


def _spawn(folder: Path, port: int) -> EmulatorInfo:
    instance = secrets.token_hex(8)
    log = folder / "server.log"
    command = python_child.command(*_words(folder, instance), "--port", str(port))
    ours = python_child.environment().items()
    environment = {
        # moto asks botocore for regions, which a profile that is not there keeps from answering.
        **{name: value for name, value in ours if not name.startswith("AWS_")},
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        # Attachments of AWS-managed policies need those policies to exist.
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "PYTHONDONTWRITEBYTECODE": "",
    }
    environment.pop("MOTO_ACCOUNT_ID", None)  # it would be every call's, whoever calls
    log.unlink(missing_ok=True)
    with open(created(log), "wb") as output:  # noqa: PTH123 - a handle
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd="/",  # nothing of the project stands there
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


def _words(folder: Path, instance: str) -> list[str]:
    """What our process was started with, between its interpreter and the port."""
    return ["-m", _MODULE, "--work", str(folder), "--instance", instance]


def _answers(info: EmulatorInfo) -> bool:
    """Whether that very instance answers at the port: it alone knows the token and its own name."""
    seconds = min(_ANSWER_SECONDS, answer_seconds())
    connection = http.client.HTTPConnection("127.0.0.1", info.port, timeout=seconds)
    try:
        connection.request("GET", IDENTITY_PATH, headers={TOKEN_HEADER: info.token})
        body = json.loads(connection.getresponse().read(4096))
        return bool(body["instance"] == info.instance)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return False
    finally:
        connection.close()


def _is_ours(info: EmulatorInfo) -> bool:
    """Whether the process is the one that was started as this instance, for this folder, by us."""
    words = python_child.command(*_words(info.log.parent, info.instance))[1:]
    return processes.began(info.pid) == info.began and processes.started_with(info.pid, words)


def _end(info: EmulatorInfo, send: Callable[[int], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            send(number)
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline:
            _reap(info.pid)
            if not _is_ours(info):
                return
            time.sleep(0.01)
    raise TimedOut(f"the emulated AWS (process {info.pid}) does not end")


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
