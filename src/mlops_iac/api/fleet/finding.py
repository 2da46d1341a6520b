"""Which files below a folder are blueprints, by their content."""

from __future__ import annotations

import os
import re
from pathlib import Path

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
# The version stands near the top; a data file may have gigabytes.
_HEAD_BYTES = 1024 * 1024


def blueprints(folder: Path, unread: list[str] | None = None) -> list[Path]:
    """Return every blueprint at or below `folder`, sorted, as `folder`/….

    YAML files named `blueprint.yaml` or `*.blueprint.yaml`, or with `blueprint: 1` on the first
    level. Left out: links, folders of tools and of compiled programs, and templates (a folder with
    a `template.yaml`), whose blueprints are partial. `unread` gets why a folder could not be looked
    into. Raises UsageError where there is no folder.
    """
    unread = [] if unread is None else unread

    def missed(error: OSError) -> None:
        unread.append(f"{error.filename} cannot be looked into: {error.strerror}")

    if not folder.is_dir():
        raise UsageError(
            f"{folder} is {'no folder' if folder.exists() else 'not there'}",
            hint="--all-stacks takes the folder that the blueprints lie below; default: this one",
        )
    found: list[Path] = []
    for here, folders, files in os.walk(folder, onerror=missed):
        if "template.yaml" in files or "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in files:
            path = Path(here, name)
            if name.endswith(_ENDINGS) and not path.is_symlink() and _is_blueprint(path):
                found.append(path)
    return sorted(found)


def _is_blueprint(path: Path) -> bool:
    if path.name in _NAMES or path.stem.endswith(".blueprint"):
        return path.is_file()
    try:
        with path.open("rb") as file:
            return _VERSION.search(file.read(_HEAD_BYTES)) is not None
    except OSError:
        return False  # what cannot be read and is not named like one is nobody's blueprint
