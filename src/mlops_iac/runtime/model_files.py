"""The files of a model on their way into an archive and out of one."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from pathlib import Path

from . import contract
from .metrics import StepFailed


def require_packable(model: Path, script: str) -> None:
    """Raises StepFailed for a model that is empty or that no archive carries as it is."""
    if not any(model.iterdir()):
        raise StepFailed(f"{script} wrote no model to --model")
    if os.path.lexists(model / contract.CODE):
        raise StepFailed(
            f"{script} left {contract.CODE} in --model: what serves the model is put there;"
            " take another name"
        )
    others = []
    for here, folders, names in os.walk(model):
        for path in (Path(here, name) for name in (*folders, *names)):
            mode = path.lstat().st_mode
            if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
                what = "a link" if stat.S_ISLNK(mode) else "a device, pipe or socket"
                others.append(f"{path.relative_to(model).as_posix()!r} ({what})")
    if others:
        raise StepFailed(
            f"{script} left in --model what is no file and no folder: {', '.join(sorted(others))};"
            " copy what a link points to, and leave the rest out"
        )


def extract(archive: Path, folder: Path, what: str) -> None:
    """Put what an archive holds into an empty folder. Raises StepFailed, with `what`, for one that is not there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not archive.is_file():
        raise StepFailed(f"{what} was not delivered")
    with tarfile.open(archive) as tar:
        # Not every Python of the containers has extraction filters; the archive is our own.
        if hasattr(tarfile, "sourcefilter"):
            tar.extractall(folder, filter="data")
        else:
            tar.extractall(folder)  # noqa: S202 - see above
