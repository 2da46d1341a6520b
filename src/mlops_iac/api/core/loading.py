"""From a blueprint's file to a project, or to every problem of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mlops_iac import blueprint as language
from mlops_iac.api.core.templating import Templates
from mlops_iac.api.project import Project
from mlops_iac.blueprint import ExtraEnvironment
from mlops_iac.blueprint.combine import in_order
from mlops_iac.clouds.registry import UNSUPPORTED
from mlops_iac.errors import BlueprintInvalid, Diagnostic


def load(path: str | Path = "blueprint.yaml") -> Project:
    """Read and check a blueprint, with its templates; nothing is planned or run yet.

    Raises UsageError where there is no such file, or it is not text; BlueprintInvalid where it has
    problems: all of them are in `diagnostics`.
    """
    return load_with(path)


def load_with(path: str | Path, extra: Mapping[str, ExtraEnvironment] | None = None) -> Project:
    """Load a blueprint with environments that it does not declare; see `load`."""
    templates = Templates(Path(path))
    loaded, found = language.examine(Path(path), templates=templates, extra=extra)
    if loaded is None or loaded.torn:
        found = found if loaded is None else judged_with(Project(loaded, templates), found)
        raise BlueprintInvalid([item for item in found if item.severity == "error"])
    return Project(loaded, templates)


def validate(path: str | Path = "blueprint.yaml", *, strict: bool = False) -> list[Diagnostic]:
    """Return every problem of a blueprint in every environment, the platform's included.

    In the order of the file; none where nothing is wrong. `strict` adds what a production stack
    lacks, as warnings. Raises UsageError where there is no such file, or it is not text.
    """
    return inspected(path, strict=strict)[1]


def inspected(path: str | Path, *, strict: bool = False) -> tuple[Project | None, list[Diagnostic]]:
    """Return the project, where its blueprint can be resolved, and the problems of `validate`."""
    templates = Templates(Path(path))
    loaded, found = language.examine(Path(path), strict=strict, templates=templates)
    if loaded is None:
        return None, found
    project = Project(loaded, templates)
    found = judged_with(project, found)
    return (None if loaded.torn else project), found


def judged_with(project: Project, found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Add to the language's problems those of the platform and the guard rails, in order.

    A platform that does not exist yet comes first: nothing else matters as much.
    """
    refused = language.combine(
        {name: project.platform_problems(name) for name in project.environments}
    )
    from mlops_iac.api.compile.guard_rails import problems

    everything = in_order([*found, *refused, *problems(project)])
    return sorted(everything, key=lambda item: item.code != UNSUPPORTED)
