"""An `init` that was killed is taken back by the next one in that folder.

Before the first file, `.mlops-iac-init` says what will be written, by digest; after the last one it
goes. What is there under such a name and is exactly that was written by the one that was killed; what
is anything else is somebody's work since, and nothing is taken back then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_iac.errors import UsageError
from mlops_iac.templates.files import wrong_name

MARKER = ".mlops-iac-init"
_LARGEST = 4 * 1024 * 1024


def begin(target: Path, files: Mapping[str, bytes], made: Iterable[str]) -> None:
    """Say what will be written into `target`, and what will be `made` of that. Raises OSError."""
    plain = {
        "init": 1,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "made": list(made),
    }
    temporary = target / f"{MARKER}.new"
    temporary.unlink(missing_ok=True)
    with temporary.open("x", encoding="utf-8") as file:
        file.write(json.dumps(plain))
    temporary.replace(target / MARKER)


def end(target: Path) -> None:
    """All is written, or nothing any more."""
    (target / MARKER).unlink(missing_ok=True)


def take_back(target: Path) -> None:
    """Remove what an `init` left that was killed. Raises UsageError where somebody went on with it."""
    marker = target / MARKER
    if not marker.is_file():
        return
    files, made = _read(target, marker)
    there = [name for name in files if _is_plain(target, name)]
    changed = [name for name in there if _digest(target / name) != files[name]]
    if changed:
        raise UsageError(
            f"an init in {target} was interrupted, and somebody went on with"
            f" {', '.join(changed)}; nothing was written",
            hint=f"choose another folder, or delete {marker} to keep what is there",
        )
    # The blueprint first: without it there is no project that somebody could take for whole.
    for name in sorted([*there, *made], key=lambda name: name != "blueprint.yaml"):
        (target / name).unlink(missing_ok=True)
    for name in files:
        staged(target / name).unlink(missing_ok=True)
    folders = {above for name in files for above in PurePosixPath(name).parents} - {PurePosixPath()}
    for folder in sorted(folders, key=lambda each: -len(each.parts)):
        with suppress(OSError):
            (target / folder).rmdir()
    end(target)


def staged(path: Path) -> Path:
    """Where a file is written before it appears under its name, whole."""
    return path.with_name(f".{path.name}.mlops-iac-new")


def _read(target: Path, marker: Path) -> tuple[Mapping[str, str], Sequence[str]]:
    """Digests of files by name, and names of what was made of them. Raises UsageError."""
    try:
        if marker.is_symlink() or marker.stat().st_size > _LARGEST:
            raise ValueError
        plain: Any = json.loads(marker.read_bytes())
        files, made = dict(plain["files"]), list(plain["made"])
        if plain["init"] != 1 or not all(_below(target, name) for name in [*files, *made]):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"{marker} cannot be read: it says how an init was interrupted; nothing was written",
            hint="choose another folder, or delete it to keep what is there",
        ) from None
    return files, made


def _below(target: Path, name: object) -> bool:
    """Whether a name is that of a file below `target`, behind no link: others may have written it."""
    if not isinstance(name, str) or wrong_name(name):
        return False
    return not any(
        (target / above).is_symlink() for above in PurePosixPath(name).parents if above.parts
    )


def _is_plain(target: Path, name: str) -> bool:
    path = target / name
    return path.is_symlink() or path.exists()


def _digest(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()
