"""What was to be written is kept until all of it is: a process that is killed leaves no half update.

An update changes a blueprint and its lock, which are two renames. Before the first one both contents
stand in `.mlops-iac/BLUEPRINT.update`; after the last one that file goes. Whoever reads the blueprint
while it is there completes what was begun, or tells why not:

| blueprint | lock | what that means                                          |
|-----------|------|----------------------------------------------------------|
| old       | old  | nothing was written, or it was taken back: it is forgotten |
| new       | old  | killed in between (or old, new): the other one is written  |
| new       | new  | killed right before the end: it is forgotten               |
| otherwise |      | changed since: told, nothing is written                    |

Only the blueprint and its lock are ever written, never what stands in the file as a path, and never
through a link: a checkout may bring such a file along.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.editing.files import stage, unstage
from mlops_iac.errors import TimedOut, UsageError
from mlops_iac.workfolder import made

if TYPE_CHECKING:
    from mlops_iac.api.core.atomic_files import Rewrite

_FORMAT = 1
_LARGEST = 32 * 1024 * 1024
_SECONDS = 60.0


def place(blueprint: Path) -> Path:
    """Where it is kept for the blueprint at `blueprint`."""
    return blueprint.parent / ".mlops-iac" / f"{blueprint.name}.update"


@contextmanager
def kept(journal: Path, files: Sequence[Rewrite]) -> Iterator[None]:
    """Keep what `files` are to hold while the body writes them, all or, if it raises, none.

    For one process at a time, as by `alone`. Raises UsageError where it cannot be kept.
    """
    plain = {
        "update": _FORMAT,
        "files": {
            each.path.name: {"old": _digest(each.old), "new": _text(each.new)} for each in files
        },
    }
    try:
        stage(journal, json.dumps(plain).encode()).replace(journal)
    except OSError as error:
        raise UsageError(f"cannot write {journal}: {error.strerror}") from None
    try:
        yield
    finally:
        journal.unlink(missing_ok=True)


def complete(blueprint: Path, lock: Path) -> str:
    """Complete what was interrupted; what to tell about that, empty where there was nothing.

    Raises UsageError where it cannot be completed, because somebody changed a file since.
    """
    journal = place(blueprint)
    if not journal.is_file():
        return ""
    with alone(journal):
        if not journal.is_file():  # its writer was alive, and is done
            return ""
        return _complete(journal, {path.name: path for path in (blueprint, lock)})


def _complete(journal: Path, known: Mapping[str, Path]) -> str:
    wanted = _read(journal, known)
    names = " and ".join(wanted)
    new = [name for name, (_, content) in wanted.items() if _holds(known[name]) == _digest(content)]
    old = [name for name, (before, _) in wanted.items() if _holds(known[name]) == before]
    left = [name for name in wanted if name not in new]
    if left and (not new or any(name not in old or known[name].is_symlink() for name in left)):
        if len(old) == len(wanted):
            journal.unlink(missing_ok=True)
            for name in wanted:
                unstage(known[name])
            return ""
        changed = " and ".join(name for name in left if name not in old) or " and ".join(left)
        raise UsageError(
            f"an update of {names} was interrupted, and {changed} is not what it was then",
            hint=f"`git diff` shows what is there; make both as they are to be, then delete {journal}",
        )
    try:
        for name in left:
            content = wanted[name][1]
            if content is None:
                known[name].unlink()
            else:
                stage(known[name], content).replace(known[name])
        journal.unlink(missing_ok=True)
        for name in wanted:
            unstage(known[name])
    except OSError as error:
        raise UsageError(
            f"an update of {names} was interrupted and cannot be completed: {error.strerror}",
            hint="make the folder writable and run it again",
        ) from None
    return f"an update of {names} was interrupted; it was completed" if left else ""


def _read(
    journal: Path, known: Mapping[str, Path]
) -> Mapping[str, tuple[str | None, bytes | None]]:
    """Digest before and content after, by file. Raises UsageError."""
    try:
        if journal.is_symlink() or journal.stat().st_size > _LARGEST:
            raise ValueError
        plain: Any = json.loads(journal.read_bytes())
        if plain["update"] != _FORMAT or not set(plain["files"]) <= set(known):
            raise ValueError
        return {
            name: (
                each["old"],
                None if each["new"] is None else base64.b64decode(each["new"], validate=True),
            )
            for name, each in plain["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(
            f"{journal} cannot be read: it says how an update was interrupted",
            hint=f"`git diff` shows what is there; make it as it is to be, then delete {journal}",
        ) from None


@contextmanager
def alone(journal: Path) -> Iterator[None]:
    """One process at a time; a killed one lets go."""
    from filelock import FileLock, Timeout

    made(journal.parent)
    lock = journal.with_suffix(".update.lock")
    try:
        with FileLock(lock, timeout=_SECONDS):
            yield
    except Timeout:
        raise TimedOut(
            f"another mlops-iac has been updating {journal.name.removesuffix('.update')} for"
            f" {_SECONDS:g} s",
            hint="end it, and run this again",
        ) from None


def _holds(path: Path) -> str | None:
    try:
        return _digest(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _text(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()
