"""A template in an installed Python package: `python:MODULE[/FOLDER]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mlops_iac.blueprint.templates.content import MANIFEST, TemplateUnavailable
from mlops_iac.records import Record
from mlops_iac.templates.files import read_folder
from mlops_iac.templates.sources.base import checked_folder, inner, safe
from mlops_iac.templates.sources.packages import inside, package_places

_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


class PythonSource(Record):
    """`module` is the importable name, `folder` the POSIX path below it, empty for its top."""

    module: str
    folder: str

    @property
    def text(self) -> str:
        return f"python:{self.module}" + (f"/{self.folder}" if self.folder else "")

    def beside(self, relative: str) -> PythonSource:
        top, *below = self.module.split(".")
        folder = inner("/".join([*below, self.folder]).strip("/"), relative, self.text)
        return PythonSource(module=top, folder=folder)

    def read(self) -> Mapping[str, bytes]:
        top, *below = self.module.split(".")
        parts = [*below, *(self.folder.split("/") if self.folder else [])]
        places = package_places(top, self.text)
        found = inside(top, places, parts)
        whole = [each for each in found if (each.folder / MANIFEST).is_file()] or found
        if not whole:
            raise TemplateUnavailable(
                "template-missing",
                f"the package '{top}' has no folder '{'/'.join(parts)}'",
                hint=_folders(places),
            )
        if len(whole) > 1:
            raise TemplateUnavailable(
                "template-ambiguous",
                f"{self.text} is there twice: {' and '.join(str(each.folder) for each in whole)}",
                hint="uninstall one of the packages that have it",
            )
        if not whole[0].folder.resolve().is_relative_to(whole[0].top.resolve()):
            raise TemplateUnavailable(
                "template-refused", f"{self.text} is refused: a link leads out of the package"
            )
        return read_folder(whole[0].folder, self.text)


def python_source(text: str) -> PythonSource:
    """What `python:MODULE[/FOLDER]` names. Raises TemplateUnavailable."""
    module, _, folder = text.removeprefix("python:").partition("/")
    if not _MODULE.fullmatch(module):
        raise TemplateUnavailable(
            "template-source",
            f"'{safe(text)}' names no Python package",
            hint="write python:MODULE or python:MODULE/FOLDER, e.g. python:acme_templates/standard",
        )
    return PythonSource(module=module, folder=checked_folder(folder.rstrip("/"), text))


def _folders(places: list[Path]) -> str:
    found = sorted(
        {
            item.parent.relative_to(place).as_posix()
            for place in places
            for item in [*place.glob(MANIFEST), *place.glob(f"*/{MANIFEST}")]
        }
    )
    return f"it has templates in: {', '.join(found[:20])}" if found else "it has no templates"
