"""What the blueprint names must be there, within what it may reach."""

from __future__ import annotations

import stat
from pathlib import Path
from posixpath import normpath

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.checks.texts import FORMS
from mlops_iac.blueprint.folders import escaped
from mlops_iac.blueprint.reach import Outside
from mlops_iac.blueprint.sections.base import Text
from mlops_iac.blueprint.words import split, suggestion

_WANTED = {
    "file": "file",
    "script": "file",
    "folder": "folder",
    "source": "file or folder",
    "model-source": "file or folder",
}


UNREADABLE = "unreadable"


def check_files(check: Check) -> None:
    """Every text whose field says that it is a path."""
    for path, marker, text in check.found.marked:
        if not isinstance(marker, Text) or marker.kind not in _WANTED or FORMS[marker.kind](text):
            continue  # no path, or none by its form, which is told
        wanted = _WANTED[marker.kind]
        if marker.kind == "script":
            model = check.blueprint.models.get(split(path)[1])
            code = (model.code if model is not None else None) or ""
            # Why a folder of code cannot be read is told at the folder, not at each script.
            unread = bool(code) and kind_of(check, text, code) == UNREADABLE
            if code and not unread and kind_of(check, code) == "folder":
                _expect(check, path, text, wanted, code)
                _packed(check, path, text, code)
        elif wanted in ("file", "folder") or "://" not in text:
            _expect(check, path, text, wanted)


def kind_of(check: Check, text: str, folder: str = "") -> str | Outside:
    """What is there, or nothing; the disk is asked once for all environments."""
    key = (folder, text)
    known = check.seen.kinds.get(key)
    if known is None:
        try:
            mode = check.resolved.file(text, folder).stat().st_mode
            known = (
                "folder"
                if stat.S_ISDIR(mode)
                else "file"
                if stat.S_ISREG(mode)
                else "pipe or device"
            )
        except Outside as error:
            known = error
        except PermissionError:
            known = UNREADABLE
        except (OSError, ValueError):
            known = ""
        check.seen.kinds[key] = known
    return known


def _expect(check: Check, at: str, text: str, wanted: str, folder: str = "") -> None:
    """Report unless `text` is there; it is relative to `folder`, and that to the blueprint."""
    found = kind_of(check, text, folder)
    if not isinstance(found, Outside) and found and found in wanted:
        return
    shown = (Path(folder) / text).as_posix()
    if isinstance(found, Outside):
        check.report(at, "outside", found.message, found.hint)
    elif found == UNREADABLE:
        hint = "give access to who deploys"
        check.report(at, "bad-file", f"'{shown}' cannot be read: Permission denied", hint)
    elif not found:
        hint = _near(check, text, folder)
        check.report(at, "missing-file", f"there is no {wanted} '{shown}'", hint)
    else:
        check.report(at, "missing-file", f"'{shown}' is a {found}, not a {wanted}")


def _packed(check: Check, at: str, script: str, code: str) -> None:
    """Report a script that is there and would be missing where it runs."""
    if kind_of(check, script, code) != "file":
        return
    why = check.seen.unpacked.get((code, script))
    if why is None:
        from mlops_iac.blueprint.leaving import Leaving

        folder = check.resolved.file(code)
        why = check.seen.unpacked[code, script] = Leaving(folder).why_path(normpath(script))
    if why:
        hint = "rename it, or change what git ignores; `git add -f` tracks what a rule matches"
        shown = (Path(code) / script).as_posix()
        check.report(at, "not-packed", f"'{shown}' is not packed with the code: {why}", hint)


def _near(check: Check, text: str, folder: str) -> str:
    try:
        if (check.resolved.root / folder / text).is_symlink():
            return "it is a link that leads nowhere"
        target = check.resolved.file(text, folder)
        around = check.resolved.reach.inside(target.parent)
        names = sorted(escaped(item.name) for item in around.iterdir())
    except (OSError, ValueError, Outside):
        return "paths are relative to the blueprint"
    return suggestion(target.name, names) if len(names) <= 200 else ""
