"""What git knows of a folder: copies of blueprints that are nobody's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mlops_iac.api.core import worktree
from mlops_iac.api.core.repository import around as repository_around


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

    None, too, where the checkout cannot be read. What is tracked is not ignored, whatever a rule says.
    """
    with repository_around(checkout) as repository:
        if repository is None:
            return []
        root = repository.root
        names = {os.path.relpath(file.parent.resolve() / file.name, root): file for file in files}
        inside = whole.resolve()
        if inside != root and inside.is_relative_to(root):
            within = os.path.relpath(inside, root)
            if within not in names and worktree.ignored(repository, [within]):
                return []
        return [names[name] for name in worktree.ignored(repository, names)]
