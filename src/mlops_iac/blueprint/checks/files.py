"""What the blueprint names must be there, beside it."""

from __future__ import annotations

from pathlib import Path

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.words import suggestion


def kind_of(check: Check, text: str, folder: str = "") -> str:
    """`file`, `folder` or `` for nothing; the disk is asked once for all environments."""
    key = (folder, text)
    known = check.files.get(key)
    if known is None:
        path = check.resolved.root / folder / text
        try:
            known = "folder" if path.is_dir() else "file" if path.is_file() else ""
        except (OSError, ValueError):
            known = ""
        check.files[key] = known
    return known


def expect(check: Check, at: str, text: str, wanted: str, *, folder: str = "") -> None:
    """Report unless `text` is there; `wanted` is `file`, `folder` or `file or folder`.

    `text` is relative to `folder`, which is relative to the blueprint.
    """
    found = kind_of(check, text, folder)
    if found and found in wanted:
        return
    shown = (Path(folder) / text).as_posix()
    if found:
        check.report(at, "missing-file", f"'{shown}' is a {found}, not a {wanted}")
    else:
        hint = _near(check.resolved.root / folder / text)
        check.report(at, "missing-file", f"there is no {wanted} '{shown}'", hint)


def _near(target: Path) -> str:
    try:
        names = sorted(item.name for item in target.parent.iterdir())
    except (OSError, ValueError):
        return "paths are relative to the blueprint"
    return suggestion(target.name, names) if len(names) <= 200 else ""
