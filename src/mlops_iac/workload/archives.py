"""Folders as .tar.gz: a job's code, a model."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from pathlib import Path

from mlops_iac.errors import UsageError


def pack(folder: Path, archive: Path) -> None:
    """A folder's content as .tar.gz, at the top of the archive."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for item in sorted(folder.iterdir()):
            tar.add(item, item.name)


def unpack(archive: Path, folder: Path) -> None:
    """Extract a .tar.gz safely. Raises UsageError where it is none."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{archive.name} cannot be unpacked: {error}") from error
