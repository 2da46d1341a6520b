"""Templates on this machine by what is in them: read once from where they come from, then from here.

`templates/sha256-…/` in the cache holds one content each. An entry appears whole or not at all, and
its digest is computed again whenever it is read, so several processes may write, and one may die
writing. `origins/` says where a content was had from: a lock that names another source's content is
not believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.caches import cache_folder
from mlops_iac.templates.files import digest, read_folder

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LEFT_BEHIND = 24 * 3600
"""Seconds after which a half-written entry belongs to nobody."""

# Contents are immutable, so a process needs each only once, however many blueprints name it.
_read: dict[str, Mapping[str, bytes]] = {}
_had: set[str] = set()  # origins, as their files are named


class ContentCache:
    """Template contents by digest."""

    def __init__(self, folder: Path | None = None) -> None:
        whole = folder or cache_folder()
        self.folder = whole / "templates"
        self._origins = whole / "origins"

    def get(self, wanted: str) -> Mapping[str, bytes] | None:
        """The files with that digest; None if they are not here, or are not what they were."""
        if not _DIGEST.fullmatch(wanted):
            return None
        if (known := _read.get(wanted)) is not None:
            return known
        folder = self._entry(wanted)
        if not _is_there(folder):
            return None
        files: Mapping[str, bytes] = {}
        with contextlib.suppress(TemplateUnavailable):
            files = read_folder(folder, folder.name)
        if digest(files) != wanted:
            aside = self.folder / f".damaged-{uuid4().hex}"
            with contextlib.suppress(OSError):
                folder.rename(aside)  # in one step: nobody sees half of it
            shutil.rmtree(aside, ignore_errors=True)
            return None
        _read[wanted] = files
        return files

    def had_from(self, wanted: str, origin: str) -> bool:
        """Whether the content with that digest was once fetched from `origin`."""
        name = _origin(wanted, origin)
        if name not in _had and not (self._origins / name).is_file():
            return False
        _had.add(name)
        return True

    def put(self, files: Mapping[str, bytes], origin: str) -> str:
        """Keep `files`, which `files.check` accepted and `origin` has, and return their digest.

        A cache that cannot be written is no reason to fail: what is kept is only faster to find.
        """
        found = digest(files)
        folder = self._entry(found)
        if not _is_there(folder):
            with contextlib.suppress(OSError):
                self._write(folder, files)
        _read[found] = files
        name = _origin(found, origin)
        if name not in _had:
            _had.add(name)
            with contextlib.suppress(OSError):
                self._origins.mkdir(parents=True, exist_ok=True, mode=0o700)
                (self._origins / name).touch()
        return found

    def _entry(self, wanted: str) -> Path:
        return self.folder / wanted.replace(":", "-")

    def _write(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._tidy()
        temporary = self.folder / f".new-{uuid4().hex}"
        try:
            for path, content in files.items():
                target = temporary / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            # Renaming onto an entry that another process finished meanwhile fails, which is as good.
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _tidy(self) -> None:
        """Remove what processes left that died."""
        for left in self.folder.glob(".*-*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _LEFT_BEHIND:
                    shutil.rmtree(left, ignore_errors=True)


def _origin(wanted: str, origin: str) -> str:
    return hashlib.sha256(f"{wanted} {origin}".encode()).hexdigest()


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:  # not ours to read
        return False


def forget() -> None:
    """Forget what this process has read; for tests of what stands on disk."""
    _read.clear()
    _had.clear()
