"""A command that reads what strangers wrote, in a process of its own with bounds.

It gets little of this one's environment: no token, no credentials, no network of ours to find
templates in. Its time, memory, files and output end; whoever asked is told which did.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Final

from mlops_iac import python_child
from mlops_iac.errors import MlopsError, TimedOut

SECONDS: Final = 480.0
"""Wall clock. The generated jobs end after 15 minutes, installation and comments included."""
MEMORY: Final = 4 * 1024**3
"""Bytes of address space; the example's previews take 1.3 GiB of it, of which 0.1 are used."""
FILE: Final = 256 * 1024**2
"""Bytes of one file that it writes."""
OUTPUT: Final = 4 * 1024**2
"""Bytes that it prints."""
INSIDE: Final = "MLOPS_IAC_BOUNDED"
_KEPT: Final = frozenset(
    {
        "CI", "COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "GITLAB_CI", "HOME", "LANG", "LANGUAGE",
        "LC_ALL", "LC_CTYPE", "MLOPS_IAC_CACHE", "MLOPS_IAC_RUN_EJECTED",
        "NO_COLOR", "PATH", "TERM", "TF_BUILD", "TMPDIR",
        "TZ", "USER", "VIRTUAL_ENV", "XDG_CACHE_HOME",
    }
)  # fmt: skip


def inside() -> bool:
    """Whether this process is the bounded one."""
    return os.environ.get(INSIDE) == "1"


def run(
    words: Sequence[str], folder: str, *, seconds: float = SECONDS, memory: int = MEMORY
) -> int:
    """Run `mlops-iac WORDS` bounded, in `folder` or, without one, in this one; its exit code.

    Raises TimedOut after `seconds`, MlopsError where another bound ended it.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-iac-fork-") as temporary:
        return _run(
            words, folder, {**_environment(os.environ), "TMPDIR": temporary}, seconds, memory
        )


def _run(
    words: Sequence[str], folder: str, environment: Mapping[str, str], seconds: float, memory: int
) -> int:
    process = subprocess.Popen(
        python_child.command("-m", "mlops_iac", *words),
        cwd=folder or None,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: _limit(memory, seconds),
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    assert process.stdout is not None and process.stderr is not None
    told = _Told(process)
    threads = [
        threading.Thread(target=told.pass_on, args=pair, daemon=True)
        for pair in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
    ]
    for thread in threads:
        thread.start()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise TimedOut(
            f"it took more than {seconds:.0f} seconds and was ended", hint=_HINT
        ) from None
    finally:
        _end(process)
        for thread in threads:
            thread.join(5)
    if told.too_much:
        raise MlopsError(f"it printed more than {OUTPUT >> 20} MiB and was ended", hint=_HINT)
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        raise MlopsError(
            f"it was ended by {name}: most likely it needed more than {memory >> 30} GiB of memory,"
            f" {FILE >> 20} MiB for a file, or more time of the processor than there is",
            hint=_HINT,
        )
    return process.returncode


_HINT: Final = "a maintainer looks at it on a branch of this repository"


class _Told:
    """Passes on what a process prints, up to a bound for both streams together."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.too_much = False
        self._process = process
        self._left = OUTPUT

    def pass_on(self, stream: IO[str], to: IO[str]) -> None:
        while text := stream.readline(8192):
            self._left -= len(text)
            if self._left < 0:
                self.too_much = True
                _end(self._process)
                return
            to.write(text)
            to.flush()


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in given.items() if name in _KEPT}
    return {**kept, INSIDE: "1", "MLOPS_IAC_OFFLINE": "1", python_child.SAFE_PATH: "1"}


def _limit(memory: int, seconds: float) -> None:
    import resource

    # Whoever started it may be killed, and can end it no longer.
    signal.alarm(int(seconds) + 10)
    processor = int(seconds) + 1
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, FILE),
        (resource.RLIMIT_CPU, processor * 2),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))
