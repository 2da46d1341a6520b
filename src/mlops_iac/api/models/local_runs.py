"""Run a model's compiled pipeline on this machine, as the emulated cloud has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_iac.api.deploy.deployed_sources import differences, lifecycle
from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.api.deploy.registry import trained_model
from mlops_iac.api.deploy.served_versions import model_output
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds.operations import WAITING
from mlops_iac.errors import NotDeployed, UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.pipeline.executor import OnRunEvent
    from mlops_iac.pipeline.local import RunResult


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended, in words and as the runner's own result."""

    model: str
    succeeded: bool
    message: str
    hint: str
    result: RunResult

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        result = self.result
        return {
            "model": self.model,
            "run": result.id,
            "status": result.status,
            "steps": dict(result.steps),
            "metrics": dict(result.metrics),
            "model_package": result.registered,
            "approval": result.approval,
            "missed": list(result.missed),
            "seconds": round(result.duration_seconds, 3),
        }


def run(
    project: BaseProject,
    model: str | None,
    *,
    stack: str,
    from_step: str | None,
    deployed: bool,
    on_event: OnRunEvent | None,
) -> Run:
    """Run the pipeline that `up` deployed to the emulated cloud; see `pipeline.local.run`.

    `deployed` runs it also where the blueprint gives another by now. Raises UsageError for a stack
    that is not emulated, and where the pipeline is not deployed; NotDeployed where it is another.
    """
    from mlops_iac.pipeline.local import run as run_locally

    project.resolve(stack)  # an unknown stack is told as such
    if not project.emulates(stack):
        raise UsageError(
            f"`run` executes pipelines on this machine, for {LOCAL} and rehearsals (--emulated) only",
            hint=f"start the pipeline of {stack} in its own cloud, or rehearse it: --emulated",
        )
    name = trained_model(project, model)
    origin = project.resolve(stack).blueprint.models[name].promote_from
    if origin and stack != LOCAL:
        raise UsageError(
            f"{stack} trains no {name}: it serves what is promoted from {origin}",
            hint=f"`mlops-iac run -s {origin}`, then `promote --from {origin} --to {stack}`",
        )
    pipeline, definition = _deployed(project, stack, name)
    if not deployed:
        _require_same(project, stack, name, pipeline, definition)
    result = run_locally(
        *lifecycle(project, stack, name, definition),
        work=project.emulator,  # whose virtual environments of workloads serve rehearsals, too
        pipeline=pipeline,
        from_step=from_step,
        on_event=on_event,
    )
    if result.registered is None:
        missed = "; ".join(result.missed)
        return Run(
            name,
            False,
            f"{name} is not registered: {missed}",
            f"improve the model or change models.{name}.evaluate.gates; logs: {result.folder}",
            result,
        )
    version = result.registered.rsplit("/", 1)[-1]
    metrics = ", ".join(f"{key} {value:g}" for key, value in sorted(result.metrics.items()))
    waits = result.approval == WAITING
    of = "" if stack == LOCAL else f" -s {stack}"
    hint = f"mlops-iac models approve {name} {version}{of}, then " if waits else ""
    hint += f"mlops-iac up{of}"
    return Run(name, True, f"{name}/{version} ({metrics}): {result.approval}", hint, result)


def _require_same(
    project: BaseProject, stack: str, model: str, pipeline: str, definition: str
) -> None:
    of = "" if stack == LOCAL else f" -s {stack}"
    with Deployment(project, stack) as deployment:
        plan = deployment.preview()
    if found := differences(project, plan, model, pipeline, definition):
        raise NotDeployed(
            f"{stack} would run {model} as it was deployed, without what has changed since;"
            " nothing was run",
            found,
            hint=f"`mlops-iac up{of}` deploys it, `mlops-iac run{of} --yes` does so first;"
            f" `mlops-iac run{of} --deployed` runs what is deployed",
        )


def _deployed(project: BaseProject, stack: str, model: str) -> tuple[str, str]:
    info = project.emulated_cloud.answering()
    with Deployment(project, stack) as deployment:
        outputs = deployment.outputs()
    moved = project.resolve(stack).blueprint.moved
    pipeline = model_output(outputs, moved, model, "pipeline")
    of = "" if stack == LOCAL else f" -s {stack}"
    if info is None or not pipeline:
        raise UsageError(
            f"the pipeline of {model} is not deployed to {stack}",
            hint=f"run `mlops-iac up{of}` first",
        )
    definition = project.operations.definition(pipeline, project.emulated_cloud.session(stack))
    if definition is None:
        raise UsageError(
            f"the emulated cloud has no pipeline {pipeline}; it lost what it held",
            hint=f"run `mlops-iac up{of}`, which creates it again",
        )
    return pipeline, definition
