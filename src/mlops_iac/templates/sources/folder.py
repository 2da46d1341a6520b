"""A template in a folder of this machine, usually of the same repository."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.records import Record
from mlops_iac.templates.files import read_folder, shown


class FolderSource(Record):
    """`text` is absolute, or relative to `root`, the blueprint's folder."""

    text: str
    root: Path

    def beside(self, relative: str) -> FolderSource:
        return folder_source(posixpath.join(self.text, relative), self.root)

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.root / self.text

    def read(self) -> Mapping[str, bytes]:
        if not self.path.is_dir():
            is_file = self.path.is_file()
            raise TemplateUnavailable(
                "template-missing",
                f"there is no folder {shown(self.text)}",
                hint="name the folder, not a file in it" if is_file else f"from {self.root}",
            )
        return read_folder(self.path, self.text)


def folder_source(text: str, root: Path) -> FolderSource:
    """The folder that `text` names, seen from `root`."""
    if any(not item.isprintable() or item == "\\" for item in text):
        raise TemplateUnavailable(
            "template-source",
            f"'{shown(text)}' is not the path of a folder",
            hint="write it with '/', e.g. ../templates/standard",
        )
    plain = posixpath.normpath(text)
    if not plain.startswith(("/", "../")) and plain not in (".", ".."):
        plain = f"./{plain}"
    return FolderSource(text=plain, root=root)
