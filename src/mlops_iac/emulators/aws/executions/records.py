"""Runs as the work folder has them: the record that the runner writes, and whether it goes on.

The record's form is `pipeline.run_record`'s, which is read here as data.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen
from typing import Any

from filelock import FileLock, Timeout

_RECORD = "run.json"
# Its output, where a client has started it and nobody reads it.
SAID = "said.txt"


class Run:
    """One run; `child` is its process where this one has started it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.child: Popen[bytes] | None = None
        self.record: Mapping[str, Any] = {"status": "running", "steps": {}}
        self.changed = datetime.now(UTC)
        self._seen = 0
        self._alive = True

    @property
    def id(self) -> str:
        """Its identity."""
        return self.folder.name

    @property
    def steps(self) -> Mapping[str, Mapping[str, Any]]:
        """What is written of each step, in their order."""
        found: Mapping[str, Mapping[str, Any]] = self.record["steps"]
        return found

    @property
    def goes_on(self) -> bool:
        """Whether it had not ended when it was last read."""
        return self.record["status"] == "running" and self._alive

    @property
    def lost(self) -> bool:
        """Whether its process ended without a word, as one does that is killed."""
        return self.record["status"] == "running" and not self._alive

    def read(self) -> bool:
        """Read what is new; whether anything is."""
        before = (self._seen, self._alive)
        # Looked at first: what is written after that belongs to a process that lives.
        alive = self._lives() if self.record["status"] == "running" else self._alive
        with suppress(OSError, ValueError, KeyError):
            file = self.folder / _RECORD
            found = file.stat().st_mtime_ns
            if found != self._seen:
                self.record = json.loads(file.read_bytes())
                self._seen = found
                self.changed = datetime.fromtimestamp(found / 1e9, UTC)
                alive = alive or (self.record["status"] == "running" and self._lives())
        self._alive = alive
        return (self._seen, self._alive) != before

    def begin(self) -> None:
        """Take it for one that goes on, as it is continued."""
        self.record, self._alive = {**self.record, "status": "running"}, True

    def interrupt(self) -> None:
        """End it as Ctrl-C does."""
        with suppress(OSError):
            if self.child is not None and self.child.poll() is None:
                self.child.send_signal(signal.SIGINT)
            elif self._held():  # then the process in the record is the one that holds it
                os.kill(int(self.record["process"]), signal.SIGINT)

    def last_words(self) -> str:
        """The last line that its process has printed."""
        with suppress(OSError):
            lines = (self.folder / SAID).read_text(errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""

    def _lives(self) -> bool:
        if self.child is not None and self.child.poll() is None:
            return True
        return self._held()

    def _held(self) -> bool:
        """Whether a process holds its lock, which the kernel takes from one that has ended."""
        if not (self.folder / "lock").exists():
            return False
        try:
            with FileLock(self.folder / "lock", timeout=0):
                return False
        except Timeout:
            return True


def ids(runs: Path) -> Iterator[str]:
    """The runs that have a record, in the order in which they began."""
    with suppress(OSError):
        yield from sorted(each.parent.name for each in runs.glob(f"*/{_RECORD}"))


def moment(text: str) -> datetime:
    """A record's time as moto has times: in UTC, without saying so."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def epoch(at: datetime) -> float:
    """Seconds since 1970 of a time as moto has it."""
    return at.replace(tzinfo=UTC).timestamp()
