"""What of a checkout git does not have: changed, untracked and ignored files.

`git status` says the same and runs what the checkout's configuration and attributes name. Here
files are compared as bytes. A file that git stores in another form is known by the sizes and times
in the index, as git knows it, by its line ends, or by the digest in its LFS pointer.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.ignoring import rules

if TYPE_CHECKING:
    from mlops_iac.api.core.repository import Commit, Repository

_POINTER = re.compile(rb"version https://git-lfs\S*\noid sha256:([0-9a-f]{64})\nsize (\d+)\n")
_TYPE = 0o170000
LINK, SUBMODULE = 0o120000, 0o160000


def changed(repository: Repository, commit: Commit, folder: str) -> list[str]:
    """Tracked files below a folder that are not as the commit has them, staged or not; sorted.

    Paths are relative to the repository's root, `folder` too (`.` for the root).
    """
    committed = dict(repository.entries(commit, folder))
    index, taken = repository.index(folder)
    found = set()
    for path in committed.keys() | index.keys():
        entry = index.get(path)
        if entry is None or path not in committed or not hasattr(entry, "sha"):
            found.add(path)  # removed or added; without a sha: in conflict
        elif (entry.mode & _TYPE, entry.sha) != (
            committed[path][0] & _TYPE,
            committed[path][1],
        ) or (not entry.skip_worktree and not _as_in(repository, path, entry, taken)):
            found.add(path)
    return sorted(found)


def untracked(repository: Repository, folder: str) -> list[str]:
    """Files below a folder that git neither has nor ignores; sorted."""
    index, _ = repository.index(folder)
    here = [path for path in files(repository.root, folder) if path not in index]
    left = set(ignored(repository, here))
    return [path for path in here if path not in left]


def ignored(repository: Repository, paths: Iterable[str]) -> list[str]:
    """Those of `paths` that git ignores. What is tracked is not ignored, whatever a rule says."""
    manager = rules(repository.root, repository.control)
    index, _ = repository.index(".")
    return [path for path in paths if path not in index and manager.is_ignored(path)]


def files(root: Path, folder: str) -> Iterator[str]:
    """Files and links below a folder, sorted; not those of a repository in it."""
    for here, folders, names in os.walk(root / folder):
        inside = os.path.relpath(here, root)
        folders[:] = sorted(
            each for each in folders if each != ".git" and not Path(here, each, ".git").exists()
        )
        linked = [each for each in folders if Path(here, each).is_symlink()]
        for name in sorted([*names, *linked]):
            yield name if inside == "." else f"{inside}/{name}".replace(os.sep, "/")


def _as_in(repository: Repository, path: str, entry: Any, taken: float) -> bool:
    """Whether the file in the working tree is the one of the index, which is of `taken` (Unix s)."""
    file = repository.root / path
    if stat.S_IFMT(entry.mode) == SUBMODULE:
        return True  # a submodule: its commit is its own affair
    try:
        seen = file.lstat()
        if stat.S_ISLNK(entry.mode):
            return stat.S_ISLNK(seen.st_mode) and _is(entry, stored(file))
        if not stat.S_ISREG(seen.st_mode):
            return False
        if _untouched(seen, entry, taken):
            return True
        content = file.read_bytes()
    except OSError:
        return False
    return (
        _is(entry, content)
        or _is(entry, content.replace(b"\r\n", b"\n"))
        or _behind_pointer(repository.blob(entry.sha), content)
    )


def _untouched(seen: os.stat_result, entry: Any, taken: float) -> bool:
    """Size and time are those of when git looked, and that was after the file was written."""
    seconds, nanoseconds = entry.mtime if isinstance(entry.mtime, tuple) else (entry.mtime, 0)
    at = int(seconds) * 10**9 + nanoseconds
    known = seen.st_mtime_ns if nanoseconds else seen.st_mtime_ns // 10**9 * 10**9
    return bool(seen.st_size == entry.size and known == at and seen.st_mtime < int(taken))


def _is(entry: Any, content: bytes) -> bool:
    return bool(blob_id(content, len(entry.sha)) == entry.sha)


def blob_id(content: bytes, length: int) -> bytes:
    """What git calls a file with this content, where its ids have `length` characters."""
    raw = b"blob %d\0" % len(content) + content
    of = hashlib.sha1 if length == 40 else hashlib.sha256
    return of(raw, usedforsecurity=False).hexdigest().encode()


def stored(file: Path) -> bytes:
    """What git would keep of a file or link; nothing where it cannot be read."""
    try:
        return os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes()
    except OSError:
        return b""


def _behind_pointer(stored: bytes, content: bytes) -> bool:
    found = _POINTER.fullmatch(stored)
    return found is not None and hashlib.sha256(content).hexdigest().encode() == found[1]
