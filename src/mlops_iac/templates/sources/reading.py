"""A folder that many blueprints name is read once, for as long as nothing in it changes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from mlops_iac.templates.files import MOST_FILES, ignored, read_folder

_SETTLED = 2.0
"""Seconds. A file that is younger may change again without its times telling."""
_Stamp = tuple[tuple[str, int, int, int, int], ...]
_read: dict[tuple[str, str], tuple[_Stamp, Mapping[str, bytes]]] = {}
_MOST_HELD = 64


def read_unchanged(folder: Path, source: str) -> Mapping[str, bytes]:
    """The files below `folder`, which exists. Raises TemplateUnavailable as `files.check`."""
    key = os.fspath(folder.absolute()), source
    stamp = _stamp(key[0])
    known = _read.get(key)
    if stamp and known and known[0] == stamp:
        return known[1]
    files = read_folder(folder, source)
    if stamp and max(max(item[2:4]) for item in stamp) < time.time_ns() - _SETTLED * 1e9:
        if len(_read) >= _MOST_HELD:
            _read.pop(next(iter(_read)))
        _read[key] = stamp, files
    return files


def _stamp(folder: str) -> _Stamp:
    """What changes whenever a file does; empty where that cannot be told."""
    found: list[tuple[str, int, int, int, int]] = []
    waiting = [("", folder)]
    try:
        while waiting and len(found) <= MOST_FILES:
            prefix, place = waiting.pop()
            with os.scandir(place) as items:
                for item in items:
                    if ignored(item.name):
                        continue
                    path = prefix + item.name
                    if item.is_dir(follow_symlinks=False):
                        waiting.append((f"{path}/", item.path))
                        continue
                    of = item.stat(follow_symlinks=False)
                    found.append((path, of.st_size, of.st_mtime_ns, of.st_ctime_ns, of.st_ino))
    except OSError:
        return ()
    return tuple(sorted(found)) if len(found) <= MOST_FILES else ()
