"""Git, read as data: what a ref holds, and what of a checkout differs from it.

A folder may be somebody else's, and its git configuration is that person's: `core.fsmonitor` and
filters name commands. So nothing here asks the `git` of this machine; one library reads objects,
refs and the index, and runs nothing. A repository is a folder with an entry `.git`, which no commit
can hold; plain files that look like a bare repository are files.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Self

from mlops_iac.blueprint.reach import checkout_around
from mlops_iac.errors import UsageError

_STEPS = re.compile(r"(?P<base>.*?)(?P<steps>(?:~\d*|\^\d*)*)\Z", re.DOTALL)
_STEP = re.compile(r"([~^])(\d*)")
_FARTHEST = 10_000
MOST_ENTRIES = 20_000
"""Files below one folder; a tree of a commit may be made to have more than any disk."""
MOST_BYTES = 1024 * 1024 * 1024
"""Of all that is exported from one repository at a time."""
_FULL_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHORT_ID = re.compile(r"[0-9a-f]{4,63}")
# What a name can stand for: gitrevisions(7), <refname>.
_FORMS = (
    "{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: the ref as it was asked for, its full id, and its tree's id."""

    ref: str
    sha: str
    tree: Any

    @property
    def words(self) -> str:
        """`origin/main (161e4c1e56bd)`."""
        return self.ref if self.ref == self.sha else f"{self.ref} ({self.sha[:12]})"


class Repository:
    """The repository around a folder; a context manager. Only reads."""

    def __init__(self, git: Any) -> None:
        self._git = git
        self._exported = self._files = 0
        self.root = Path(git.path).resolve()
        # Where refs and rules are: `.git`, also for a further worktree.
        self.control = Path(git.commondir())

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """The repository that `folder` lies in. Raises UsageError where there is none."""
        from dulwich.repo import Repo

        root = checkout_around(folder.absolute())
        if root is None:
            raise UsageError(
                f"{folder} is not in a git repository, so there is no ref to compare with",
                hint="run it inside a clone, or compare with `--against lock`",
            )
        try:
            return cls(Repo(str(root), bare=False))
        except Exception as error:
            raise UsageError(
                f"the git repository around {folder} cannot be read: {error}"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._git.close()

    def commit(self, ref: str) -> Commit:
        """The commit that a branch, tag, id, `origin/main` or `HEAD~1` names.

        Raises UsageError where there is none, with the way to get it in a shallow clone.
        """
        match = _STEPS.match(ref)
        base, steps = (match["base"], match["steps"]) if match else (ref, "")
        commit = self._base(base, ref)
        for sign, number in _STEP.findall(steps):
            count = int(number) if number else 1
            if count > _FARTHEST:
                raise UsageError(f"the ref {ref!r} goes back more than {_FARTHEST} commits")
            if sign == "~":
                for _ in range(count):
                    commit = self._parent(commit, 1, ref)
            elif count:
                commit = self._parent(commit, count, ref)
        return Commit(ref, commit.id.decode(), commit.tree)

    @property
    def has_commit(self) -> bool:
        """Whether anything is committed here."""
        return self._commit(self._ref("HEAD")) is not None

    def _base(self, base: str, ref: str) -> Any:
        if not base or base.startswith("-") or any(part in base for part in ("@{", ":", "..")):
            raise UsageError(
                f"{ref!r} is no ref",
                hint="a branch, a tag, a commit id, `origin/main` or `HEAD~1`",
            )
        found = self._named(base)
        if len(found) == 1:
            return next(iter(found.values()))
        if not found:
            raise UsageError(
                f"there is no commit {base!r} in {self.root.name}", hint=self._how_to_get(base)
            )
        raise UsageError(
            f"{base!r} is {' and '.join(found)}, which are different commits",
            hint="write the one that is meant in full, or more of the id",
        )

    def _named(self, base: str) -> dict[str, Any]:
        """The different commits that a name can mean, by how each is written in full.

        git takes the first with a warning. Who can push a tag `origin/main`, or a branch that is
        called like an abbreviated id, would choose what others compare with.
        """
        if _FULL_ID.fullmatch(base):
            commit = self._commit(base.encode())
            # Where the object's own bytes say otherwise, it is not that commit.
            return {base: commit} if commit is not None and _id_of(commit) == base else {}
        found: dict[bytes, tuple[str, Any]] = {}
        forms = ("{}",) if base == "HEAD" or base.startswith("refs/") else _FORMS
        for form in forms:
            name = form.format(base)
            commit = self._commit(self._ref(name))
            if commit is not None:
                found.setdefault(commit.id, (name, commit))
        if _SHORT_ID.fullmatch(base):
            for identity in self._git.object_store.iter_prefix(base.encode()):
                commit = self._commit(identity)
                if commit is not None and commit.id == identity:
                    found.setdefault(identity, (f"the commit {identity.decode()}", commit))
        return dict(found.values())

    def _ref(self, name: str) -> bytes | None:
        try:
            identity: bytes = self._git.refs[name.encode()]
        except (KeyError, ValueError, UnicodeError):
            return None
        return identity

    def _commit(self, identity: bytes | None) -> Any:
        """The commit of an id, or the one that a tag of that id stands for; None without one."""
        from dulwich.errors import ChecksumMismatch
        from dulwich.objects import Commit as GitCommit
        from dulwich.objects import Tag

        try:
            found = self._git.object_store[identity] if identity else None
            while isinstance(found, Tag):
                found = self._git.object_store[found.object[1]]
        except (KeyError, ValueError, AssertionError, ChecksumMismatch):
            return None
        return found if isinstance(found, GitCommit) else None

    def _parent(self, commit: Any, number: int, ref: str) -> Any:
        if number > len(commit.parents):
            raise UsageError(
                f"{ref!r} goes back beyond the first commit", hint="name a commit that is there"
            )
        try:
            return self._git[commit.parents[number - 1]]
        except KeyError:
            raise UsageError(
                f"{ref!r} goes back beyond what this clone holds", hint=self._how_to_get(ref)
            ) from None

    def _how_to_get(self, ref: str) -> str:
        if self._git.get_shallow():
            return (
                "this clone is shallow: fetch more of it (`git fetch --unshallow`; in CI, check out "
                "with a fetch depth of 0)"
            )
        remote, slash, branch = ref.partition("/")
        return f"fetch it first: `git fetch {remote} {branch}`" if slash else "`git fetch` it first"

    def relative(self, path: Path) -> str:
        """`path` as the repository knows it. Raises UsageError for one outside of it."""
        try:
            return path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            raise UsageError(f"{path} is not in the repository {self.root}") from None

    def read(self, commit: Commit, path: str) -> bytes | None:
        """The content of a file; None where there is none. Links are not followed."""
        from dulwich.objects import Blob

        found = self._at(commit, path)
        return bytes(found[1].data) if found is not None and isinstance(found[1], Blob) else None

    def export(self, commit: Commit, path: str, folder: Path) -> bool:
        """Write a file, or all of a folder, below `folder`; False where the commit has none.

        Links and submodules are left out: what they lead to is not part of the commit's tree. So is
        a work folder: what is found in one is taken for our own.
        """
        from dulwich.objects import Blob, Tree

        found = self._at(commit, path)
        if found is None or _left_out(path):
            return False
        mode, item = found
        if isinstance(item, Blob):
            self._put(folder / path, item.data, mode)
        elif isinstance(item, Tree):
            (folder / path).mkdir(parents=True, exist_ok=True)
            for name, inner_mode, sha in self._walk(commit, item):
                if stat.S_ISREG(inner_mode) and not _left_out(name):
                    content = self._object(commit, sha)
                    if isinstance(content, Blob):  # whoever made the tree chose the mode
                        self._put(folder / path / name, content.data, inner_mode)
        return True

    def _put(self, path: Path, content: bytes, mode: int) -> None:
        self._exported += len(content)
        self._files += 1
        if self._exported > MOST_BYTES or self._files > MOST_ENTRIES:
            raise UsageError(
                f"what is compared with has more than {MOST_BYTES >> 20} MiB or {MOST_ENTRIES} files"
                f" that the blueprint names: {path.name} is beyond it",
                hint="name less of the repository: a folder of its own for data and code",
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise UsageError(
                f"{os.fsencode(path.name)[:80]!r}, which the blueprint names, cannot be written:"
                f" {error.strerror}",
                hint="rename it, or leave it out of what the blueprint names",
            ) from None
        if mode & 0o100:
            path.chmod(0o755)

    def kind(self, commit: Commit, path: str) -> str:
        """`file`, `folder`, or nothing."""
        from dulwich.objects import Blob, Tree

        found = self._at(commit, path)
        if found is None:
            return ""
        return {Blob: "file", Tree: "folder"}.get(type(found[1]), "")

    def entries(self, commit: Commit, path: str) -> Iterator[tuple[str, tuple[int, bytes]]]:
        """Every file, link and submodule at or below a path: its path, and its mode and id."""
        found = self._entry(commit, path)
        if found is not None and stat.S_ISDIR(found[0]):
            start = "" if path in ("", ".") else f"{path}/"
            for name, mode, sha in self._walk(commit, self._object(commit, found[1]), start):
                yield name, (mode, sha)
        elif found is not None:
            yield path, found

    def names(self, commit: Commit) -> list[str]:
        """What lies in the root of a commit."""
        return [os.fsdecode(each.path) for each in self._object(commit, commit.tree).items()]

    def tree_id(self, commit: Commit, path: str) -> str:
        """The id of a folder's tree; empty where the commit has none."""
        found = self._at(commit, path)
        return found[1].id.decode() if found is not None and stat.S_ISDIR(found[0]) else ""

    def index(self, path: str) -> tuple[dict[str, Any], float]:
        """The index's entries below a folder, by path, and when it was written (Unix s)."""
        start = "" if path in ("", ".") else f"{path}/"
        found, taken = self._index
        return {name: entry for name, entry in found if name.startswith(start)}, taken

    @cached_property
    def _index(self) -> tuple[list[tuple[str, Any]], float]:
        try:
            taken = Path(self._git.index_path()).stat().st_mtime
            found = self._git.open_index().items()
        except FileNotFoundError:
            return [], 0.0
        except Exception as error:
            raise UsageError(f"the index of {self.root} cannot be read: {error}") from None
        return [(os.fsdecode(name), entry) for name, entry in found], taken

    def blob(self, identity: bytes) -> bytes:
        """A file's bytes as they are stored; none where this clone lacks it."""
        try:
            return bytes(self._git.object_store[identity].data)
        except (KeyError, AttributeError):
            return b""

    def _walk(self, commit: Commit, top: Any, start: str = "") -> Iterator[tuple[str, int, bytes]]:
        waiting, number = [(top, start)], 0
        while waiting:
            tree, prefix = waiting.pop()
            for entry in tree.items():
                number += 1
                if number > MOST_ENTRIES:  # trees that hold each other a thousandfold never end
                    raise UsageError(
                        f"{commit.words} has more than {MOST_ENTRIES} files below one folder that"
                        " the blueprint names",
                        hint="name less of the repository: a folder of its own for data and code",
                    )
                name = entry.path.decode("utf-8", "surrogateescape")
                if name in ("", ".", "..") or name.lower() == ".git" or "/" in name:
                    continue
                if stat.S_ISDIR(entry.mode):
                    waiting.append((self._object(commit, entry.sha), f"{prefix}{name}/"))
                else:
                    yield f"{prefix}{name}", entry.mode, entry.sha

    def _at(self, commit: Commit, path: str) -> tuple[int, Any] | None:
        found = self._entry(commit, path)
        if found is None or not (stat.S_ISREG(found[0]) or stat.S_ISDIR(found[0])):
            return None
        return found[0], self._object(commit, found[1])

    def _entry(self, commit: Commit, path: str) -> tuple[int, bytes] | None:
        """Mode and id of what a commit has at a path; links and submodules are not followed."""
        from dulwich.errors import NotTreeError
        from dulwich.object_store import tree_lookup_path
        from dulwich.objects import SubmoduleEncountered

        parts = PurePosixPath(path).parts
        if not parts:
            return 0o040000, commit.tree
        try:
            mode, sha = tree_lookup_path(
                lambda found: self._object(commit, found), commit.tree, os.fsencode("/".join(parts))
            )
        except (KeyError, NotTreeError, SubmoduleEncountered, UnicodeError, AttributeError):
            return None
        return mode, sha

    def _object(self, commit: Commit, sha: bytes) -> Any:
        try:
            return self._git[sha]
        except KeyError:
            raise UsageError(
                f"this clone lacks a part of {commit.words}: object {sha.decode()}",
                hint="it is a partial clone; fetch it whole: `git fetch --refetch`",
            ) from None
        except Exception as error:
            raise UsageError(
                f"a part of {commit.words} is damaged: object {sha.decode()}: {error}",
                hint="`git fsck` says more; clone it anew",
            ) from None


def _left_out(path: str) -> bool:
    return any(part.lower() in (".git", ".mlops-iac") for part in PurePosixPath(path).parts)


def _id_of(commit: Any) -> str:
    raw = commit.as_raw_string()
    of = hashlib.sha1 if len(commit.id) == 40 else hashlib.sha256
    return of(b"commit %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


@contextmanager
def around(folder: Path) -> Iterator[Repository | None]:
    """The repository around `folder`, None where there is none or it cannot be read."""
    try:
        found = Repository.around(folder)
    except UsageError:
        yield None
        return
    with found:
        yield found
