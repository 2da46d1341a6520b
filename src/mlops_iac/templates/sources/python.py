"""A template in an installed Python package: `python:MODULE[/FOLDER]`.

The package's code never runs: its folder is found by the import system's finders, asked for the
top-level name only, because a longer one would import what stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.records import Record
from mlops_iac.templates.sources.base import checked_folder, inner, safe
from mlops_iac.templates.sources.reading import read_unchanged

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
        within = Path(*below, *self.folder.split("/"))
        places = _places(top, self.text)
        for place in places:
            found = place / within
            if not found.is_dir():
                continue
            if not found.resolve().is_relative_to(place.resolve()):
                raise TemplateUnavailable(
                    "template-refused", f"{self.text} is refused: a link leads out of the package"
                )
            return read_unchanged(found, self.text)
        raise TemplateUnavailable(
            "template-missing",
            f"the package '{top}' has no folder '{within.as_posix()}'",
            hint=_folders(places),
        )


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


def _places(top: str, text: str) -> list[Path]:
    """The folders of a package; several for a namespace."""
    from importlib.util import find_spec

    try:
        spec = find_spec(top)
    except (ImportError, ValueError, AttributeError):
        spec = None
    if spec is None:
        raise TemplateUnavailable(
            "template-missing",
            f"the Python package '{top}' is not installed beside mlops-iac",
            hint=f"install the package that has {text} into the environment of mlops-iac",
        )
    if spec.submodule_search_locations is None:
        raise TemplateUnavailable(
            "template-missing", f"'{top}' is a Python module and no package: it has no folders"
        )
    places = [Path(place) for place in spec.submodule_search_locations]
    folders = [place for place in places if place.is_dir()]
    if not folders:
        raise TemplateUnavailable(
            "template-refused",
            f"{text} is refused: the package '{top}' is in an archive",
            hint="install it as folders, e.g. with pip",
        )
    return folders


def _folders(places: list[Path]) -> str:
    found = sorted(
        item.parent.relative_to(place).as_posix()
        for place in places
        for item in [*place.glob("template.yaml"), *place.glob("*/template.yaml")]
    )
    return f"it has templates in: {', '.join(found[:20])}" if found else "it has no templates"
