"""Which files below a folder are blueprints, by their content."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from mlops_iac.api.fleet.checkouts import ignored, other_worktree_of
from mlops_iac.blueprint.reach import checkout_around
from mlops_iac.errors import UsageError

# Folders of tools and of what is generated; a stranger's virtual environment has `pyvenv.cfg`.
SKIPPED = frozenset(
    {
        ".git",
        ".mlops-iac",
        "__pycache__",
        "node_modules",
        "site-packages",
        "stacks",
        "venv",
        ".venv",
    }
)
_ENDINGS = (".yaml", ".yml")
_NAMES = ("blueprint.yaml", "blueprint.yml")
# A blueprint's own version; nothing else has this key with this value on its first level.
_VERSION = re.compile(
    rb"""^(?:\xef\xbb\xbf)?(?:\{\s*)?["']?blueprint["']?\s*:\s*1\s*(?:[#,}\r]|$)""", re.M
)
# How many of what git ignores are named.
_NAMED = 3
# The version stands near the top; a data file may have gigabytes.
_HEAD_BYTES = 1024 * 1024


def blueprints(folder: Path, unread: list[str] | None = None) -> list[Path]:
    """Return every blueprint at or below `folder`, sorted, as `folder`/….

    YAML files named `blueprint.yaml` or `*.blueprint.yaml`, or with `blueprint: 1` on the first
    level. Left out: links, folders of tools and of compiled programs, templates (a folder with a
    `template.yaml`), whose blueprints are partial, further worktrees of a checkout, and what git
    ignores. `unread` gets why a folder could not be looked into, and which copies were left out.
    Raises UsageError where there is no folder.
    """
    unread = [] if unread is None else unread

    def missed(error: OSError) -> None:
        unread.append(f"{error.filename} cannot be looked into: {error.strerror}")

    if not folder.is_dir():
        raise UsageError(
            f"{folder} is {'no folder' if folder.exists() else 'not there'}",
            hint="--all-stacks takes the folder that the blueprints lie below; default: this one",
        )
    # By the checkout they lie in.
    found: dict[Path | None, list[Path]] = {}
    checkouts: dict[Path, Path | None] = {}
    for name_, folders, files in os.walk(folder, onerror=missed):
        here = Path(name_)
        if "template.yaml" in files or "pyvenv.cfg" in files:
            folders.clear()
            continue
        if here == folder:
            checkout = checkout_around(folder.absolute())
        elif ".git" in files or ".git" in folders:
            checkout = here
            if ".git" in files and (main := other_worktree_of(here, folder)) is not None:
                unread.append(f"{here} was left out: it is another worktree of {main}")
                folders.clear()
                continue
        else:
            checkout = checkouts[here.parent]
        checkouts[here] = checkout
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in files:
            path = here / name
            if name.endswith(_ENDINGS) and _is_file(path) and _is_blueprint(path):
                found.setdefault(checkout, []).append(path)
    for checkout, files_ in found.items():
        if checkout is not None and (copies := ignored(checkout, folder, files_)):
            unread += _left_out(copies)
            found[checkout] = [path for path in files_ if path not in set(copies)]
    return sorted(path for paths in found.values() for path in paths)


def _left_out(copies: Sequence[Path]) -> list[str]:
    names = [path.as_posix() for path in sorted(copies)]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"{', '.join(names[:_NAMED])}{more} left out: ignored by git"]


def _is_file(path: Path) -> bool:
    """Whether it is a file itself: no link, and no pipe, which nobody may ever write to."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _is_blueprint(path: Path) -> bool:
    if path.name in _NAMES or path.stem.endswith(".blueprint"):
        return True
    try:
        with path.open("rb") as file:
            return _VERSION.search(file.read(_HEAD_BYTES)) is not None
    except OSError:
        return False  # what cannot be read and is not named like one is nobody's blueprint
