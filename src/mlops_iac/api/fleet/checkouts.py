"""What git knows of a folder: copies of blueprints that are nobody's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from mlops_iac.blueprint.reach import checkout_around
from mlops_iac.git_environment import of_no_repository

_SECONDS = 60


def around(folder: Path) -> Path | None:
    """The root of the checkout that a folder lies in, as `folder`/../…; None where there is none."""
    return checkout_around(folder.absolute())


def other_worktree_of(folder: Path, whole: Path) -> Path | None:
    """The checkout that has `folder` for a further worktree, where it lies in `whole` or around it.

    What stands in both is the same blueprint, of two branches. A submodule is no such copy.
    """
    try:
        said = (folder / ".git").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None  # a folder: a checkout of its own
    its_own = (folder / said.removeprefix("gitdir:").strip()).resolve()
    repository = its_own.parent.parent
    # Without an index, the repository is a bare one: all its checkouts are worktrees.
    if its_own.parent.name != "worktrees" or not (repository / "index").exists():
        return None
    main, whole = repository.parent, whole.resolve()
    return main if main.is_relative_to(whole) or whole.is_relative_to(main) else None


def ignored(checkout: Path, whole: Path, files: Sequence[Path]) -> list[Path]:
    """Those of `files`, all of one checkout, that git ignores; none where it ignores `whole` itself.

    None, too, where there is no git to ask. What is tracked is not ignored, whatever a rule says.
    """
    root = checkout.resolve()
    names = {os.path.relpath(file.parent.resolve() / file.name, root): file for file in files}
    asked = [*names]
    inside = whole.resolve()
    if inside != root and inside.is_relative_to(root):
        asked.append(os.path.relpath(inside, root))
    found = _ignored(root, asked)
    return [] if asked[-1] not in names and asked[-1] in found else [names[name] for name in found]


def _ignored(root: Path, names: Iterable[str]) -> list[str]:
    try:
        answer = subprocess.run(
            ["git", "check-ignore", "-z", "--stdin"],
            cwd=root,
            env=of_no_repository(),
            input=b"".join(os.fsencode(name) + b"\0" for name in names),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    if answer.returncode not in (0, 1):  # some, none; anything else is a refusal
        return []
    return [os.fsdecode(name) for name in answer.stdout.split(b"\0") if name]
