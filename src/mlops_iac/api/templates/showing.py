"""What there is to know of templates: one by its source, those of a blueprint, those there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.errors import BlueprintInvalid, MlopsError, UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.blueprint.templates.applied import AppliedTemplate
    from mlops_iac.blueprint.templates.content import TemplateContent
    from mlops_iac.templates.facts import Facts

ENTRY_POINTS = "mlops_iac.templates"
"""Group in which Python packages name their templates: `standard = acme_templates:standard`."""


@dataclass(frozen=True, slots=True)
class There:
    """A template that there is to build on. `where` is `built-in`, `blueprint` or a package."""

    source: str
    name: str
    version: str
    description: str
    where: str


def find(wanted: str, blueprint: str | Path | None = None) -> tuple[str, TemplateContent]:
    """The template `SOURCE[@VERSION]`, seen from the working folder, and its source.

    The name or source of one that `blueprint` stands on means the version that it stands on.
    Raises UsageError where it cannot be had.
    """
    from mlops_iac.blueprint.reach import Reach
    from mlops_iac.blueprint.templates.content import Wanted
    from mlops_iac.templates.finder import Finder

    source, _, version = wanted.rpartition("@")
    if not source or "/" in version or ":" in version:  # git+ssh://git@host/…
        source, version = wanted, ""
    path = Path(blueprint) if blueprint is not None else None
    if not version and path is not None and path.is_file():
        for each in _applied(path):
            if source in (each.manifest.name, each.asked):
                return each.asked, each.content
    if (
        Path(source).is_dir()
        and not source.startswith(("/", "./", "../"))
        and source not in (".", "..")
    ):
        source = f"./{source}"
    finder = Finder(Path("blueprint.yaml"), reach=Reach.around(Path(source)))
    return source, finder.find(Wanted(source, version))


def _applied(path: Path) -> Sequence[AppliedTemplate]:
    """What a blueprint stands on; it need not be valid otherwise. Nothing where that fails."""
    from mlops_iac.api.core.templating import Templates
    from mlops_iac.blueprint.compose import compose
    from mlops_iac.blueprint.source import read
    from mlops_iac.blueprint.templates.applying import Applier

    applier = Applier(Templates(path))
    try:
        applier.walk(compose(read(path, path.as_posix()))[0])
    except MlopsError:
        return ()  # a blueprint that cannot be read says nothing of what is asked for
    return applier.applied


def show(wanted: str, blueprint: str | Path | None = None) -> Facts:
    """All about one template. Raises UsageError, BlueprintInvalid."""
    from mlops_iac.templates.facts import facts

    return facts(find(wanted, blueprint)[1])


def in_use(project: BaseProject, *, newest: bool = True) -> list[dict[str, Any]]:
    """The templates that a blueprint stands on, lowest layer first, as plain data.

    `newest` asks their sources what there is now: empty where that is not known, with
    `why_unknown` where one does not answer.
    """
    from mlops_iac.templates.finder import Finder

    finder = Finder.beside(project.path, reach=project.loaded.reach)
    contents = {each.label: each.content for each in project.loaded.templates}
    found = []
    for each in project.loaded.templates:
        known, why = "", ""
        try:
            versions = finder.versions(each.asked, contents.get(each.by)) if newest else []
            known = next(iter(versions), "")
        except MlopsError as error:
            why = error.message
        said = {key: getattr(each.manifest, key) for key in ("name", "version")}
        said |= {"source": each.asked, "requested": each.requested, "by": each.by}
        said |= {"parameters": dict(each.parameters), "digest": each.content.digest}
        said |= {"commit": each.content.commit, "newest": known, "why_unknown": why}
        found.append(said)
    return found


def available(blueprint: str | Path | None = None) -> Iterator[There]:
    """The templates there are to build on: built-in, of the blueprint, of installed packages."""
    from mlops_iac.templates.sources.builtin import builtin_names

    for name in builtin_names():
        yield _there(name, "built-in")
    path = Path(blueprint) if blueprint is not None else None
    if path is not None and path.is_file():
        for each in _applied(path):
            if each.by:
                continue  # what it is called is seen from the template that brings it
            manifest = each.manifest
            yield There(
                each.asked, manifest.name, manifest.version, manifest.description, "blueprint"
            )
    for source, package in _installed():
        yield _there(source, package)


def _there(source: str, where: str) -> There:
    try:
        found = show(source)
    except (UsageError, BlueprintInvalid) as error:
        return There(source, "", "", f"cannot be read: {error.message}", where)
    return There(source, found.name, found.version, found.description, where)


def _installed() -> Iterator[tuple[str, str]]:
    """What installed packages name as templates; none of them is imported."""
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINTS):
        folder = f"/{point.attr.replace('.', '/')}" if point.attr else ""
        package = point.dist.name if point.dist is not None else point.module
        yield f"python:{point.module}{folder}", package
