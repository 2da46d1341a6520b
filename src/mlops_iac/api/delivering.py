"""CI workflows for a project: which environments there are to deliver to, in which order, and where."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api import compiling
from mlops_iac.api.project import LOCAL
from mlops_iac.blueprint.reach import checkout_around
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.scaffold.ci import Delivery


def workflows(
    project: Project, platform: str, *, root: Path | None = None, branch: str = "main"
) -> dict[Path, str]:
    """File → content of a platform's workflows.

    `root` is the repository's; by default the nearest folder at or above the blueprint with a
    `.git`, or the blueprint's own. Raises UsageError for names that no workflow may carry.
    """
    from mlops_iac.scaffold import ci

    top = (root or checkout_around(project.root) or project.root).resolve()
    found = ci.workflows(platform, delivery(project, top, branch))
    return {top / path: content for path, content in found.items()}


def delivery(project: Project, root: Path, branch: str) -> Delivery:
    """What the workflows are for; environments stand after those they promote from."""
    from mlops_iac.api.own_rules import template_folders
    from mlops_iac.program.manifest import read_manifest
    from mlops_iac.program.project_files import PULUMI_VERSION
    from mlops_iac.scaffold.ci import Delivery, Stack

    folder = project.root.resolve()
    if not folder.is_relative_to(root):
        raise UsageError(f"the blueprint's folder {folder} lies outside of {root}")
    program = compiling.default_out(project).resolve()
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
        pulumi=PULUMI_VERSION,
        branch=branch,
        ejected=bool(read_manifest(program).ejected),
        templates=[
            each.relative_to(root).as_posix()
            for each, _ in template_folders(project)
            if each.is_relative_to(root) and not each.is_relative_to(folder)
        ],
    )


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


def _in_order(project: Project) -> list[str]:
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
