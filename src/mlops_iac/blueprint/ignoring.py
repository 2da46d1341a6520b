"""What git ignores in a checkout, by git's own rules; read by a library that runs nothing.

Rules are those of `.gitignore` files, of the repository and of the user's own configuration; what
the repository's configuration says of a file elsewhere does not count.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_iac.blueprint.reach import checkout_around
from mlops_iac.errors import UsageError


def rules(root: Path, control: Path) -> Any:
    """The rules of the checkout in `root`, a dulwich `IgnoreFilterManager`.

    `control` is the folder where refs and rules are: `.git`, also for a further worktree.
    """
    from dulwich.config import StackedConfig
    from dulwich.ignore import IgnoreFilter, IgnoreFilterManager, default_user_ignore_filter_path

    own = default_user_ignore_filter_path(StackedConfig(StackedConfig.default_backends()))
    written = (control / "info" / "exclude", Path(own).expanduser())
    filters = [IgnoreFilter.from_path(str(each)) for each in written if each.is_file()]
    return IgnoreFilterManager(str(root), filters, False)


class _Patterns:
    """Whether a rule may match at all: most names are like no pattern, and no library is imported.

    The last name in a pattern is that of what it matches, or of a folder above it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._of: dict[str, list[str]] = {}

    def may_match(self, path: str) -> bool:
        """Whether the last name of any pattern is like a name in `path`, relative to the root."""
        parts = path.rstrip("/").split("/")
        folders = ["/".join(parts[:end]) for end in range(len(parts))]
        patterns = [each for folder in folders for each in self._in(folder)] + self._everywhere
        return any(
            "\\" in each or "[" in each or any(fnmatchcase(part, each) for part in parts)
            for each in patterns
        )

    def _in(self, folder: str) -> list[str]:
        if folder not in self._of:
            self._of[folder] = _lasts(self._root / folder / ".gitignore")
        return self._of[folder]

    @cached_property
    def _everywhere(self) -> list[str]:
        """Of the repository and the user; any, where another file of the user's may have some."""
        home = Path.home()
        own = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git"
        settings = (home / ".gitconfig", own / "config", Path("/etc/gitconfig"))
        elsewhere = any(b"excludesfile" in _bytes(each).lower() for each in settings)
        found = [*_lasts(self._root / ".git" / "info" / "exclude"), *_lasts(own / "ignore")]
        # Of a further worktree, the rules lie where its `.git` points to.
        further = (self._root / ".git").is_file()
        return [*found, *(["*"] if elsewhere or further else [])]


def _lasts(file: Path) -> list[str]:
    lines = _bytes(file).decode("utf-8", "surrogateescape").splitlines()
    lasts = (line.strip().rstrip("/").rpartition("/")[2].lstrip("!") for line in lines)
    return [each for each in lasts if each and not each.startswith("#")]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes() if file.is_file() else b""
    except OSError:
        return b""


class Ignoring:
    """What git ignores below one folder of a checkout. What is tracked is not ignored."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._root = root
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        self._before = "" if inside == "." else f"{inside}/"
        # Whoever names a folder that git ignores as a whole means what is in it.
        self._patterns = _Patterns(root)
        self._silent = bool(self._before) and self._ignores(self._before)

    @classmethod
    def below(cls, folder: Path) -> Ignoring | None:
        """Of the checkout that `folder` lies in; None where there is none.

        Raises UsageError for one that cannot be read: what it ignores is not known then.
        """
        real = Path(os.path.realpath(folder))
        root = checkout_around(real)
        if root is None or ((root / ".git").is_dir() and not (root / ".git" / "HEAD").exists()):
            return None  # to git, too, an empty folder of that name is no repository
        return cls(real, root)

    def ignores(self, name: str) -> bool:
        """Whether git ignores a file below the folder, or all of a folder whose name ends in `/`."""
        return not self._silent and self._ignores(self._before + name)

    def _ignores(self, path: str) -> bool:
        if not self._patterns.may_match(path):
            return False
        if not path.endswith("/"):
            return bool(self._rules.is_ignored(path)) and path not in self._tracked
        if not self._rules.may_prune_directory(path):
            return False
        at = bisect_left(self._tracked, path)
        return at == len(self._tracked) or not self._tracked[at].startswith(path)

    @cached_property
    def _git(self) -> Any:
        from dulwich.repo import Repo

        try:
            return Repo(str(self._root), bare=False)
        except Exception as error:
            raise self._unreadable(error) from None

    @cached_property
    def _rules(self) -> Any:
        return rules(self._root, Path(self._git.commondir()))

    @cached_property
    def _tracked(self) -> list[str]:
        """Read only where a rule holds: an index may have a hundred thousand entries."""
        try:
            if not Path(self._git.controldir()).is_dir():  # of a worktree whose repository is gone
                raise FileNotFoundError(f"there is no {self._git.controldir()}")
            if not self._git.has_index() or not Path(self._git.index_path()).exists():
                return []  # nothing was ever added
            return sorted(os.fsdecode(name) for name in self._git.open_index())
        except Exception as error:
            raise self._unreadable(error) from None
        finally:
            self._git.close()

    def _unreadable(self, error: Exception) -> UsageError:
        return UsageError(
            f"what git tracks in {self._root} cannot be read: {error}",
            hint="mend it (`git status` there says more): what git ignores is not packed",
        )
