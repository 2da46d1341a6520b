"""A stack's state on disk: locked, journalled, written atomically.

`<work>/state/<stack>.json` is the checkpoint, `.journal` what happened since, `.lock` the lock
(released by the kernel when its holder dies), `secrets.key` the key of the secrets.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from mlops_iac.engine.embedded import checkpoint, journal
from mlops_iac.engine.embedded.secretbox import SecretBox
from mlops_iac.engine.embedded.state import Mutation, Pending, Snapshot
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.workfolder import made, write_durably


class Store:
    """The state of one stack while a command runs. Methods may be called from several threads.

    Without `persist` nothing is written: a preview works on a copy that is thrown away.
    """

    def __init__(self, target: StackTarget, *, persist: bool) -> None:
        _check_name(target.stack)
        self._target = target
        self.folder = target.work / "state"
        self.file = self.folder / f"{target.stack}.json"
        self._journal_file = self.folder / f"{target.stack}.journal"
        self._box = SecretBox(self.folder / "secrets.key")
        self._persist = persist
        self._lock = threading.RLock()
        self._changed = False
        self.snapshot = self._load()
        self._journal = journal.Journal(self._journal_file, self.snapshot.serial)

    # -- reading -----------------------------------------------------------------------------
    def _load(self) -> Snapshot:
        # A reader holds no lock; if a writer compacts between the two reads, read again.
        for _ in range(100):
            before = _version(self.file)
            snapshot = self._read_state()
            self._replay(snapshot)
            if self._persist or _version(self.file) == before:
                return snapshot
        raise MlopsError(f"the state {self.file} does not stop changing")

    def _read_state(self) -> Snapshot:
        try:
            data = json.loads(self.file.read_bytes())
        except FileNotFoundError:
            return Snapshot()
        except OSError as error:
            raise MlopsError(f"cannot read the state {self.file}: {error.strerror}") from error
        except ValueError as error:
            raise damaged(self.file, f"it is not JSON: {error}") from error
        try:
            snapshot = checkpoint.decode(data, self._box)
        except checkpoint.Damaged as error:
            raise damaged(self.file, str(error)) from error
        self._changed = bool(snapshot.pending)
        return snapshot

    def _replay(self, snapshot: Snapshot) -> None:
        try:
            base, records = journal.read(self._journal_file)
            if base is None or base < snapshot.serial:
                # Compacted already: the process died before it could remove the journal.
                if self._persist and self._journal_file.exists():
                    self._journal_file.unlink()
                return
            if base > snapshot.serial:
                raise checkpoint.Damaged(
                    f"it continues the state with serial {base}, the state has {snapshot.serial}"
                )
            for record in records:
                self._changed = True
                self._take(snapshot, record)
            if self._persist:
                journal.cut_torn_line(self._journal_file)
        except checkpoint.Damaged as error:
            raise damaged(self._journal_file, str(error)) from error
        except OSError as error:
            raise MlopsError(
                f"cannot read the journal {self._journal_file}: {error.strerror}"
            ) from error

    def _take(self, snapshot: Snapshot, record: dict[str, Any]) -> None:
        try:
            if record["kind"] == "salt":
                snapshot.salt = record["salt"]
                return
            if record["kind"] == "begin":
                pending = checkpoint.decode_pending(record, self._box)
                snapshot.pending[pending.token] = pending
                return
            if record["kind"] == "end":
                snapshot.pending.pop(record["token"], None)
            snapshot.apply(
                Mutation(
                    put={
                        key: checkpoint.decode_entry(
                            item["resource"], self._box, recorded=item["recorded"]
                        )
                        for key, item in record["put"].items()
                    },
                    drop=record["drop"],
                    counters=record["counters"],
                )
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise checkpoint.Damaged(f"a record is not as it must be: {error!r}") from error

    # -- writing -----------------------------------------------------------------------------
    def begin(self, pending: Pending) -> None:
        """An operation is about to start. Raises MlopsError if that cannot be made durable."""
        with self._lock:
            self.snapshot.pending[pending.token] = pending
            self._changed = True
        try:
            self._append({"kind": "begin", **checkpoint.encode_pending(pending, self._box)}, True)
        except MlopsError:
            # Not begun: nothing was asked of the provider yet.
            with self._lock:
                self.snapshot.pending.pop(pending.token, None)
            raise

    def end(self, token: str, mutation: Mutation) -> None:
        """An operation ended. If that cannot be written it stays pending and is found again."""
        with self._lock:
            self.snapshot.pending.pop(token, None)
            self.snapshot.apply(mutation)
            self._changed = True
        self._append({"kind": "end", "token": token, **self._encode(mutation)}, True)

    def note(self, mutation: Mutation) -> None:
        """A change of the state alone; losing it costs nothing but doing it again."""
        if not mutation:
            return
        with self._lock:
            self.snapshot.apply(mutation)
            self._changed = True
        self._append({"kind": "note", **self._encode(mutation)}, False)

    def _encode(self, mutation: Mutation) -> dict[str, Any]:
        if not self._persist:
            return {}
        return {
            "put": {
                key: {
                    "resource": checkpoint.encode_entry(entry, self._box),
                    "recorded": entry.recorded,
                }
                for key, entry in mutation.put.items()
            },
            "drop": list(mutation.drop),
            "counters": dict(mutation.counters),
        }

    def _append(self, record: dict[str, Any], durable: bool) -> None:
        if not self._persist:
            return
        try:
            self._journal.append(record, durable=durable)
        except OSError as error:
            raise MlopsError(
                f"cannot write the journal {self._journal_file}: {error.strerror}",
                hint="make room or give access; what was done so far is kept",
            ) from error

    def prepare(self) -> None:
        """Make the salt durable before the first name is made from it."""
        if self._persist and not self.file.exists() and not self._journal_file.exists():
            self._append({"kind": "salt", "salt": self.snapshot.salt}, True)
            self._changed = True

    def forget_names(self) -> None:
        """Where nothing is left, what is made next has other names, as with the real engine.

        A cloud may keep those of what it deleted for a while.
        """
        if not any(self.snapshot.live()) and not self.snapshot.pending:
            self.snapshot.salt, self._changed = secrets.token_hex(16), True

    def compact(self) -> None:
        """Write the state file and remove the journal. Raises MlopsError; nothing is lost then."""
        if not self._persist or not self._changed:
            self._journal.close()
            return
        with self._lock:
            self.snapshot.serial += 1
            data = checkpoint.encode(
                self.snapshot, self._target.project, self._target.stack, self._box
            )
        try:
            write_durably(self.file, json.dumps(data, indent=1).encode())
            self._journal.remove()
        except OSError as error:
            self.snapshot.serial -= 1
            raise MlopsError(
                f"cannot write the state {self.file}: {error.strerror}",
                hint="what was done is kept in the journal beside it; make room and run again",
            ) from error
        self._changed = False

    def new_token(self) -> str:
        """The name of one operation."""
        return uuid4().hex


def _check_name(stack: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", stack):
        raise UsageError(f"{stack!r} is not a stack name: letters, digits, `_`, `.`, `-`")


def _version(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def damaged(file: Path, why: str) -> MlopsError:
    """What is said of a state that is none."""
    return MlopsError(
        f"{file} is damaged: {why}",
        hint="nothing was changed; restore the file, or move it away together with the emulator's data",
    )


def holder(target: StackTarget) -> str:
    """Which command works on the stack right now; nothing where none does."""
    try:
        handle = os.open(target.work / "state" / f"{target.stack}.lock", os.O_RDONLY)
    except OSError:
        return ""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _said(handle)
    finally:
        os.close(handle)
    return ""


def _said(handle: int) -> str:
    return os.read(handle, 200).decode(errors="replace").strip() or "another process"


@contextlib.contextmanager
def open_store(target: StackTarget, command: str) -> Iterator[Store]:
    """The state, locked for `command`. Raises MlopsError while another process holds it."""
    _check_name(target.stack)
    folder = target.work / "state"
    try:
        made(target.work)
        folder.mkdir(exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        handle = os.open(folder / f"{target.stack}.lock", flags, 0o600)
    except OSError as error:
        raise MlopsError(f"cannot write to {folder}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MlopsError(
                f"the stack {target.stack} is in use: {_said(handle)}",
                hint="wait for it to end, or end that process; its lock goes with it",
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"`{command}`, process {os.getpid()}".encode(), 0)
        yield Store(target, persist=True)
    finally:
        os.close(handle)
