"""Subprocesses of a local run: logged, timed out, and ended with us, children included."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from mlops_iac.errors import ResourceFailed, ScriptFailed, TimedOut
from mlops_iac.runtime import contract

_TAIL = 20
# Of one process: what is told and kept of its output, a longer line is cut there, and of the lines
# that end its log, each.
_MOST, _LONGEST, _SHOWN = 32_000_000, 64_000, 1_000  # characters
_KB = 1 if sys.platform == "darwin" else 1024  # unit of ru_maxrss: getrusage(2) of either
# What a script may see of the user's environment: no credentials, nothing of our own Python.
_KEPT = ("PATH", "HOME", "USER", "LANG", "LANGUAGE", "TMPDIR", "TZ", "SSL_CERT_FILE")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def clean_environment(*prefixes: str) -> dict[str, str]:
    """The part of the user's environment that the workload sees, and what has these prefixes."""
    names = (*_KEPT, *_PROXIES)
    wanted = ("LC_", *prefixes)
    return {k: v for k, v in os.environ.items() if k in names or k.startswith(wanted)}


@dataclass
class Usage:
    """What processes took: seconds of processors, and bytes of the largest one at its largest."""

    cpu_seconds: float = 0.0
    peak_bytes: int = 0

    def add(self, other: Usage) -> None:
        """Count another process, which ran besides or later."""
        self.cpu_seconds += other.cpu_seconds
        self.peak_bytes = max(self.peak_bytes, other.peak_bytes)


class EndedEarly(Exception):
    """A process was ended because somebody had seen enough of it."""


class Processes:
    """Every subprocess of one run, so that an interruption ends all of them.

    `used` counts what those took that have ended; whoever measures puts a new one there.
    """

    def __init__(self) -> None:
        self.used = Usage()
        self._live: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self,
        what: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        seconds: float,
        on_line: Callable[[str], None],
        enough: threading.Event | None = None,
    ) -> None:
        """Run to its end, writing its output to `log` (appended): the first 32 MB of it, and its end.

        Raises ScriptFailed where it ends with an error, TimedOut after `seconds`, EndedEarly where
        `enough` is set before that, OSError where the log cannot be written.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        output = _Output(log, on_line)
        process = self._start(command, env)
        reader = threading.Thread(target=output.read, args=(process.stdout,), daemon=True)
        reader.start()
        used = Usage()
        try:
            used = _wait(process, seconds, enough)
        except subprocess.TimeoutExpired:
            raise TimedOut(
                f"{what} ran longer than {seconds / 60:g} minutes and was stopped",
                hint=f"its log: {log}; `timeout_minutes` of the step says how long it may run",
            ) from None
        finally:
            used.add(_end(process))
            reader.join(timeout=5)
            while reader.is_alive() and output.goes_on():  # much is left in the pipe
                reader.join(timeout=5)
            with self._lock:
                self.used.add(used)
                self._live.discard(process)
        if output.error:
            raise output.error
        if code := process.returncode:
            reason = _reason(what, code, output.tail)
            if code < 0:  # which nobody has told yet
                output.tail.append(reason)
                on_line(reason)
            raise ScriptFailed(what, list(output.tail), log, reason)

    def stop(self) -> None:
        """End everything that runs, and start nothing more."""
        with self._lock:
            self._stopped = True
            live = list(self._live)
        for process in live:
            _end(process)

    def _start(self, command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise ResourceFailed("the run was interrupted")
            process = subprocess.Popen(
                list(command),
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                # A group of its own: what a script starts ends with it.
                start_new_session=True,
            )
            self._live.add(process)
            return process


def _reason(what: str, code: int, lines: Iterable[str]) -> str:
    """Why it failed: the verdict of the step's runner, or the script's last words where it has more.

    `lines` end its log.
    """
    if code < 0:
        return f"{what} {contract.killed(-code)}"
    own, verdict = "", ""
    for line in filter(str.strip, lines):
        if line.startswith(contract.VERDICT):
            verdict = line.removeprefix(contract.VERDICT)
        elif not line.startswith("mlops-iac "):
            own = line.strip()
    verdict = verdict.partition(": ")[2]  # after the step's kind
    says_little = not verdict or contract.ENDED in verdict
    return (own if says_little else "") or verdict or f"{what} failed"


class _Output:
    """What a process prints: told, kept in its log, its last lines remembered.

    Of very much, that is done with the first part, and with what the step's runner itself says; the
    rest is read all the same, because a full pipe would hold the process up.
    """

    def __init__(self, log: Path, on_line: Callable[[str], None]) -> None:
        self.tail: deque[str] = deque(maxlen=_TAIL)
        self.error: OSError | None = None
        self._log, self._on_line = log, on_line
        self._read = self._seen = 0

    def goes_on(self) -> bool:
        """Whether anything came since this was last asked."""
        before, self._seen = self._seen, self._read
        return self._read > before

    def read(self, stream: TextIO) -> None:
        """Read to the end. A log that cannot be written closes the pipe: it ends who writes there."""
        try:
            with stream, self._log.open("a", encoding="utf-8") as file:
                self._pass_on(stream, file)
        except OSError as error:
            self.error = error

    def _pass_on(self, stream: TextIO, file: TextIO) -> None:
        dropped = 0
        for line in iter(lambda: stream.readline(_LONGEST), ""):
            text = line.rstrip("\n")
            self.tail.append(text[:_SHOWN])
            self._read += len(line)
            if self._read > _MOST and not line.startswith("mlops-iac "):
                dropped += len(line)
                if dropped == len(line):
                    self._on_line("… prints very much; of the rest the end is kept")
                continue
            file.write(line)
            file.flush()
            self._on_line(text)
        if dropped:
            kept = "\n".join(self.tail)
            file.write(f"… {dropped} characters were not kept; the last lines:\n{kept}\n")


def _wait(
    process: subprocess.Popen[str], seconds: float, enough: threading.Event | None = None
) -> Usage:
    """Wait for the end; what it and its children took. Raises TimeoutExpired, EndedEarly.

    As `Popen.wait`, which has no word of that: `wait4(2)` has.
    """
    end, pause = time.monotonic() + seconds, 0.0005
    while process.returncode is None:
        try:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
        except ChildProcessError:  # another thread has waited for it
            process.wait()
            break
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return Usage(used.ru_utime + used.ru_stime, used.ru_maxrss * _KB)
        if enough is not None and enough.is_set():
            raise EndedEarly
        left = end - time.monotonic()
        if left <= 0:
            raise subprocess.TimeoutExpired(process.args, seconds)
        pause = min(pause * 2, left, 0.05)
        time.sleep(pause)
    return Usage()


def _end(process: subprocess.Popen[str]) -> Usage:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # Also after its end: a child that it left behind is still in the group.
        os.killpg(process.pid, signal.SIGTERM)
    try:
        return _wait(process, 5)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return _wait(process, 60)
