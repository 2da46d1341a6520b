"""What a local run writes down, so that it can be looked at and continued."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.workfolder import write_durably

# Of what steps leave; a run that was written in another shape cannot be continued.
_VERSION = 2


@dataclass(slots=True)
class StepRecord:
    """One step: `properties` is what later steps read of it. Times are ISO 8601 in UTC.

    `cpu_seconds` its processes took; the largest of them had `peak_bytes` of memory. `inputs` is the digest
    of all that a job depends on; one whose results were taken from another run has that in `cached_from`.
    """

    name: str
    type: str
    status: str = "running"
    started_at: str = field(default_factory=lambda: now())
    ended_at: str = ""
    seconds: float = 0.0
    properties: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    inputs: str = ""
    cached_from: str = ""


@dataclass(slots=True)
class RunRecord:
    """One run. `definition` is the SHA-256 of what was last run.

    `metrics`, `current`, `missed` and `registered` are of a training: what was measured, the version in
    service that it was compared with, which limits were missed, which version came of it; `hyperparameters` what its training was given, and `given` those
    of them that are this run's own. `process` is the one that executes it, or did at last.
    """

    id: str
    pipeline: str
    definition: str
    started_at: str
    status: str = "running"
    process: int = field(default_factory=os.getpid)
    steps: dict[str, StepRecord] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    current: Mapping[str, Any] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    registered: str | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write it so that an interruption leaves the old or the new one, whole."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"version": _VERSION, **asdict(self)}, indent=2) + "\n"
        write_durably(folder / "run.json", text.encode())


def now() -> str:
    """The present moment, as records have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_record(pipeline: str, definition: str, identity: str = "") -> RunRecord:
    """A record, with an id that sorts by time where none is given."""
    identity = identity or f"{datetime.now(UTC):%Y%m%d%H%M%S}{secrets.token_hex(3)}"
    return RunRecord(identity, pipeline, definition, now())


def load_record(folder: Path) -> RunRecord:
    """A run's record. Raises UsageError where it cannot be read."""
    try:
        loaded = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        if loaded.pop("version") != _VERSION:
            raise ValueError("another version of mlops-iac wrote it")
        steps = {name: StepRecord(**step) for name, step in loaded.pop("steps").items()}
        return RunRecord(**loaded, steps=steps)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{folder / 'run.json'} cannot be read: {error}", hint="start a new run, without --from"
        ) from error


class Recording:
    """A run as it is written down step by step, in a `folder` of its own."""

    def __init__(self, record: RunRecord, folder: Path) -> None:
        self.record, self.folder = record, folder

    @contextmanager
    def step(self, name: str, kind: str) -> Iterator[dict[str, Any]]:
        """A step while it goes on; it leaves what is put into the mapping."""
        began = time.monotonic()
        left: dict[str, Any] = {}
        step = self.record.steps[name] = StepRecord(name, kind, properties=left)
        self.record.save(self.folder)
        try:
            yield left
            step.status = "succeeded"
        except BaseException as error:
            step.status = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
            step.error = error.message if isinstance(error, MlopsError) else str(error)
            raise
        finally:
            step.seconds, step.ended_at = round(time.monotonic() - began, 3), now()
            self.record.save(self.folder)


@contextmanager
def recorded(runs: Path, pipeline: str, identity: str, done: str) -> Iterator[Recording]:
    """Write a run down while it goes on; `done` is its status at a good end."""
    record = new_record(pipeline, "", identity)
    run = Recording(record, runs / record.id)
    with only_one(run.folder):
        record.save(run.folder)
        try:
            yield run
            record.status = done
        except BaseException as error:
            record.status = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
            raise
        finally:
            record.save(run.folder)


@contextmanager
def only_one(folder: Path, seconds: float = 1.0) -> Iterator[None]:
    """Hold a run's lock; the kernel releases it however its process ends.

    Whoever looks whether it is held has it for a moment: `seconds` are waited for. Raises UsageError where another process holds it.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", timeout=seconds):
            yield
    except Timeout:
        raise UsageError(
            f"run {folder.name} is being continued by another process", hint="wait for its end"
        ) from None


def goes_on(folder: Path) -> bool:
    """Whether a process holds the run's lock."""
    try:
        with only_one(folder, 0):
            return False
    except UsageError:
        return True


def last_record(runs: Path, pipeline: str) -> RunRecord:
    """The newest run of that pipeline. Raises UsageError where there is none."""
    for folder in sorted(runs.glob("*"), reverse=True):
        if (folder / "run.json").exists():
            record = load_record(folder)
            if record.pipeline == pipeline:
                return record
    raise UsageError(
        f"{pipeline} has not been run here, so there is nothing to continue",
        hint="run it without --from",
    )


def given_to(runs: Path, pipeline: str, identity: str = "") -> Mapping[str, str]:
    """The hyperparameters that a run was given, or the newest of that pipeline; none without one."""
    try:
        return (load_record(runs / identity) if identity else last_record(runs, pipeline)).given
    except UsageError:
        return {}  # who continues it says what is wrong
