"""Several files written as one: all of them, or none."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_iac.errors import MlopsError, UsageError


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
    """Write all files and return the paths of those that changed.

    Links are followed, modes stay. Raises UsageError where a file is not what it was when it was
    read, MlopsError where one cannot be written; then all of them are as they were.
    """
    wanted = [each for each in files if each.new != each.old]
    for each in wanted:
        if _bytes(each.path) != each.old:
            raise UsageError(
                f"{each.shown} was changed by somebody else in the meantime; nothing was written",
                hint="run it again",
            )
    staged: dict[Path, Path] = {}
    done: list[tuple[Rewrite, Path]] = []
    shown = ""
    try:
        for each in wanted:
            shown, target = each.shown, each.path.resolve()
            if each.new is not None:
                staged[target] = _stage(target, each.new)
        for each in wanted:
            shown, target = each.shown, each.path.resolve()
            done.append((each, target))
            if target in staged:
                staged[target].replace(target)
            else:
                target.unlink()
    except BaseException as error:
        for each, target in done:
            _put_back(each, target)
        if not isinstance(error, OSError):
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full" if full else error.strerror
        raise MlopsError(
            f"{shown} cannot be written: {why}; nothing was changed",
            hint="make room and run it again" if full else "make it writable and run it again",
        ) from None
    finally:
        for temporary in staged.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    return [each.path for each in wanted]


def _stage(target: Path, content: bytes) -> Path:
    """Write beside the target, durably, so that a rename completes it."""
    number, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
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


def _put_back(each: Rewrite, target: Path) -> None:
    with contextlib.suppress(OSError):
        if _bytes(target) == each.old:
            return
        if each.old is None:
            target.unlink(missing_ok=True)
            return
        temporary = _stage(target, each.old)
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


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current
