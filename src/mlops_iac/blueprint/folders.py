"""Which files of a folder are packed or uploaded, and what cannot be.

One walk for code and datasets, so that `validate` refuses what a deployment would.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from mlops_iac.blueprint.words import obeyed, one_line
from mlops_iac.errors import UsageError

MOST_DATA_FILES = 500
"""Of one dataset: each is a resource of its own, in every preview and lock file."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is no part of a dataset."""
    return name.rstrip("/").rpartition("/")[2].startswith(".")


def escaped(path: str) -> str:
    """A path as one line of text; bytes that are no UTF-8 with a backslash, in hexadecimal."""
    return one_line(path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))


def files_of(
    root: Path, shown: str, what: str, *, skipped: Callable[[str], object], most: int | None = None
) -> list[Path]:
    """Every file below `root`, sorted, without what is `skipped`.

    That is asked for each name, relative to `root` and with a `/` at the end of a folder's. `shown`
    is what `root` is called in messages, and `what` it is. Links to files inside are followed, links
    to folders are not. The walk ends after `most` files and one. Raises UsageError for a link that is
    not followed, for what is no regular file or cannot be opened, and for a name that no archive or
    store can hold.
    """
    real = os.path.join(os.path.realpath(root), "")  # noqa: PTH118 - separator included
    found: list[Path] = []
    folders = [root]
    while folders:
        try:
            for entry in sorted(os.scandir(folders.pop()), key=lambda entry: entry.name):
                path = Path(entry.path)
                name = path.relative_to(root).as_posix()
                is_folder = entry.is_dir(follow_symlinks=False)
                if skipped(f"{name}/" if is_folder else name):
                    continue
                named = _in(shown, escaped(name))
                _refuse_name(entry.name, named)
                if is_folder:
                    folders.append(path)
                    continue
                if entry.is_symlink():
                    _refuse_link(path, real, named, what)
                if not path.is_file():
                    raise UsageError(
                        f"{named} is no regular file, so it cannot be packed or uploaded",
                        hint="remove it",
                    )
                _open(path)
                found.append(path)
                if most is not None and len(found) > most:
                    return found
        except OSError as error:
            raise _unreadable(error, root, shown) from None
    return sorted(found)


def the_file(path: Path, shown: str) -> list[Path]:
    """`files_of` where what is uploaded is one file."""
    try:
        _open(path)
    except OSError as error:
        raise _unreadable(error, path, shown) from None
    return [path]


def _open(path: Path) -> None:
    """Raise OSError where a file cannot be opened: what is uploaded is read by nobody before."""
    os.close(os.open(path, os.O_RDONLY))


def _unreadable(error: OSError, root: Path, shown: str) -> UsageError:
    at = escaped(os.path.relpath(error.filename or root, root))
    return UsageError(
        f"{_in(shown, at)} cannot be read: {error.strerror}", hint="give access to who deploys"
    )


def _in(shown: str, named: str) -> str:
    return shown if named == "." else f"{shown.rstrip('/')}/{named}"


def _refuse_name(name: str, named: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UsageError(f"the name of {named} is not UTF-8", hint="rename it") from None
    if obeyed(name) or "\n" in name:
        raise UsageError(f"the name of {named} has a control character", hint="rename it")


def _refuse_link(path: Path, real: str, named: str, what: str) -> None:
    if not path.exists():
        raise UsageError(
            f"{named} is no regular file but a link that leads nowhere", hint="remove the link"
        )
    if path.is_dir():
        raise UsageError(
            f"{named} is a link to a folder, which is not followed",
            hint="copy the folder to where the link is, or remove the link",
        )
    if not os.path.realpath(path).startswith(real):
        raise UsageError(
            f"{named} is a link that leads out of the {what}",
            hint="copy the file to where the link is, or remove the link",
        )
