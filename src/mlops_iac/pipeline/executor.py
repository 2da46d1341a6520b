"""Executes typed tasks on this machine, one after the other, and writes down how each ended.

What a class of tasks does is its handler's to know. A run is kept under `work/runs/<id>/` and can
be continued at any task, with what the earlier ones left.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, assert_never

from mlops_iac.errors import Cancelled, MlopsError, ScriptFailed, UsageError
from mlops_iac.pipeline.run_record import (
    RunRecord,
    StepRecord,
    last_record,
    load_record,
    new_record,
    now,
    only_one,
)
from mlops_iac.pipeline.steps import Task
from mlops_iac.workfolder import made
from mlops_iac.workload.processes import Processes, Usage

EventKind = Literal["start", "line", "note", "done", "reused", "failed"]


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Progress: a step began, printed a line, said something, ended. `seconds`: its duration.

    `at` is its number among those of the run, and how many there are. `cpu_seconds` and `peak_bytes`
    (of the largest process) are what a step took that has ended. The step `environment` is the
    making of the workload's virtual environment: it has no number.
    """

    step: str
    kind: EventKind
    message: str = ""
    seconds: float = 0.0
    at: tuple[int, int] | None = None
    cpu_seconds: float = 0.0
    peak_bytes: int = 0

    def __str__(self) -> str:
        """One line for a person."""
        match self.kind:
            case "start":
                number = f"[{self.at[0]}/{self.at[1]}] " if self.at else ""
                return f"{number}{self.step} …"
            case "line" | "note":
                return f"  {self.message}"
            case "reused":
                return f"{self.step}: as {self.message or 'before'}"
            case "done":
                took = f"; {self.cpu_seconds:.1f} s of processors" if self.cpu_seconds else ""
                took += f", {self.peak_bytes / 1e6:.0f} MB" if self.peak_bytes else ""
                return f"{self.step}: done in {self.seconds:.1f} s{took}"
            case "failed":
                return f"{self.step}: failed: {self.message}"
            case never:
                assert_never(never)


OnRunEvent = Callable[[RunEvent], None]
# What a task leaves for later ones, as JSON: `{"uri": …}`.
Left = Mapping[str, Any]
Handlers = Mapping[type[Task], Callable[[Any], Left]]


class Stopped(Exception):
    """A handler ends the run in good order: no further task, and `status` for the whole.

    The record shows the `reasons` at a step `step` of their own; the task itself has succeeded.
    """

    def __init__(self, step: str, status: str, reasons: Sequence[str]) -> None:
        super().__init__(status)
        self.step, self.status, self.reasons = step, status, reasons


@dataclass
class Run:
    """A run that goes on, as handlers see it. `folder` is its own; `seconds` counts this process."""

    record: RunRecord
    folder: Path
    processes: Processes
    _say: OnRunEvent
    _began: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        """Its identity; sorts by time."""
        return self.record.id

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._began

    def left(self, task: str) -> Left:
        """What a task has left, in this process or in an earlier one."""
        return self.record.steps[task].properties

    def tell(self, step: str, kind: EventKind, message: str = "", **more: Any) -> None:
        """Tell of progress; `more` are the event's."""
        self._say(RunEvent(step, kind, message, **more))

    @contextmanager
    def before(self, step: str) -> Iterator[None]:
        """What is done before the first task: told like one, and recorded only where it fails."""
        began = time.monotonic()
        self.tell(step, "start")
        try:
            yield
        except MlopsError as error:
            failed = StepRecord(
                step, "", "failed", ended_at=now(), error=_short(error.__cause__ or error)
            )
            self.record.steps[step], self.record.status = failed, "failed"
            self.record.save(self.folder)
            raise
        self.tell(step, "done", seconds=time.monotonic() - began)

    def execute(self, tasks: Sequence[Task], handlers: Handlers, done: str) -> None:
        """Execute what the record does not hold yet. Raises what handlers raise."""
        record = self.record
        for number, task in enumerate(tasks, 1):
            if task.name in record.steps:
                record.steps[task.name].status = "reused"
                self.tell(task.name, "reused")
            elif (
                stopped := self._step(task, handlers[type(task)], (number, len(tasks)))
            ) is not None:
                why = "; ".join(stopped.reasons)
                record.steps[stopped.step] = StepRecord(
                    stopped.step, "Stop", "failed", ended_at=now(), error=why
                )
                record.status = stopped.status
                record.save(self.folder)
                self.tell(stopped.step, "failed", why)
                return
        record.status = done
        record.save(self.folder)

    def _step(
        self, task: Task, handler: Callable[[Any], Left], at: tuple[int, int]
    ) -> Stopped | None:
        began = time.monotonic()
        stopped = None
        used = self.processes.used = Usage()
        self.tell(task.name, "start", at=at)
        current = self.record.steps[task.name] = StepRecord(task.name, type(task).__name__)
        self.record.save(self.folder)
        try:
            try:
                current.properties = handler(task)
            except Stopped as found:
                stopped = found
            if current.cached_from:
                current.status = "reused"
                self.tell(task.name, "reused", f"run {current.cached_from} left it", at=at)
            else:
                current.status = "succeeded"
                seconds = time.monotonic() - began
                self.tell(task.name, "done", seconds=seconds, at=at, **vars(used))
        except BaseException as error:
            current.error = _short(error)
            ended = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
            current.status = self.record.status = ended
            self.tell(task.name, "failed", current.error, seconds=time.monotonic() - began)
            raise
        finally:
            current.seconds, current.ended_at = round(time.monotonic() - began, 3), now()
            current.cpu_seconds, current.peak_bytes = round(used.cpu_seconds, 3), used.peak_bytes
            self.record.save(self.folder)
        return stopped


def execute(
    tasks: Sequence[Task],
    start: Callable[[Run], Handlers],
    *,
    name: str,
    work: Path,
    done: str,
    from_step: str | None = None,
    identity: str = "",
    on_event: OnRunEvent | None = None,
) -> Run:
    """Execute `tasks` in their order and return the run; its record says how it ended.

    `start` gives the handler of each class of tasks, and does what comes before the first of them.
    `work` is the project's `.mlops-iac/`; `name` is that of the tasks as a whole, by which their
    last run is found again. `done` is the status of a run that came to its end. `from_step`
    continues the last run at that task, under its id, with what the earlier tasks left; with
    `identity` that run. A new run gets the `identity`, or one of its own.

    Raises UsageError (there is nothing to continue), Cancelled (interrupted; `from_step`
    continues), MlopsError (no space), and what handlers raise.
    """
    digest = sha256(repr(tuple(tasks)).encode()).hexdigest()
    processes = Processes()
    run: Run | None = None
    try:
        made(work)
        record = _record(work / "runs", name, digest, tasks, from_step, done, identity)
        run = Run(record, work / "runs" / record.id, processes, on_event or (lambda _: None))
        with only_one(run.folder):
            try:
                run.execute(tasks, start(run), done)
            finally:
                processes.stop()
    except KeyboardInterrupt:
        step = next(reversed(run.record.steps), "") if run is not None else ""
        then = f"`--from {step}` goes on there" if step else "run it again"
        raise Cancelled("the run was interrupted", hint=then) from None
    except OSError as error:
        raise MlopsError(
            f"the run cannot write its files: {error}",
            hint=f"make room for {work}, or give access to it, and run it again",
        ) from error
    return run


def _record(
    runs: Path,
    name: str,
    digest: str,
    tasks: Sequence[Task],
    from_step: str | None,
    done: str,
    identity: str,
) -> RunRecord:
    if from_step is None:
        return new_record(name, digest, identity)
    names = [task.name for task in tasks]
    if from_step not in names:
        raise UsageError(
            f"the pipeline has no step {from_step!r}", hint=f"steps: {', '.join(names)}"
        )
    record = load_record(runs / identity) if identity else last_record(runs, name)
    earlier = names[: names.index(tasks[names.index(from_step)].starts_at)]
    for each in earlier:
        step = record.steps.get(each)
        if step is None or step.status not in ("succeeded", "reused"):
            raise UsageError(
                f"run {record.id} cannot be continued at {from_step}: its step {each} is not done",
                hint=f"continue at {each}, or start a new run without --from",
            )
    if record.status == done:
        raise UsageError(
            f"run {record.id} has come to its end ({done}); it cannot be continued",
            hint="start a new run, without --from",
        )
    record.definition, record.status, record.missed = digest, "running", []
    record.process = os.getpid()
    record.steps = {each: record.steps[each] for each in earlier}
    return record


def _short(error: BaseException) -> str:
    """What failed, without the end of its log, whose lines were told as they came."""
    match error:
        case ScriptFailed():
            return error.reason
        case MlopsError():
            return error.message
        case _:
            return type(error).__name__
