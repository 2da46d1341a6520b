"""Start, stop and look at an emulated cloud: one process per project.

It belongs to the user, not to a command: it survives the command that started it, listens on
loopback alone, and keeps its address, log and lock under `<work>/emulator/` (`work` is the
project's `.mlops-iac/`). Its state is in memory, so what was deployed is lost when the process ends;
`EmulatorInfo.instance` is new with every start, which tells that it happened.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar

from mlops_iac import python_child
from mlops_iac.emulators.common import processes
from mlops_iac.emulators.common.info import EmulatorInfo
from mlops_iac.emulators.common.loopback import TOKEN_HEADER
from mlops_iac.errors import MlopsError, TimedOut, UsageError
from mlops_iac.workfolder import created, made

if TYPE_CHECKING:
    from subprocess import Popen

    from filelock import BaseFileLock

# Where a process says which instance it is.
IDENTITY_PATH = "/mlops-iac/identity"
TIMEOUT = "MLOPS_IAC_EMULATOR_TIMEOUT"
_SECONDS = 30.0
_START_SECONDS = 30.0
# One that lives and is late is no silent one: a training on all cores takes seconds from it.
_ANSWER_SECONDS = 10.0
_END_SECONDS = 5.0
_INSTANCE = re.compile(r"[0-9a-f]{16}")


class Server:
    """The process of one work folder, started or not.

    `label` is what people call the cloud, `module` what the process runs, `needs` the packages of
    it. Variables that begin with one of `foreign` do not reach it, `variables` do.
    """

    label: ClassVar[str]
    module: ClassVar[str]
    needs: ClassVar[Sequence[str]]
    foreign: ClassVar[tuple[str, ...]]
    variables: ClassVar[Mapping[str, str]]

    def __init__(self, work: Path) -> None:
        # One name, whichever links lead to the project: the process was told it.
        self._folder = Path(work).resolve() / "emulator"

    def status(self) -> EmulatorInfo | None:
        """The emulator as it is now, or None where none was started (or it was stopped)."""
        found = self._written()
        if found is None or _answers(found):
            return found
        return replace(found, state="silent" if self._is_ours(found) else "lost")

    def ensure(self) -> EmulatorInfo:
        """Start the emulator unless it runs.

        Raises TimedOut when it does not answer, MlopsError when it ends at once, UsageError when
        the folder cannot be written or something is not installed.
        """
        folder = self._folder
        self._require_installed()
        made(folder.parent)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot write {folder}: {error.strerror}") from error
        with self._locked():
            found = self.status()
            if found is not None and found.state == "running":
                return found
            if found is not None and found.state == "silent":
                raise TimedOut(
                    found.message, hint="End it with `mlops-iac local stop`, then retry."
                )
            return self._spawn(found.port if found else 0)

    def stop(self) -> bool:
        """End the emulator; what is deployed in it is lost. False where none was running.

        Only a process that is surely ours is ended: a stale or forged file whose process id belongs to
        something else is just removed. Raises TimedOut when the process does not end, MlopsError where
        the emulator answers and its process cannot be told for sure.
        """
        if not self._folder.is_dir():
            return False
        with self._locked():
            found = self._written()
            if found is None:
                return False
            ended = False
            with suppress(ProcessLookupError), processes.held(found.pid) as send:
                # Looked at while it is held: an id that is given to another one is signalled to nobody.
                if ended := self._is_ours(found):
                    self._end(found, send)
            if not ended and _answers(found):
                raise MlopsError(
                    f"the emulated {self.label} answers at {found.url}, and process {found.pid} was not started"
                    " for this folder; nothing was ended",
                    hint="was the project moved? Move it back to stop it, or end the process yourself",
                )
            (self._folder / "server.json").unlink(missing_ok=True)
            return ended

    def _written(self) -> EmulatorInfo | None:
        """The emulator as its file says; nobody is asked."""
        try:
            raw = json.loads((self._folder / "server.json").read_text())
            port, pid, instance = int(raw["port"]), int(raw["pid"]), str(raw["instance"])
            started, began, token = float(raw["started"]), str(raw["began"]), str(raw["token"])
            if not (
                0 < port < 65536 and 1 < pid < 2**31 and _INSTANCE.fullmatch(instance) and began
            ):
                return None
            token.encode("ascii")
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            # No file, a torn or a foreign one: it says nothing, and a start replaces it.
            return None
        log = self._folder / "server.log"
        return EmulatorInfo(self.label, port, pid, instance, started, "running", log, began, token)

    def _require_installed(self) -> None:
        from importlib.util import find_spec

        missing = [name for name in self.needs if find_spec(name) is None]
        if missing:
            raise UsageError(
                f"the emulated {self.label} needs {', '.join(missing)}, which is not installed",
                hint="pip install 'mlops-iac[emulate]'",
            )

    def _locked(self) -> BaseFileLock:
        from filelock import FileLock, Timeout

        lock = FileLock(self._folder / "lock")
        try:
            lock.acquire(timeout=_START_SECONDS)
        except Timeout as error:
            raise TimedOut(
                f"another command is starting or stopping the emulator for over {_START_SECONDS:.0f} s",
                hint=f"If none is running, remove {self._folder / 'lock'}.",
            ) from error
        except OSError as error:
            raise UsageError(f"cannot lock {self._folder}: {error.strerror}") from error
        return lock

    def _spawn(self, port: int) -> EmulatorInfo:
        instance = secrets.token_hex(8)
        log = self._folder / "server.log"
        ours = python_child.environment().items()
        environment = {
            **{name: value for name, value in ours if not name.startswith(self.foreign)},
            **self.variables,
            "PYTHONDONTWRITEBYTECODE": "",
        }
        log.unlink(missing_ok=True)
        with open(created(log), "wb") as output:  # noqa: PTH123 - a handle
            process = _begun([*self._words(instance), "--port", str(port)], environment, output)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            found = self.status()
            if found is not None and found.instance == instance and found.running:
                return found
            if process.poll() is not None:
                raise MlopsError(
                    f"the emulated {self.label} ended at once (exit {process.returncode}): {_tail(log)}",
                    hint=f"Its log is {log}.",
                )
            time.sleep(0.01)
        process.kill()
        process.wait()
        raise TimedOut(
            f"the emulated {self.label} did not answer within {_START_SECONDS:.0f} s: {_tail(log)}",
            hint=f"Its log is {log}.",
        )

    def _words(self, instance: str) -> list[str]:
        """What our process was started with, between its interpreter and the port."""
        return ["-m", self.module, "--work", str(self._folder), "--instance", instance]

    def _is_ours(self, info: EmulatorInfo) -> bool:
        """Whether the process is the one that was started as this instance, for this folder, by us."""
        words = python_child.command(*self._words(info.instance))[1:]
        return processes.began(info.pid) == info.began and processes.started_with(info.pid, words)

    def _end(self, info: EmulatorInfo, send: Callable[[int], None]) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                send(number)
            deadline = time.monotonic() + _END_SECONDS
            while time.monotonic() < deadline:
                _reap(info.pid)
                if not self._is_ours(info):
                    return
                time.sleep(0.01)
        raise TimedOut(f"the emulated {self.label} (process {info.pid}) does not end")


def answer_seconds() -> float:
    """How long one answer of the emulator may take, in seconds: what the user says, or 30.

    Raises UsageError where it is no positive number.
    """
    text = os.environ.get(TIMEOUT, "")
    try:
        seconds = float(text) if text else _SECONDS
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86_400:
        raise UsageError(
            f"{TIMEOUT} is {text!r}; it takes seconds, more than 0 and less than a day",
            hint=f"write {TIMEOUT}=60, or leave it out for {_SECONDS:.0f}",
        )
    return seconds


def _begun(words: Sequence[str], environment: Mapping[str, str], output: IO[bytes]) -> Popen[bytes]:
    """Python with these words, as a process that outlives this one."""
    import subprocess

    return subprocess.Popen(
        python_child.command(*words),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=environment,
        cwd="/",  # nothing of the project stands there
        start_new_session=True,  # Ctrl-C in the terminal must not reach it
    )


def _answers(info: EmulatorInfo) -> bool:
    """Whether that very instance answers at the port: it alone knows the token and its own name."""
    import http.client  # which takes 10 ms, and most commands ask nobody

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
