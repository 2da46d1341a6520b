"""Everything wrong with a project, overrides against the limits of its templates included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from mlops_iac import blueprint as language
from mlops_iac.api.core.loading import judged
from mlops_iac.api.core.project import BaseProject
from mlops_iac.api.core.templating import Templates
from mlops_iac.errors import BlueprintInvalid, Diagnostic


def refused(project: BaseProject, stack: str) -> list[Diagnostic]:
    """Return what the platform, and the limits of templates on overrides, refuse of one environment."""
    found = project.platform_problems(stack)
    if project.loaded.torn:
        return found
    resolved = project.resolve(stack)
    wrong = any(each.severity == "error" for each in found)
    if project.loaded.templates and resolved.blueprint.overrides and not wrong:
        from mlops_iac.api.compile.override_limits import undone  # a capture, which few ask for

        found += undone(project, stack)
    return list(dict.fromkeys(found))


def problems(project: BaseProject, found: Sequence[Diagnostic] = ()) -> list[Diagnostic]:
    """Add to the language's problems `found` all the others of every environment, in order."""
    return judged(project, found, {name: refused(project, name) for name in project.environments})


def require_valid(project: BaseProject, stacks: Iterable[str] = ()) -> None:
    """Raise BlueprintInvalid where one of `stacks`, by default of all, must not be planned."""
    for stack in stacks or project.environments:
        if stack in project.valid:
            continue
        if any(each.severity == "error" for each in refused(project, stack)):
            raise BlueprintInvalid([p for p in problems(project) if p.severity == "error"])
        project.valid.add(stack)


def validate(path: str | Path = "blueprint.yaml", *, strict: bool = False) -> list[Diagnostic]:
    """Return every problem of a blueprint in every environment, the platform's included.

    In the order of the file; none where nothing is wrong. `strict` adds what a production stack
    lacks, as warnings. Raises UsageError where there is no such file, or it is not text.
    """
    return inspected(path, strict=strict)[1]


def inspected(
    path: str | Path, *, strict: bool = False
) -> tuple[BaseProject | None, list[Diagnostic]]:
    """Return the project, where its blueprint can be resolved, and the problems of `validate`."""
    templates = Templates(Path(path))
    loaded, found = language.examine(Path(path), strict=strict, templates=templates)
    if loaded is None:
        return None, found
    project = BaseProject(loaded, templates)
    found = problems(project, found)
    return (None if loaded.torn else project), found
