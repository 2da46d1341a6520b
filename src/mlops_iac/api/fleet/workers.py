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

from mlops_iac import python_child
from mlops_iac.api.fleet.jobs import Job, failure
from mlops_iac.api.fleet.model import Outcome
from mlops_iac.api.fleet.worker import Limits, work

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess


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
        worker = _Worker(self.job, self.limits, [each.connection for each in self._workers])
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
            outcome, spent = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._bury(worker, waiting)
            return
        worker.group.pop(0)
        worker.since = time.monotonic()
        if outcome is not None:
            yield outcome
        if spent and worker.group:
            waiting.appendleft(worker.group)  # of its folder no other worker has one: it has gone
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

    def __init__(self, job: Job, limits: Limits, others: Sequence[Connection]) -> None:
        context: Any = multiprocessing.get_context("fork" if _can_fork() else "spawn")
        if not _can_fork():  # by `python -c`, in the user's folder
            os.environ[python_child.SAFE_PATH] = "1"
        self.connection, child = context.Pipe()
        # A forked child has the parent's ends, too; it closes them, or nobody would ever hear that
        # the parent has gone.
        inherited = [self.connection, *others] if _can_fork() else []
        self.process: BaseProcess = context.Process(
            target=work, args=(child, job, limits, inherited, os.getpid()), daemon=True
        )
        with _no_interrupts():
            self.process.start()
        child.close()
        self.group: list[Path] = []
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
