"""Whose a process is, and signals that reach it and no other.

A process id that was read from a file proves nothing: the file may be old or forged, and the id given
to another process since.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PROC = Path("/proc/self/stat").exists()


def began(pid: int) -> str:
    """When a process of this user began, in the system's own words; empty where there is none.

    With its id that names one process: a later one of the same id began later.
    """
    if not _PROC:
        return _ps(pid, "lstart")
    try:
        folder = Path(f"/proc/{pid}")
        if folder.stat().st_uid != os.getuid():
            return ""
        # The program's name stands in parentheses and may hold any; then field 22 of proc(5).
        return (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def started_with(pid: int, words: Sequence[str]) -> bool:
    """Whether a process of this user was given exactly these first words, after its interpreter."""
    if not _PROC:
        return f" {' '.join(words)} " in f"{_ps(pid, 'command')} "
    try:
        folder = Path(f"/proc/{pid}")
        line = (folder / "cmdline").read_bytes().decode(errors="surrogateescape")
        ours = folder.stat().st_uid == os.getuid()
    except OSError:
        return False
    return ours and line.split("\0")[1 : 1 + len(words)] == list(words)


def _ps(pid: int, column: str) -> str:
    """One column about a process of this user where there is no /proc (macOS)."""
    answer = subprocess.run(
        ["ps", "-ww", "-p", str(pid), "-o", "uid=", "-o", f"{column}="],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    owner, _, rest = answer.stdout.strip().partition(" ")
    return rest.strip() if owner == str(os.getuid()) else ""


@contextmanager
def held(pid: int) -> Iterator[Callable[[int], None]]:
    """Hold a process while it is looked at; what is yielded signals it and no later one of its id.

    Raises ProcessLookupError where there is none. Where the system cannot hold one, the id is used.
    """
    handle = -1
    if hasattr(os, "pidfd_open"):
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            raise
        except OSError:  # a kernel, or a sandbox, that has none
            handle = -1
    try:
        if handle < 0:
            yield lambda number: os.kill(pid, number)
        else:
            yield lambda number: signal.pidfd_send_signal(handle, number)
    finally:
        if handle >= 0:
            os.close(handle)
