"""The journal beside a state file: one line per step of an operation, durable before it counts.

A line is the CRC-32 of its JSON, a blank, the JSON. The first line names the serial of the state
it continues. A last line that was cut off never counted; any other damage is an error.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops_iac.engine.embedded.checkpoint import Damaged
from mlops_iac.workfolder import sync_folder


class Journal:
    """Appends records. Threads that wait for the disk at the same time share one fsync."""

    def __init__(self, file: Path, serial: int) -> None:
        self._file = file
        self._serial = serial
        self._handle: int | None = None
        self._write_lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._written = 0
        self._synced = 0
        self._broken: OSError | None = None

    def append(self, record: Mapping[str, Any], *, durable: bool) -> None:
        """Write a record; `durable` waits until it is on the disk. Raises OSError."""
        with self._write_lock:
            if self._broken is not None:
                raise self._broken
            if self._handle is None:
                self._open()
            self._write(record)
            self._written += 1
            mine = self._written
        if not durable:
            return
        with self._sync_lock:
            if self._synced >= mine:
                return
            seen = self._written
            assert self._handle is not None
            os.fsync(self._handle)
            self._synced = seen

    def _open(self) -> None:
        new = not self._file.exists() or self._file.stat().st_size == 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        self._handle = os.open(self._file, flags, 0o600)
        if new:
            self._write({"kind": "base", "serial": self._serial})
            sync_folder(self._file.parent)

    def _write(self, record: Mapping[str, Any]) -> None:
        assert self._handle is not None
        text = json.dumps(record, separators=(",", ":")).encode()
        line = b"%08x %s\n" % (zlib.crc32(text), text)
        end = os.fstat(self._handle).st_size
        try:
            rest = line
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError as error:
            # A half line in the middle would make the whole journal unreadable.
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, end)
            self._broken = error
            raise

    def close(self) -> None:
        """Close the file."""
        with self._write_lock:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None

    def remove(self) -> None:
        """Its records stand in the state file now."""
        self.close()
        if self._file.exists():
            self._file.unlink()
            sync_folder(self._file.parent)


def read(file: Path) -> tuple[int | None, Iterator[dict[str, Any]]]:
    """The serial of the state the journal continues, None if empty, and its records.

    Raises Damaged, naming the line.
    """
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return None, iter(())
    records: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        if number == len(lines):
            break  # after the last newline: nothing, or a line that was cut off
        try:
            checksum, text = line[:8], line[9:]
            if int(checksum, 16) != zlib.crc32(text):
                raise ValueError("the checksum does not fit")
            records.append(json.loads(text))
        except ValueError as error:
            raise Damaged(f"line {number}: {error}") from error
    if not records:
        return None, iter(())
    if records[0].get("kind") != "base":
        raise Damaged("line 1: it does not say which state it continues")
    return records[0]["serial"], iter(records[1:])


def cut_torn_line(file: Path) -> None:
    """Take a cut-off last line away before anything is appended."""
    data = file.read_bytes()
    if data and not data.endswith(b"\n"):
        with file.open("r+b") as handle:
            handle.truncate(data.rfind(b"\n") + 1)
            os.fsync(handle.fileno())
