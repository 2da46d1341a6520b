"""Run the compiled pipeline of a model or a batch entry on this machine, as the emulated cloud has it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from mlops_iac.api.deploy.deployed_sources import differences, lifecycle
from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.api.deploy.places import session
from mlops_iac.api.deploy.registry import trained_model
from mlops_iac.api.deploy.served_versions import model_output
from mlops_iac.api.models.running_versions import described, running
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.sections.serving import Batch
from mlops_iac.clouds.operations import WAITING
from mlops_iac.errors import MlopsError, NotDeployed, UsageError
from mlops_iac.pipeline.prediction import Prediction
from mlops_iac.pipeline.run_record import load_record
from mlops_iac.pipeline.run_report import REPORT, InService, trained_on, trained_with

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.pipeline.backend import Backend
    from mlops_iac.pipeline.executor import OnRunEvent
    from mlops_iac.pipeline.local import RunResult
    from mlops_iac.pipeline.local_prediction import PredictionBackend, PredictionResult


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended, in words and as the runner's own result.

    `model` is the name of the model, or of the batch entry; of that, `prediction` says the rest.
    """

    model: str
    succeeded: bool
    message: str
    hint: str
    result: RunResult
    prediction: PredictionResult | None = None

    @property
    def done(self) -> str:
        """What a run that succeeded has done, in a word."""
        return "predicted" if self.prediction is not None else "registered"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        result, predicted = self.result, self.prediction
        if predicted is not None:
            return {
                "entry": self.model,
                "run": result.id,
                "status": result.status,
                "steps": dict(result.steps),
                "version": predicted.version,
                "rows": predicted.rows,
                "predicted": predicted.predicted,
                "output": predicted.output,
                "seconds": round(result.duration_seconds, 3),
                "usage": dict(result.usage),
            }
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
            "set": dict(result.given),
            "report": str(result.folder / REPORT),
            "usage": dict(result.usage),
        }


def run(
    project: BaseProject,
    name: str | None,
    *,
    stack: str,
    from_step: str | None,
    deployed: bool,
    on_event: OnRunEvent | None = None,
    identity: str = "",
    given: Mapping[str, str] | None = None,
    cache: bool = False,
) -> Run:
    """Run the pipeline that `up` deployed to the emulated cloud; see `pipeline.local.run`.

    `name` is a trained model's or a batch entry's. `deployed` runs it also where the blueprint gives
    another by now. `identity` is the run's, where somebody has told it already. Raises UsageError for a stack that is not emulated, and where the pipeline is not
    deployed; NotDeployed where it is another.
    """
    from mlops_iac.pipeline.local import run as run_locally
    from mlops_iac.pipeline.local_prediction import run as predict_locally

    project.resolve(stack)  # an unknown stack is told as such
    if not project.emulates(stack):
        raise UsageError(
            f"`run` executes pipelines on this machine, for {LOCAL} and rehearsals (--emulated) only",
            hint=f"start the pipeline of {stack} in its own cloud, or rehearse it: --emulated",
        )
    blueprint = project.resolve(stack).blueprint
    entries = [key for key, each in blueprint.serving.items() if isinstance(each, Batch)]
    name = trained_model(project, name, entries)
    origin = None if name in entries else blueprint.models[name].promote_from
    if origin and stack != LOCAL:
        raise UsageError(
            f"{stack} trains no {name}: it serves what is promoted from {origin}",
            hint=f"`mlops-iac run -s {origin}`, then `promote --from {origin} --to {stack}`",
        )
    pipeline, definition = _deployed(project, stack, name)
    if not deployed:
        _require_same(project, stack, name, pipeline, definition)
    what, backend = lifecycle(project, stack, name, definition)
    options: Any = {
        "work": project.emulator,  # whose virtual environments of workloads serve rehearsals, too
        "pipeline": pipeline,
        "from_step": from_step,
        "identity": identity,
        "on_event": on_event,
    }
    if isinstance(what, Prediction):
        if given or cache:
            what_for = "hyperparameters could be given to" if given else "could be taken over"
            raise UsageError(
                f"{name} is a batch entry: it trains nothing that {what_for}",
                hint=f"leave --{'set' if given else 'cache'} out, or name the model",
            )
        predicted = predict_locally(what, cast("PredictionBackend", backend), **options)
        counted = f"{predicted.predicted} of {predicted.rows} rows"
        said = f"{name}: {counted} by version {predicted.version}, at {predicted.output}"
        return Run(name, True, said, "", predicted.run, predicted)
    options |= {"served": _in_service(project, stack, name), "card": _card(project, stack, name)}
    result = run_locally(what, cast("Backend", backend), given=given, cache=cache, **options)
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
    own = ", ".join(f"{key}={value}" for key, value in result.given.items())
    own = f"; trained with {own}, which the blueprint does not have" if own else ""
    waits = result.approval == WAITING
    of = "" if stack == LOCAL else f" -s {stack}"
    hint = f"mlops-iac models approve {name} {version}{of}, then " if waits else ""
    hint += f"mlops-iac up{of}"
    return Run(name, True, f"{name}/{version} ({metrics}): {result.approval}{own}", hint, result)


def _in_service(project: BaseProject, stack: str, model: str) -> InService | None:
    """What serves now, for the page alone: where nobody says, there is nothing to compare with."""
    try:
        found = running(project, stack).versions.get(model)
        if found is None:
            return None
        version = described(project, stack, model, found[0])
        metrics = project.operations.registry(session(project, stack)).metrics(version)
    except MlopsError:
        return None
    known: tuple[Mapping[str, Any], Mapping[str, Any]] = {}, {}
    with suppress(UsageError):  # trained elsewhere, or by an earlier version
        folder = project.emulator / "runs" / version.run
        record = load_record(folder)
        known = trained_with(record), trained_on(folder, record)
    return InService(f"{model}/{found[1]}", metrics, *known)


def _card(project: BaseProject, stack: str, model: str) -> str:
    """The text of the model's card; nothing where it cannot be read."""
    section = project.resolve(stack).blueprint.models[model].registry
    try:
        return (project.root / section.card).read_text(encoding="utf-8") if section.card else ""
    except (OSError, ValueError):
        return ""


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
