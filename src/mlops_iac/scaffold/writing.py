"""Writes the files of a new project: all of them or none, and never over what is there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlops_iac.errors import MlopsError, UsageError


@contextmanager
def written(
    target: Path, files: Mapping[str, bytes], made: Sequence[str] = ()
) -> Iterator[list[Path]]:
    """The paths of `files` (POSIX path below `target` → content), while they are written.

    Where the body raises, or writing does, nothing stays, and of folders only those that were there;
    what the body makes of them, `made`, goes too. The blueprint comes last: without it nobody takes
    the rest for a project. Raises UsageError where a file is there already, or a link leads out of
    `target`; MlopsError where writing fails.
    """
    _check(target, files)
    folders: list[Path] = []
    paths: list[Path] = []
    try:
        try:
            folders += _folders(target)
            for name in sorted(files, key=lambda name: name == "blueprint.yaml"):
                path = target / name
                folders += _folders(path.parent)
                with path.open("xb") as file:
                    paths.append(path)
                    file.write(files[name])
        except OSError as error:
            raise MlopsError(f"{target} cannot be written: {error.strerror}") from error
        yield [target / name for name in files]
    except BaseException:
        for path in (*(target / name for name in made), *paths[::-1]):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
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
            hint="choose another folder, or delete what an interrupted init left there",
        )


def _folders(folder: Path) -> list[Path]:
    """Make a folder; those that were made, the uppermost first."""
    missing = [item for item in (folder, *folder.parents) if not item.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]
