"""Writes the files of a new project: all of them or none, and never over what is there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlops_iac.errors import MlopsError, UsageError


@contextmanager
def written(target: Path, files: Mapping[str, bytes]) -> Iterator[list[Path]]:
    """The paths of `files` (POSIX path below `target` → content), written in this order.

    Where the body raises, or writing does, nothing stays, and of folders only those that were there.
    Raises UsageError where a file is there already, or a link leads out of `target`; MlopsError
    where writing fails.
    """
    _check(target, files)
    paths: list[Path] = []
    folders: list[Path] = []
    try:
        try:
            for name, content in files.items():
                path = target / name
                folders += _folders(path.parent)
                # "x": a file that appeared in the meantime is not overwritten either.
                with path.open("xb") as file:
                    paths.append(path)
                    file.write(content)
        except OSError as error:
            raise MlopsError(f"{target} cannot be written: {error.strerror}") from error
        yield paths
    except BaseException:
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink()
        for folder in reversed(folders):
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _check(target: Path, files: Mapping[str, bytes]) -> None:
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is not a folder; nothing was written")
    there: list[str] = []
    for name in files:
        path = target / name
        for above in path.relative_to(target).parents:
            if above != Path() and (target / above).is_symlink():
                raise UsageError(
                    f"{target / above} is a link, and the project would be written behind it;"
                    " nothing was written",
                    hint="choose another folder",
                )
        if path.exists() or path.is_symlink():
            there.append(name)
    if there:
        raise UsageError(
            f"{target} already has {', '.join(there)}; nothing was written",
            hint="choose another folder",
        )


def _folders(folder: Path) -> list[Path]:
    """Make a folder; those that were made, the uppermost first."""
    missing = [item for item in (folder, *folder.parents) if not item.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]
