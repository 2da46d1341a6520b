"""CI workflows for a project: which environments there are to deliver to, in which order, and where."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.compare.guard_changes import template_folders
from mlops_iac.api.compile import package_lock, programs
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.reach import checkout_around
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.blueprint.sections.platform import TemplateUse
    from mlops_iac.scaffold.ci import Delivery
    from mlops_iac.scaffold.ci_options import Options


def workflows(
    project: BaseProject,
    platform: str,
    *,
    root: Path | None = None,
    given: Mapping[str, object] | None = None,
) -> dict[Path, str]:
    """File → content of a platform's workflows.

    `root` is the repository's; by default the nearest folder at or above the blueprint with a
    `.git`, or the blueprint's own. `given` are options (`scaffold.ci_options.Options`) by name; the
    others are those that the files there were generated with. Raises UsageError for what no
    workflow may carry.
    """
    from mlops_iac.scaffold import ci

    top = top_of(project, root)
    options = kept_options(top, platform, project.name).changed(given or {})
    found = ci.workflows(platform, delivery(project, top, options))
    return {top / path: content for path, content in found.items()}


def top_of(project: BaseProject, root: Path | None = None) -> Path:
    """The repository's root."""
    return (root or checkout_around(project.root) or project.root).resolve()


def kept_options(root: Path, platform: str, name: str) -> Options:
    """The options that a project's workflows were generated with; defaults where there are none."""
    from mlops_iac.scaffold import ci
    from mlops_iac.scaffold.ci_options import kept

    found = (_text(root / path) for path in ci.paths(platform, name))
    return kept(text for text in found if text is not None)


def lock_of(project: BaseProject) -> Path:
    """The lock of the packages that CI installs for a project."""
    return programs.default_out(project) / package_lock.NAME


def lock(project: BaseProject, root: Path, index_url: str, *, upgrade: bool = False) -> list[str]:
    """Bring the lock of a project's packages up to date; what changed, one line each.

    Without an `index_url`, at the index that its workflows name. Raises UsageError where none does.
    """
    from mlops_iac.scaffold import ci

    path = lock_of(project)
    wanted = package_lock.requirements(project, path.parent)
    named = (kept_options(root, each, project.name).index_url for each in ci.PLATFORMS)
    url = index_url or next(filter(None, named), "")
    return package_lock.write_lock(path, wanted, url, upgrade=upgrade)


def unlocked(project: BaseProject) -> str:
    """Why CI could not install what the project needs; empty where it can."""
    path = lock_of(project)
    try:
        why = package_lock.unlocked(path, package_lock.requirements(project, path.parent))
    except UsageError as error:  # nothing is compiled yet
        return f"{error.message}: `{error.hint}`, then `mlops-iac ci lock`"
    return f"{os.path.relpath(path)} {why}: `mlops-iac ci lock`" if why else ""


def delivery(project: BaseProject, root: Path, options: Options) -> Delivery:
    """What the workflows are for; environments stand after those they promote from."""
    from mlops_iac.program.manifest import read_manifest
    from mlops_iac.program.project_files import PULUMI_VERSION
    from mlops_iac.scaffold.ci import Delivery, Stack

    folder = project.root.resolve()
    if not folder.is_relative_to(root):
        raise UsageError(f"the blueprint's folder {folder} lies outside of {root}")
    program = programs.default_out(project).resolve()
    if not program.is_relative_to(root):
        program = folder / "stacks" / project.name
    stacks = []
    for name in _in_order(project):
        blueprint = project.resolve(name).blueprint
        stacks.append(
            Stack(
                name,
                str(blueprint.region),
                "" if blueprint.account is None else str(blueprint.account),
                approval=bool(blueprint.protect),
            )
        )
    return Delivery(
        project=project.name,
        stacks=stacks,
        folder=folder.relative_to(root).as_posix(),
        program=program.relative_to(root).as_posix(),
        lock=(program / package_lock.NAME).relative_to(root).as_posix(),
        pulumi=PULUMI_VERSION,
        sign_in=project.access.workflows,
        options=options,
        remote=_remote(project),
        named=named(project.resolve(LOCAL).blueprint.extends, project.root),
        ejected=bool(read_manifest(program).ejected),
        templates=[
            each.relative_to(root).as_posix()
            for each, _ in template_folders(project)
            if each.is_relative_to(root) and not each.is_relative_to(folder)
        ],
    )


def _remote(project: BaseProject) -> list[str]:
    """The repositories elsewhere that templates come from, also those that templates name."""
    from mlops_iac.templates.sources.git import GitCommitSource

    found = []
    for template in project.loaded.templates:
        source = template.content.origin
        found.append(source.repository if isinstance(source, GitCommitSource) else source)
    return _elsewhere(found)


def named(uses: Iterable[TemplateUse], folder: Path) -> list[str]:
    """The repositories elsewhere that an `extends` in `folder` itself names."""
    from mlops_iac.templates.sources import parse_source

    return _elsewhere(parse_source(use.template, folder.resolve()) for use in uses)


def _elsewhere(sources: Iterable[object]) -> list[str]:
    from mlops_iac.templates.sources.git import GitSource

    found = [each.url for each in sources if isinstance(each, GitSource) and not each.local]
    return list(dict.fromkeys(found))


def without_credentials(project: BaseProject, platform: str, root: Path | None = None) -> list[str]:
    """Where templates come from without the credentials: what only other templates name."""
    from mlops_iac.scaffold import ci

    top = top_of(project, root)
    made = delivery(project, top, kept_options(top, platform, project.name))
    return ci.without_credentials(made) if made.options.template_credentials else []


def stale(files: dict[Path, str]) -> list[Path]:
    """Which of the files are missing or are not what would be generated."""
    return [path for path, content in files.items() if _text(path) != content]


def write(files: dict[Path, str]) -> list[Path]:
    """Write what differs; return it. Raises UsageError, also for a file that is not ours."""
    changed = stale(files)
    for path in changed:
        existing = _text(path)
        if existing is not None and "`mlops-iac ci generate" not in existing[:200]:
            raise UsageError(
                f"{os.path.relpath(path)} was not written by mlops-iac; nothing was written",
                hint="move it away",
            )
    for path in changed:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}") from None
    return changed


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def _in_order(project: BaseProject) -> list[str]:
    """Environments by what they promote from; otherwise as the blueprint has them."""
    names = [name for name in project.environments if name != LOCAL]
    sources = {
        name: {
            model.promote_from
            for model in project.resolve(name).blueprint.models.values()
            if model.promote_from
        }
        for name in names
    }
    ordered: list[str] = []
    while len(ordered) < len(names):
        free = [n for n in names if n not in ordered and sources[n] & {*names} <= {*ordered}]
        # A cycle is refused by `validate`; should there be one, nobody waits forever.
        ordered += free[:1] or [next(n for n in names if n not in ordered)]
    return ordered
