"""A template in a folder, for whoever writes it."""

from __future__ import annotations

from pathlib import Path

from mlops_iac.blueprint.loaded import shown_as
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.errors import UsageError
from mlops_iac.templates.files import digest, read_folder
from mlops_iac.templates.finder import Finder
from mlops_iac.templates.lockfile import Lock, lock_path, write_lock
from mlops_iac.templates.sources.folder import folder_source


def read_template(folder: Path) -> TemplateContent:
    """The template in `folder`, called as people in the current folder would write it.

    Raises UsageError where there is no folder, TemplateUnavailable for what is no template.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise UsageError(f"{folder} {what}", hint="name the folder that holds template.yaml")
    shown = shown_as(folder)
    place = folder.absolute().as_posix()
    files = read_folder(folder, shown)
    return TemplateContent(
        source=place,
        digest=digest(files),
        files=files,
        origin=folder_source(place, folder.absolute()),
        shown=shown,
    )


def finder_of(folder: Path, *, offline: bool = False) -> Finder:
    """Finds what the template in `folder` stands on, as its `blueprint.lock` pins it.

    Raises BlueprintInvalid for a lock that cannot be read.
    """
    return Finder.beside(_blueprint(folder), offline=offline)


def pin(folder: Path, finder: Finder) -> Path | None:
    """Write the lock of what the template in `folder` stands on; the path where that changed it.

    Only what comes from repositories: folders and packages are what they are. Raises UsageError.
    """
    pins = tuple(each for each in finder.pins().pins if each.template.startswith("git+"))
    path = lock_path(_blueprint(folder))
    return path if write_lock(path, Lock(pins)) else None


def _blueprint(folder: Path) -> Path:
    return folder.absolute() / "blueprint.yaml"
