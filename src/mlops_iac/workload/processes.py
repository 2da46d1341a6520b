"""Subprocesses of a local run: logged, timed out, and ended with us, children included."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from mlops_iac.errors import ResourceFailed, ScriptFailed, TimedOut
from mlops_iac.runtime import contract

_TAIL = 20
# What a script may see of the user's environment: no credentials, nothing of our own Python.
_KEPT = ("PATH", "HOME", "USER", "LANG", "LANGUAGE", "TMPDIR", "TZ", "SSL_CERT_FILE")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def clean_environment(*prefixes: str) -> dict[str, str]:
    """The part of the user's environment that the workload sees, and what has these prefixes."""
    names = (*_KEPT, *_PROXIES)
    wanted = ("LC_", *prefixes)
    return {k: v for k, v in os.environ.items() if k in names or k.startswith(wanted)}


class Processes:
    """Every subprocess of one run, so that an interruption ends all of them."""

    def __init__(self) -> None:
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
    ) -> None:
        """Run to its end, writing its output to `log` (appended).

        Raises ScriptFailed where it ends with an error, TimedOut after `seconds`.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        tail: deque[str] = deque(maxlen=_TAIL)
        process = self._start(command, env)
        reader = threading.Thread(target=_read, args=(process, log, tail, on_line), daemon=True)
        reader.start()
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise TimedOut(
                f"{what} ran longer than {seconds / 60:g} minutes and was stopped",
                hint=f"its log: {log}; `timeout_minutes` of the step says how long it may run",
            ) from None
        finally:
            _end(process)
            reader.join(timeout=5)
            with self._lock:
                self._live.discard(process)
        if code:
            reason = _reason(what, code, tail)
            if code < 0:  # which nobody has told yet
                tail.append(reason)
                on_line(reason)
            raise ScriptFailed(what, list(tail), log, reason)

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


def _read(
    process: subprocess.Popen[str], log: Path, tail: deque[str], on_line: Callable[[str], None]
) -> None:
    assert process.stdout is not None
    with log.open("a", encoding="utf-8") as file:
        for line in process.stdout:
            file.write(line)
            file.flush()
            text = line.rstrip("\n")
            tail.append(text)
            on_line(text)


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # Also after its end: a child that it left behind is still in the group.
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
