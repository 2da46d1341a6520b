"""A text file that is read and written byte for byte."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mlops_iac.blueprint.source import read
from mlops_iac.errors import MlopsError, UsageError

_MARK = b"\xef\xbb\xbf"


class TextFile:
    """A file as it was read. Raises UsageError where it is no text, as `source.read` does."""

    def __init__(self, path: Path, shown: str = "") -> None:
        self.path = path
        self.shown = shown or _from_here(path)
        self.text = read(path, self.shown).text
        self._data = path.read_bytes()

    def write(self, text: str) -> bool:
        """Replace the file's text; False where it is the same already.

        All of it or nothing, with the file's mode and byte order mark, through links. Raises
        UsageError where somebody changed the file in between, or it cannot be written.
        """
        data = (_MARK if self._data.startswith(_MARK) else b"") + text.encode()
        if data == self._data:
            return False
        target = self.path.resolve()
        try:
            with _alone(target):
                self._replace(target, data)
        except OSError as error:
            raise MlopsError(
                f"{self.shown} cannot be written: {error.strerror}", hint="it is as it was"
            ) from None
        self._data, self.text = data, text
        return True

    def _replace(self, target: Path, data: bytes) -> None:
        if target.read_bytes() != self._data:
            raise UsageError(
                f"{self.shown} was changed by somebody else in the meantime; nothing was written",
                hint="run it again",
            )
        staged = stage(target, data)
        try:
            staged.replace(target)
        finally:
            staged.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Let no other command look at the file and write it at once, where the system has locks.

    Who waited holds a file that was replaced, looks again at what the path has, and is refused.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with target.open("rb") as stream:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


_LEFT_BEHIND = 3600
"""Seconds after which what was staged belongs to nobody: its process was killed."""


def stage(target: Path, content: bytes) -> Path:
    """Write beside the target, durably and with its mode, so that a rename completes it.

    Raises OSError; nothing is left then.
    """
    unstage(target, _LEFT_BEHIND)
    number, name = tempfile.mkstemp(dir=target.parent, prefix=_prefix(target))
    temporary = Path(name)
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def unstage(target: Path, seconds: float = 0) -> None:
    """Remove what was staged for a target longer ago than `seconds`, by who was killed."""
    for left in target.parent.glob(f"{glob.escape(_prefix(target))}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime >= seconds:
                left.unlink()


def _prefix(target: Path) -> str:
    return f".{target.name}.mlops-iac-"


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current


def _from_here(path: Path) -> str:
    """The path as people in this folder would write it."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
