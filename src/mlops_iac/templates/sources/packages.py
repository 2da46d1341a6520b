"""Where the folders of an installed Python package are, without running a line of it.

The import system's finders are asked level by level; `importlib.util.find_spec` of a dotted name
would import what stands before the dot. That way editable installs are found, too, whose finders
know names and no folders, and namespaces that several distributions share.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.records import Record


class Inside(Record):
    """A folder, and the folder of the package or part of a namespace that it is in."""

    folder: Path
    top: Path


def package_places(top: str, text: str) -> list[Path]:
    """Where a top-level package is; several for a namespace. Raises TemplateUnavailable."""
    spec = _spec(top, None)
    if spec is None:
        raise TemplateUnavailable(
            "template-missing",
            f"the Python package '{top}' is not installed beside mlops-iac",
            hint=f"install the package that has {text} into {sys.prefix}, where mlops-iac runs",
        )
    if spec.submodule_search_locations is None:
        raise TemplateUnavailable(
            "template-missing", f"'{top}' is a Python module and no package: it has no folders"
        )
    places = [Path(place) for place in spec.submodule_search_locations]
    archive = next((place for place in places if any(up.is_file() for up in place.parents)), None)
    if archive is not None and not any(place.is_dir() for place in places):
        raise TemplateUnavailable(
            "template-refused",
            f"{text} is refused: the package '{top}' is in an archive",
            hint="install it as folders, e.g. with pip",
        )
    return places


def inside(top: str, places: Sequence[Path], parts: Sequence[str]) -> list[Inside]:
    """The folders that `parts` lead to from the places of a package."""
    name = top
    found = [Inside(place, place) for place in places]
    for part in parts:
        name = f"{name}.{part}"
        below = [Inside(each.folder / part, each.top) for each in found]
        there = [each for each in below if each.folder.is_dir()]
        if not there and part.isidentifier():
            spec = _spec(name, [str(each.folder) for each in found])
            locations = spec.submodule_search_locations if spec is not None else None
            there = [Inside(Path(place), Path(place)) for place in locations or ()]
        found = there
    return [each for each in found if each.folder.is_dir()]


def _spec(name: str, path: list[str] | None) -> ModuleSpec | None:
    """What the finders know of a name; with `path`, of one below a package that is there."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        if find is None:
            continue
        try:
            found = find(name, _search_path() if path is None and finder is PathFinder else path)
        except (ImportError, ValueError, AttributeError, KeyError, OSError):
            continue
        if isinstance(found, ModuleSpec):
            return found
    return None


def _search_path() -> list[str]:
    """Where packages are installed: not the folder that `python -m` happens to be started in."""
    first, rest = sys.path[:1], sys.path[1:]
    if first and first[0] in ("", os.getcwd()):  # noqa: PTH109 - as it stands in sys.path
        return rest
    return [*first, *rest]
