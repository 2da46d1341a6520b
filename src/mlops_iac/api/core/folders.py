"""Where the program of a project lies that is committed."""

from __future__ import annotations

from pathlib import Path

from mlops_iac.blueprint.reach import is_checkout


def program_folder(root: Path, name: str) -> Path:
    """Return `stacks/NAME` in the nearest `stacks` folder at or above a blueprint's folder `root`.

    Looked for up to the repository's root, so that a repository of several projects keeps its
    programs in one place; beside the blueprint where there is none.
    """
    for folder in (root, *root.parents):
        if (folder / "stacks").is_dir():
            return folder / "stacks" / name
        if is_checkout(folder):
            break
    return root / "stacks" / name
