"""Processes that serve models: one for each model and environment, whoever asks for it.

A process is `runtime/server.py` in the workload's own environment, on loopback. It ends with this
process, however this one ends: its stdin is a pipe from here. One that ends by itself is started
again, a few times. What people are told, and in which words, is the cloud's business.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Literal

from mlops_iac import runtime
from mlops_iac.errors import MlopsError
from mlops_iac.workload import environments
from mlops_iac.workload.archives import unpack
from mlops_iac.workload.processes import Processes, clean_environment

OnLine = Callable[[str], None]
_SERVER = Path(runtime.__file__).with_name("server.py")
HANDLERS = PurePosixPath("code", "inference.py")
"""What answers, in a model's archive."""
# A server that lived this long and ended counts as healthy: its next end is the first again.
_HEALTHY_SECONDS = 60.0
_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)  # before it is started again; then no more
_GRACE_SECONDS = 10.0
_LONGEST_LINE = 8192


@dataclass(frozen=True)
class Served:
    """What a process serves.

    `archive` is a .tar.gz of the folder that the model is loaded from; `framework` the requirement
    that the image meets (`scikit-learn==1.9.*`), or empty; `variables` its environment's.
    """

    archive: bytes = field(repr=False)
    framework: str = ""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> str:
        """The same for what is served alike."""
        said = json.dumps([self.framework, dict(self.variables)], sort_keys=True)
        return sha256(sha256(self.archive).digest() + said.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model's server answered. Names of `headers` are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class NotReady(Exception):
    """Nobody answers now: the server is being started again, or was given up. Says why."""


class NoReply(Exception):
    """The server took the request and did not answer it: `timed_out`, or it broke off."""

    def __init__(self, timed_out: bool) -> None:
        super().__init__("no answer in time" if timed_out else "the connection broke")
        self.timed_out = timed_out


class Pool:
    """The servers of one emulator; their models are unpacked below `folder`, which is its own."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._folder = folder
        self._lock = threading.Lock()
        self._servers: dict[str, Server] = {}

    def take(self, what: Served, on_line: OnLine, *, start_seconds: float) -> Server:
        """The server of this model, started where there is none; its log goes to `on_line`, too.

        `start_seconds` is how long it may take until it answers, its environment not counted.
        Each that takes one gives it back (`give_back`, with the same `on_line`).
        """
        with self._lock:
            found = self._servers.get(what.key)
            if found is None or found.state == "failed":
                folder = self._folder / os.urandom(8).hex()
                found = Server(what, folder, start_seconds, on_line)
                self._servers[what.key] = found
            else:
                found.listeners.append(on_line)
            return found

    def give_back(self, server: Server, on_line: OnLine) -> None:
        """End a server that nobody has any more, when it has answered what it was asked."""
        with self._lock:
            server.listeners.remove(on_line)
            if server.listeners:
                return
            if self._servers.get(server.key) is server:
                del self._servers[server.key]
        server.end()

    def kill(self) -> None:
        """End all of them at once. For the end of this process: takes no lock, waits for nobody."""
        for server in list(self._servers.values()):
            server.kill()


class Server:
    """One model's process, as `Pool` keeps it."""

    def __init__(self, what: Served, folder: Path, start_seconds: float, on_line: OnLine) -> None:
        self.key = what.key
        self.state: Literal["starting", "ready", "failed"] = "starting"
        self.reason = ""
        """Why it failed: the last lines of what went wrong."""
        self.listeners: list[OnLine] = [on_line]  # before its first line
        self._what = what
        self._folder = folder
        self._start_seconds = start_seconds
        self._port = 0
        self._idle: list[http.client.HTTPConnection] = []
        self._processes = Processes()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._settled = threading.Event()
        threading.Thread(target=self._keep, daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait until it is ready or failed; whether it is."""
        return self._settled.wait(seconds)

    def ask(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
        """The answer to POST /invocations. Raises NotReady, NoReply."""
        deadline = time.monotonic() + seconds
        while True:
            port = self._port
            if not port:
                raise NotReady(self.reason or "the model's server is being started")
            try:
                connection, kept = self._idle.pop(), True
            except IndexError:
                connection, kept = http.client.HTTPConnection("127.0.0.1", port), False
            if connection.port != port:
                connection.close()
                continue
            try:
                _limit(connection, deadline)
                connection.request("POST", "/invocations", body, dict(headers))
                _limit(connection, deadline)
                answer = connection.getresponse()
                content = answer.read()
            except TimeoutError:
                connection.close()
                raise NoReply(timed_out=True) from None
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if isinstance(error, ConnectionRefusedError):
                    raise NotReady("the model's server has just ended") from None
                if kept and isinstance(error, ConnectionError):
                    continue  # it was closed while nobody used it
                raise NoReply(timed_out=False) from None
            if answer.will_close:
                connection.close()
            else:
                self._idle.append(connection)
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, content, names)

    def end(self) -> None:
        """Let it answer what it was asked, and end. Returns at once."""
        self._ended.set()
        self._port = 0
        if (process := self._process) is not None:
            with suppress(OSError):
                process.terminate()
        threading.Thread(target=self._processes.stop, daemon=True).start()

    def kill(self) -> None:
        """End it now, with what it started."""
        self._ended.set()
        if (process := self._process) is not None:
            _kill(process)
        self._processes.stop()

    def _say(self, line: str) -> None:
        for each in list(self.listeners):
            each(line)

    def _fail(self, reason: str) -> None:
        self._say(reason)
        self.reason = reason
        self.state = "failed"
        self._port = 0
        self._settled.set()

    def _keep(self) -> None:
        try:
            python, model = self._prepared()
            self._run(python, model)
        except MlopsError as error:
            self._fail(f"{error.message}; {error.hint}" if error.hint else error.message)
        except OSError as error:
            self._fail(f"the model's server cannot be started: {error}")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _prepared(self) -> tuple[Path, Path]:
        """The interpreter and the model's folder. Raises MlopsError, OSError."""
        self._folder.mkdir(parents=True)
        archive, model = self._folder / "model.tar.gz", self._folder / "model"
        archive.write_bytes(self._what.archive)
        unpack(archive, model)
        archive.unlink()
        if not (model / HANDLERS).is_file():
            raise MlopsError(f"the model's archive has no {HANDLERS}, which is what answers")
        file = model / "code" / "requirements.txt"
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        wanted = environments.requirements(text, self._what.framework)
        return environments.workload_python(wanted, self._processes, self._say), model

    def _run(self, python: Path, model: Path) -> None:
        """Keep a process until it is ended, or ends too often."""
        tries = 0
        while not self._ended.is_set():
            began = time.monotonic()
            reason = self._serve(python, model)
            if self._ended.is_set():
                return
            if time.monotonic() - began > _HEALTHY_SECONDS:
                tries = 0
            if self.state == "starting" or tries == len(_PAUSES):
                self._fail(reason)
                return
            self._say(f"{reason}; it is started again")
            self._ended.wait(_PAUSES[tries])
            tries += 1

    def _serve(self, python: Path, model: Path) -> str:
        """Run one process to its end; how it ended."""
        ready = self._folder / f"ready-{os.urandom(4).hex()}"
        variables = {**clean_environment(), "MPLBACKEND": "Agg", **self._what.variables}
        variables["PATH"] = f"{python.parent}:{variables.get('PATH', '/usr/bin:/bin')}"
        process = subprocess.Popen(
            [str(python), "-P", "-u", str(_SERVER), str(model), str(ready)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=variables,
            cwd=model,
            start_new_session=True,  # what it starts ends with it
        )
        self._process = process
        reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        reader.start()
        try:
            reason = self._started(process, ready)
            if reason:
                return reason
            self.state = "ready"
            self._say("the model's server answers")
            self._settled.set()
            process.wait()
        finally:
            self._port = 0
            if self._ended.is_set():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_GRACE_SECONDS)
            _kill(process)
            process.wait()
            reader.join(1)
        return f"the model's server ended ({_ended_with(process.returncode)})"

    def _started(self, process: subprocess.Popen[bytes], ready: Path) -> str:
        """Wait until it answers a ping; why it does not, or empty."""
        deadline = time.monotonic() + self._start_seconds
        pause, port = 0.005, 0
        while time.monotonic() < deadline and not self._ended.is_set():
            if process.poll() is not None:
                with suppress(OSError, ValueError, KeyError, TypeError):
                    failed = ready.with_name(f"{ready.name}.failed").read_text(encoding="utf-8")
                    return str(json.loads(failed)["error"])
                return f"the model's server ended ({_ended_with(process.returncode)})"
            if not port:
                with suppress(OSError, ValueError, KeyError, TypeError):
                    port = int(json.loads(ready.read_text(encoding="utf-8"))["port"])
            if port and _answers(port):
                self._port = port
                return ""
            time.sleep(pause)
            pause = min(pause * 1.2, 0.2)
        return f"the model's server was not ready within {self._start_seconds:g} seconds"

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        while line := process.stdout.readline(_LONGEST_LINE):
            self._say(line.decode("utf-8", "replace").rstrip("\n"))


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _limit(connection: http.client.HTTPConnection, deadline: float) -> None:
    """What is left until the deadline, for each of the next reads and writes."""
    left = max(deadline - time.monotonic(), 0.001)
    connection.timeout = left
    if connection.sock is not None:
        connection.sock.settimeout(left)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _ended_with(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"signal {-code}{', often by too little memory' * (code == -signal.SIGKILL)}"
