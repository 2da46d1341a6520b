"""A template in a folder, for whoever writes it."""

from __future__ import annotations

import os
from pathlib import Path

from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.errors import UsageError
from mlops_iac.templates.files import digest, read_folder
from mlops_iac.templates.finder import Finder
from mlops_iac.templates.sources.folder import folder_source


def read_template(folder: Path) -> TemplateContent:
    """The template in `folder`, called as people in the current folder would write it.

    Raises UsageError where there is no folder, TemplateUnavailable for what is no template.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise UsageError(f"{folder} {what}", hint="name the folder that holds template.yaml")
    shown = Path(os.path.relpath(folder)).as_posix()
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
    """Finds what the template in `folder` stands on; nothing is pinned."""
    return Finder(folder.absolute() / "blueprint.yaml", lock=None, offline=offline)
