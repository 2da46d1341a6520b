"""What a dataset beside the blueprint is made of. Standard library only: it is asked where nothing is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

_DIGITS = 16  # hex digits that tell one content from another


def files_of(root: Path) -> dict[str, Path]:
    """The files of a dataset by their path in it: one file, or all below a folder that are not hidden.

    Raises ValueError for a link that leads out of the folder.
    """
    if not root.is_dir():
        return {root.name: root}
    found = {}
    for path in sorted(root.rglob("*")):
        below = path.relative_to(root)
        if any(part.startswith(".") for part in below.parts) or path.is_dir():
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"{path} is a link that leads out of {root}")
        found[below.as_posix()] = path
    return found


def content_of(files: Mapping[str, Path]) -> str:
    """What tells this content from every other one: names count, times do not."""
    whole = sha256()
    for name, path in sorted(files.items()):
        with path.open("rb") as file:
            digest = sha256()
            while part := file.read(2**20):
                digest.update(part)
        whole.update(f"{name}\0{digest.hexdigest()}\n".encode())
    return whole.hexdigest()[:_DIGITS]
