"""What the blueprint names must be there, beside it."""

from __future__ import annotations

from pathlib import Path

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.words import suggestion


def kind_of(check: Check, path: Path) -> str:
    """`file`, `folder` or `` for nothing; the disk is asked once for all environments."""
    known = check.files.get(path)
    if known is None:
        try:
            known = "folder" if path.is_dir() else "file" if path.is_file() else ""
        except (OSError, ValueError):
            known = ""
        check.files[path] = known
    return known


def expect(check: Check, at: str, text: str, wanted: str, *, folder: str = "") -> None:
    """Report unless `text` is there; `wanted` is `file`, `folder` or `file or folder`.

    `text` is relative to `folder`, which is relative to the blueprint.
    """
    target = check.resolved.root / folder / text
    found = kind_of(check, target)
    shown = (Path(folder) / text).as_posix()
    if found and found in wanted:
        return
    if found:
        check.report(at, "missing-file", f"'{shown}' is a {found}, not a {wanted}")
    else:
        check.report(at, "missing-file", f"there is no {wanted} '{shown}'", _near(target))


def _near(target: Path) -> str:
    try:
        names = sorted(item.name for item in target.parent.iterdir())
    except (OSError, ValueError):
        return "paths are relative to the blueprint"
    return suggestion(target.name, names) if len(names) <= 200 else ""
