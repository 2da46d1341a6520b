"""A worker's own side: what it does from its beginning to its end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from mlops_iac.api.fleet.jobs import Job
from mlops_iac.api.fleet.model import Outcome
from mlops_iac.records import Record


class Limits(Record):
    """When a worker is replaced, and when it is given up.

    `blueprints` a worker has done and `bytes` of memory it has are enough for one: what leaks in a
    library, or in a team's own rules, stays bounded. `seconds` is for one blueprint.
    """

    blueprints: int = 1000
    bytes: int = 600 * 1024 * 1024
    seconds: float = 900.0
    # How long a worker may clean up after it was told to stop.
    grace: float = 5.0


def work(
    connection: Connection, job: Job, limits: Limits, inherited: Sequence[Connection], parent: int
) -> None:
    """A worker's life: gets groups of blueprints, answers each with (outcome, whether it goes now).

    Ctrl-C is the business of `parent`; told to stop, or left alone, it cleans up and goes.
    """
    import gc

    from mlops_iac.api.core.templating import share_repositories

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    for other in inherited:
        other.close()
    _end_with(parent)
    _silence()
    share_repositories()
    # As the command line has it: what a blueprint makes goes with it, nearly all without a search.
    gc.set_threshold(50_000, 20, 20)
    gc.freeze()
    turn = 0
    try:
        while (group := connection.recv()) is not None:
            for file in group:
                outcome = job.do(file)
                if outcome is not None:
                    outcome = Outcome(**{**vars(outcome), "peak_bytes": _peak(), "turn": turn})
                if turn == 0:  # what the first one has imported stays for the others
                    gc.collect()
                    gc.freeze()
                turn += 1
                spent = turn >= limits.blueprints or _resident() > limits.bytes
                connection.send((outcome, spent))
                if spent:
                    os._exit(0)
    except (EOFError, OSError, KeyboardInterrupt):
        pass
    # Threads of libraries and of a team's own rules do not keep it.
    os._exit(0)


_PR_SET_PDEATHSIG = 1  # Source: linux/prctl.h


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _end_with(parent: int) -> None:
    """Be told to stop when the parent is gone, however it went: what waits for ever is ended by it.

    Elsewhere than on Linux, a worker goes after the blueprint that it is at.
    """
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(0)  # it was gone before


def _silence() -> None:
    """What programs and rules print is not the report."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _peak() -> int:
    """Largest resident memory so far, in bytes; 0 where it cannot be told."""
    try:
        import resource
    except ImportError:
        return 0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def _resident() -> int:
    """Resident memory now, in bytes."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _peak()
