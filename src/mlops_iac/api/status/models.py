"""Models of a stack as they stand: the last run, what waits for an approval, what is approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_iac.api.deploy.served_versions import model_output
from mlops_iac.clouds.operations import APPROVED, WAITING, LastRun, utc

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.clouds.questions import Questions
    from mlops_iac.values import Properties

_DESCRIBED = 5


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that waits for somebody to approve or reject it; `metrics` of the newest five."""

    version: str
    registered: str
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model that is trained. `approved` is the newest approved version, empty without one."""

    name: str
    pipeline: str = ""
    approved: str = ""
    waiting: Sequence[Waiting] = ()
    last_run: LastRun | None = None


def models(
    project: BaseProject, stack: str, outputs: Properties, questions: Questions | None
) -> list[ModelState]:
    """Return what is known of every model that this stack trains or registers."""
    blueprint = project.resolve(stack).blueprint
    found: list[ModelState] = []
    for name, model in blueprint.models.items():
        if model.train is None:
            continue
        pipeline = model_output(outputs, blueprint.moved, name, "pipeline") or ""
        group = model_output(outputs, blueprint.moved, name, project.operations.registry_output)
        if not pipeline and not group:
            continue  # not deployed yet, or served from another environment's registry
        approved, versions = (
            _registry(project, name, group, questions)
            if group and questions is not None
            else ("", [])
        )
        last = last_run(project, pipeline, questions)
        found.append(ModelState(name, pipeline, approved, tuple(versions), last))
    return found


def last_run(project: BaseProject, pipeline: str, questions: Questions | None) -> LastRun | None:
    """Return the last run of a pipeline; None without one, and where nobody says."""
    if not pipeline or questions is None:
        return None
    return project.operations.last_run(pipeline, questions)


def _registry(
    project: BaseProject, name: str, group: str, questions: Questions
) -> tuple[str, list[Waiting]]:
    registry = project.operations.registry(questions.session)
    what = f"the versions of {name}"
    approved = questions.ask(what, lambda: registry.versions(group, APPROVED)) or ()
    found: list[Waiting] = []
    for at, each in enumerate(questions.ask(what, lambda: registry.versions(group, WAITING)) or ()):

        def numbers(id_: str = each.id) -> dict[str, float]:
            return registry.metrics(registry.describe(id_))

        metrics = (questions.ask(what, numbers) if at < _DESCRIBED else None) or {}
        found.append(Waiting(str(each.version), utc(each.created), metrics))
    return next((str(each.version) for each in approved), ""), found
