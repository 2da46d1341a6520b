"""The work folder `.mlops-iac/`: checked, made and written to by what stands here.

A checkout can bring one along. What is written through a link in it lands anywhere on the machine, so
a link at or below it is refused before anything is read or written; the folder of the project may
itself lie behind one.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from mlops_iac.errors import UsageError

_LEFT_BEHIND = 3600
"""Seconds after which a temporary file belongs to nobody: its process was killed."""


def checked(work: Path) -> Path:
    """Return `work`, which may be missing. Raises UsageError for a link at or below it, and for a file."""
    if work.is_symlink():
        raise _refused(work)
    if work.exists() and not work.is_dir():
        raise UsageError(
            f"{work} is a file; nothing was read or written",
            hint="move it away: state, emulator and program of `local` live in a folder of that name",
        )
    waiting: list[tuple[str, tuple[str, ...]]] = [(os.fspath(work), ())]
    while waiting:
        folder, parts = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        raise _refused(Path(entry.path))
                    if entry.is_dir(follow_symlinks=False):
                        inner = (*parts, entry.name)
                        if not _of_others(inner):
                            waiting.append((entry.path, inner))
        except OSError:  # not there, or gone since: another command is at work
            continue
    return work


def _of_others(parts: tuple[str, ...]) -> bool:
    """Whether links in there are in order, because nothing of ours is ever written into it.

    A virtual environment links to its Python; a workload may link what it likes in its container's
    folder. Both are removed as a whole before they are made.
    """
    match parts:
        case ("venvs", _):  # of earlier versions
            return True
        case ("emulator", "models"):
            return True
        case ("runs", *_, "opt"):
            return True
        case _:
            return False


def _refused(link: Path) -> UsageError:
    try:
        to = str(link.readlink())
    except OSError:
        to = "somewhere else"
    return UsageError(
        f"{link} is a link to {to}; nothing was read or written through it",
        hint="delete the link: what mlops-iac keeps in its work folder must not lie elsewhere",
    )


def made(work: Path) -> Path:
    """Make the work folder with a .gitignore of its own.

    Raises UsageError where it cannot be, and for a link at or below it.
    """
    checked(work)
    try:
        work.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError), (work / ".gitignore").open("x", encoding="utf-8") as file:
            file.write("*\n")
    except OSError as error:
        raise UsageError(
            f"cannot write {work}: {error.strerror}",
            hint="state, emulator and compiled program of `local` live there; make it writable",
        ) from None
    return work


def created(file: Path) -> int:
    """Make a file that is not there yet, for its owner alone, through no link. Raises OSError."""
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)


def write_durably(file: Path, content: bytes) -> None:
    """Replace `file` in one step, readable by its owner alone. Raises OSError; `file` is whole."""
    for left in file.parent.glob(f".{file.name}.*.tmp"):
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > _LEFT_BEHIND:
                left.unlink()
    temporary = file.with_name(f".{file.name}.{os.urandom(8).hex()}.tmp")
    handle = created(temporary)
    try:
        try:
            rest = content
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make a new or renamed file's name durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
