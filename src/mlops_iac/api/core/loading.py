"""From a blueprint's file to a project, or to every problem of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from mlops_iac import blueprint as language
from mlops_iac.api.core.guard_rails import problems
from mlops_iac.api.core.project import BaseProject
from mlops_iac.api.core.templating import Templates
from mlops_iac.blueprint import ExtraEnvironment
from mlops_iac.blueprint.combine import in_order
from mlops_iac.clouds.registry import UNSUPPORTED
from mlops_iac.errors import BlueprintInvalid, Diagnostic

P = TypeVar("P", bound=BaseProject)


def load_as(
    kind: type[P], path: str | Path, extra: Mapping[str, ExtraEnvironment] | None = None
) -> P:
    """Load a project of a kind, perhaps with environments that its blueprint does not declare.

    Raises UsageError where there is no such file, or it is not text; BlueprintInvalid where it has
    problems: all of them are in `diagnostics`.
    """
    templates = Templates(Path(path))
    loaded, found = language.examine(Path(path), templates=templates, extra=extra)
    if loaded is None or loaded.torn:
        found = found if loaded is None else judged(BaseProject(loaded, templates), found)
        raise BlueprintInvalid([item for item in found if item.severity == "error"])
    return kind(loaded, templates)


def judged(
    project: BaseProject,
    found: Sequence[Diagnostic],
    refused: Mapping[str, Sequence[Diagnostic]] | None = None,
) -> list[Diagnostic]:
    """Add to the language's problems those of the platform and the guard rails, in order.

    `refused` are the platform's by environment, where they are known. A platform that does not exist
    yet comes first: nothing else matters as much.
    """
    if refused is None:
        refused = {name: project.platform_problems(name) for name in project.environments}
    everything = in_order([*found, *language.combine(refused), *problems(project)])
    return sorted(everything, key=lambda item: item.code != UNSUPPORTED)
