"""Files that are read and written byte for byte: one or several, all of them or none."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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

    def with_text(self, text: str) -> Rewrite:
        """The file with another text, which keeps its byte order mark."""
        data = (_MARK if self._data.startswith(_MARK) else b"") + text.encode()
        return Rewrite(self.path, self._data, data, self.shown)

    def write(self, text: str) -> bool:
        """Replace the file's text; False where it is the same already. Raises as `rewrite`."""
        change = self.with_text(text)
        if not rewrite([change]):
            return False
        self._data, self.text = change.new or b"", text
        return True


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What a file holds and what it is to hold, in bytes; None where it is not there.

    `shown` is what messages call it.
    """

    path: Path
    old: bytes | None
    new: bytes | None
    shown: str


def rewrite(files: Sequence[Rewrite]) -> list[Path]:
    """Write all files, in this order, and return the paths of those that changed.

    Links are followed, modes stay. Raises UsageError where a file is not what it was when it was
    read, MlopsError where one cannot be written; then all of them are as they were.
    """
    wanted = [each for each in files if each.new != each.old]
    with contextlib.ExitStack() as alone:
        for each in wanted:
            alone.enter_context(_alone(each.path.resolve()))
            if _bytes(each.path) != each.old:
                raise UsageError(
                    f"{each.shown} was changed by somebody else in the meantime; nothing was"
                    " written",
                    hint="run it again",
                )
        _write(wanted)
    return [each.path for each in wanted]


def _write(wanted: Sequence[Rewrite]) -> None:
    staged: dict[Path, Path] = {}
    shown = ""
    try:
        for each in wanted:
            shown, target = each.shown, each.path.resolve()
            if each.new is not None:
                staged[target] = stage(target, each.new)
        _replace(wanted, staged)
    except OSError as error:
        raise _failed(shown, error) from None
    finally:
        for temporary in staged.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _replace(wanted: Sequence[Rewrite], staged: Mapping[Path, Path]) -> None:
    done: list[tuple[Rewrite, Path]] = []
    try:
        for each in wanted:
            target = each.path.resolve()
            done.append((each, target))
            if target in staged:
                staged[target].replace(target)
            else:
                target.unlink()
    except BaseException as error:
        for each, target in done:
            _put_back(each, target)
        if isinstance(error, OSError):
            raise _failed(done[-1][0].shown, error) from None
        raise


def _failed(shown: str, error: OSError) -> MlopsError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    why = "the disk is full" if full else error.strerror
    return MlopsError(
        f"{shown} cannot be written: {why}; nothing was changed",
        hint="make room and run it again" if full else "make it writable and run it again",
    )


def _put_back(each: Rewrite, target: Path) -> None:
    with contextlib.suppress(OSError):
        if _bytes(target) == each.old:
            return
        if each.old is None:
            target.unlink(missing_ok=True)
            return
        temporary = stage(target, each.old)
        try:
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Let no other command look at the file and write it at once, where the system has locks.

    Who waited holds a file that was replaced, looks again at what the path has, and is refused.
    """
    try:
        import fcntl

        stream = target.open("rb")
    except (ImportError, OSError):  # a file that is not there, or is told when it is read
        yield
        return
    with stream:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


_LEFT_BEHIND = 3600
"""Seconds after which what was staged belongs to nobody: its process was killed."""


def stage(target: Path, content: bytes) -> Path:
    """Write beside the target, durably and with its mode, so that a rename completes it.

    Raises OSError; nothing is left then.
    """
    for left in target.parent.glob(f"{glob.escape(_prefix(target))}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime >= _LEFT_BEHIND:
                left.unlink()
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
