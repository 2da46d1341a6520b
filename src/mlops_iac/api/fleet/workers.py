"""Worker processes: warm, fed one folder at a time, watched, recycled, and never missed.

A worker is forked from a process that has imported everything, so that a new one costs
milliseconds; where forking is not safe it is spawned. One that dies takes one blueprint with it:
that one is reported, and the next worker goes on with the rest.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mlops_iac.api.fleet.jobs import Job, failure
from mlops_iac.api.fleet.model import Outcome
from mlops_iac.records import Record

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess


class Limits(Record):
    """When a worker is replaced, and when it is given up.

    `blueprints` a worker has done and `bytes` of memory it has are enough for one: what leaks in a
    library, or in a team's own rules, stays bounded. `seconds` is for one blueprint.
    """

    blueprints: int = 400
    bytes: int = 600 * 1024 * 1024
    seconds: float = 900.0
    # How long a worker may clean up after it was told to stop.
    grace: float = 5.0


class Pool:
    """Runs one job over groups of blueprints; those of a group share a folder, so one after another.

    `started` counts the workers there were. A context manager: leaving it ends them.
    """

    def __init__(self, job: Job, size: int, limits: Limits | None = None) -> None:
        self.job = job
        self.size = max(1, size)
        self.limits = limits or Limits()
        self.started = 0
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.tell_to_stop()
        deadline = time.monotonic() + self.limits.grace
        for worker in self._workers:
            worker.end(max(0.0, deadline - time.monotonic()))
        self._workers.clear()

    def run(self, groups: Sequence[Sequence[Path]]) -> Iterator[Outcome]:
        """Yield outcomes as they come. Blueprints without a stack that is meant have none."""
        waiting = deque(list(group) for group in groups)
        while waiting or self._workers:
            while waiting and len(self._workers) < self.size:
                self._workers.append(self._start(waiting.popleft()))
            ready = wait([worker.connection for worker in self._workers], timeout=self._patience())
            for worker in list(self._workers):
                if worker.connection in ready:
                    yield from self._hear(worker, waiting)
                elif worker.late(self.limits.seconds):
                    worker.process.kill()  # heard of as the end of its connection
                    worker.given_up = True

    def _start(self, group: list[Path]) -> _Worker:
        self.started += 1
        worker = _Worker(self.job, [each.connection for each in self._workers])
        worker.give(group)
        return worker

    def _patience(self) -> float:
        now = time.monotonic()
        ends = [worker.since + self.limits.seconds - now for worker in self._workers]
        return max(0.05, min(ends, default=1.0))

    def _hear(self, worker: _Worker, waiting: deque[list[Path]]) -> Iterator[Outcome]:
        try:
            # What it said before it ended is heard first.
            if not worker.connection.poll():
                raise EOFError
            outcome, resident = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._bury(worker, waiting)
            return
        worker.group.pop(0)
        worker.done += 1
        worker.since = time.monotonic()
        if outcome is not None:
            yield outcome
        spent = worker.done >= self.limits.blueprints or resident > self.limits.bytes
        if spent and worker.group:
            waiting.appendleft(worker.group)
            worker.group = []
        if worker.group:
            return
        if waiting and not spent:
            worker.give(waiting.popleft())
        else:
            self._workers.remove(worker)
            worker.tell_to_stop(gently=True)
            worker.end(self.limits.grace)

    def _bury(self, worker: _Worker, waiting: deque[list[Path]]) -> Iterator[Outcome]:
        self._workers.remove(worker)
        worker.end(self.limits.grace)
        if worker.group:
            yield _lost(worker.group[0], worker, self.limits)
            if rest := worker.group[1:]:
                waiting.appendleft(rest)


def _lost(file: Path, worker: _Worker, limits: Limits) -> Outcome:
    shown = file.as_posix()
    code = worker.process.exitcode
    if worker.given_up:
        return failure(
            shown,
            f"there was no end to it within {limits.seconds:g} seconds; its worker was stopped",
            "look at what its policies and its program wait for",
        )
    if code == -9:
        return failure(
            shown,
            "its worker was killed (SIGKILL), as systems do when memory runs out",
            "give it more memory, or look at what its policies and its program do",
        )
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        how = f"its worker crashed ({name})"
    else:
        how = f"its worker ended in the middle (exit code {code})"
    hint = f"`mlops-iac validate -f {shown}` looks at it alone; so do its policies and its program"
    return failure(shown, how, hint)


class _Worker:
    """The parent's side of one worker. `group` begins with the blueprint it is at."""

    def __init__(self, job: Job, others: Sequence[Connection]) -> None:
        context: Any = multiprocessing.get_context("fork" if _can_fork() else "spawn")
        self.connection, child = context.Pipe()
        # A forked child has the parent's ends, too; it closes them, or nobody would ever hear that
        # the parent has gone.
        inherited = [self.connection, *others] if _can_fork() else []
        self.process: BaseProcess = context.Process(
            target=_work, args=(child, job, inherited), daemon=True
        )
        with _no_interrupts():
            self.process.start()
        child.close()
        self.group: list[Path] = []
        self.done = 0
        self.since = time.monotonic()
        self.given_up = False

    def give(self, group: list[Path]) -> None:
        self.group = group
        self.since = time.monotonic()
        # Where it has gone, its end is heard of, and the group goes on with another one.
        with contextlib.suppress(OSError):
            self.connection.send(group)

    def late(self, seconds: float) -> bool:
        return not self.given_up and time.monotonic() - self.since > seconds

    def tell_to_stop(self, *, gently: bool = False) -> None:
        """Let it end: after what it does (`gently`), or at once, its temporary files cleaned up."""
        try:
            if gently:
                self.connection.send(None)
            else:
                self.process.terminate()
        except (OSError, ValueError):
            pass

    def end(self, seconds: float) -> None:
        self.process.join(seconds)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.connection.close()


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Ctrl-C waits until a new worker ignores it; it unblocks the signal when it does."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _can_fork() -> bool:
    """Whether a fork is safe: macOS's frameworks are not after one, Windows has none."""
    return sys.platform == "linux"


def _work(connection: Connection, job: Job, inherited: Sequence[Connection]) -> None:
    """A worker's life. Ctrl-C is the parent's business; told to stop, it cleans up and goes."""
    import gc

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    for other in inherited:
        other.close()
    _silence()
    gc.freeze()
    turn = 0
    try:
        while (group := connection.recv()) is not None:
            for file in group:
                outcome = job.do(file)
                if outcome is not None:
                    outcome = Outcome(**{**vars(outcome), "peak_bytes": _peak(), "turn": turn})
                turn += 1
                connection.send((outcome, _resident()))
    except (EOFError, OSError, KeyboardInterrupt):
        pass
    # Threads of libraries and of a team's own rules do not keep it.
    os._exit(0)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


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
