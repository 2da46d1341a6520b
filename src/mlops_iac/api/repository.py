"""Git, read from the object database: what a ref holds, without touching the working tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType

_STEPS = re.compile(r"(?P<base>.*?)(?P<steps>(?:~\d*|\^\d*)*)\Z", re.DOTALL)
_STEP = re.compile(r"([~^])(\d*)")
_FARTHEST = 10_000


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
        self.root = Path(git.path).resolve()

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """The repository that `folder` lies in. Raises UsageError where there is none."""
        from dulwich.errors import NotGitRepository
        from dulwich.repo import Repo

        try:
            return cls(Repo.discover(str(folder)))
        except NotGitRepository:
            raise UsageError(
                f"{folder} is not in a git repository, so there is no ref to compare with",
                hint="run it inside a clone, or compare with `--against lock`",
            ) from None
        except Exception as error:
            raise UsageError(
                f"the git repository around {folder} cannot be read: {error}"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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

    def _base(self, base: str, ref: str) -> Any:
        from dulwich.objectspec import AmbiguousShortId, parse_commit

        if not base or base.startswith("-") or any(part in base for part in ("@{", ":", "..")):
            raise UsageError(
                f"{ref!r} is no ref",
                hint="a branch, a tag, a commit id, `origin/main` or `HEAD~1`",
            )
        try:
            return parse_commit(self._git, base.encode())
        except AmbiguousShortId:
            raise UsageError(
                f"the abbreviated id {base!r} fits several objects", hint="write more of it"
            ) from None
        except (KeyError, ValueError, AssertionError, UnicodeError):
            raise UsageError(
                f"there is no commit {base!r} in {self.root.name}", hint=self._how_to_get(base)
            ) from None

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

        Links and submodules are left out: what they lead to is not part of the commit's tree.
        """
        from dulwich.objects import Blob, Tree

        found = self._at(commit, path)
        if found is None:
            return False
        mode, item = found
        if isinstance(item, Blob):
            _put(folder / path, item.data, executable=bool(mode & 0o100))
        elif isinstance(item, Tree):
            (folder / path).mkdir(parents=True, exist_ok=True)
            for name, inner_mode, sha in self._walk(item):
                _put(
                    folder / path / name,
                    self._object(commit, sha).data,
                    executable=bool(inner_mode & 0o100),
                )
        return True

    def kind(self, commit: Commit, path: str) -> str:
        """`file`, `folder`, or nothing."""
        from dulwich.objects import Blob, Tree

        found = self._at(commit, path)
        if found is None:
            return ""
        return {Blob: "file", Tree: "folder"}.get(type(found[1]), "")

    def _walk(self, tree: Any, prefix: str = "") -> Iterator[tuple[str, int, bytes]]:
        import stat

        for entry in tree.items():
            name = entry.path.decode("utf-8", "surrogateescape")
            if name in ("", ".", "..", ".git") or "/" in name:
                continue
            if stat.S_ISDIR(entry.mode):
                yield from self._walk(self._git[entry.sha], f"{prefix}{name}/")
            elif stat.S_ISREG(entry.mode):
                yield f"{prefix}{name}", entry.mode, entry.sha

    def _at(self, commit: Commit, path: str) -> tuple[int, Any] | None:
        import stat

        from dulwich.errors import NotTreeError
        from dulwich.object_store import tree_lookup_path
        from dulwich.objects import SubmoduleEncountered

        parts = PurePosixPath(path).parts
        if not parts:
            return 0o040000, self._object(commit, commit.tree)
        try:
            mode, sha = tree_lookup_path(
                lambda found: self._object(commit, found), commit.tree, "/".join(parts).encode()
            )
        except (KeyError, NotTreeError, SubmoduleEncountered, UnicodeError):
            return None
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return None
        return mode, self._object(commit, sha)

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


def _put(path: Path, content: bytes, *, executable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if executable:
        path.chmod(0o755)
