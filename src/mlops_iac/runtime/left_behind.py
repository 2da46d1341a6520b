"""Ends what a script has started and left running, also where it left the script's group.

A container ends so by itself; under the local runner a daemon would outlive its run.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from pathlib import Path

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)


@contextlib.contextmanager
def nothing() -> Iterator[None]:
    """Whatever is started in the block ends with it. On Linux; elsewhere this does nothing."""
    own = set(_children())
    _adopt(1)
    try:
        yield
    finally:
        while left := set(_children()) - own:
            for child in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child, 0)
        _adopt(0)


def _adopt(yes: int) -> None:
    """Whether what loses its parent, below this process, becomes its child."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SUBREAPER, yes, 0, 0, 0)


def _children() -> Iterator[int]:
    me = os.getpid()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            # `pid (name) state ppid …`; the name may hold anything, brackets too: proc(5).
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == me:
                yield int(stat.parent.name)
