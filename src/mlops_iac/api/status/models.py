"""Models of a stack as they stand: the last run, what waits for an approval, what is approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_iac.api.models.registry import measured, model_output, newest_approved, waiting
from mlops_iac.api.status.entries import when
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.deploy.clients import Questions
    from mlops_iac.api.project import Project
    from mlops_iac.values import Properties

_DESCRIBED = 5
# SageMaker API reference, PipelineExecutionSummary.
_STATES = {
    "Executing": "running",
    "Stopping": "running",
    "Stopped": "stopped",
    "Failed": "failed",
    "Succeeded": "registered",
}


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a pipeline.

    `status` is `registered`, `gate-failed`, `failed`, `stopped` or `running`; `step` and `reason`
    say what failed; `started` is ISO 8601 in UTC.
    """

    id: str
    status: str
    started: str
    step: str = ""
    reason: str = ""


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
    project: Project, stack: str, outputs: Properties, questions: Questions | None
) -> list[ModelState]:
    """Return what is known of every model that this stack trains or registers."""
    blueprint = project.resolve(stack).blueprint
    found: list[ModelState] = []
    for name, model in blueprint.models.items():
        if model.train is None:
            continue
        pipeline = model_output(outputs, blueprint.moved, name, "pipeline") or ""
        group = model_output(outputs, blueprint.moved, name, "model_package_group")
        if not pipeline and not group:
            continue  # not deployed yet, or served from another environment's registry
        approved, versions = (
            _registry(name, group, questions) if group and questions is not None else ("", [])
        )
        last = None
        if pipeline and project.emulates(stack):
            last = _local_run(project, pipeline)
        elif pipeline and questions is not None:
            last = _execution(pipeline, questions)
        found.append(ModelState(name, pipeline, approved, tuple(versions), last))
    return found


def _registry(name: str, group: str, questions: Questions) -> tuple[str, list[Waiting]]:
    def client() -> Any:
        return questions.clients("sagemaker")

    what = f"the versions of {name}"
    newest = questions.ask(what, lambda: newest_approved(client(), group))
    found: list[Waiting] = []
    for at, item in enumerate(questions.ask(what, lambda: waiting(client(), group)) or ()):

        def numbers(arn: str = item["ModelPackageArn"]) -> dict[str, float]:
            answer = client().describe_model_package(ModelPackageName=arn)
            return measured(questions.clients("s3"), answer)

        metrics = (questions.ask(what, numbers) if at < _DESCRIBED else None) or {}
        created = when(item.get("CreationTime"))
        found.append(Waiting(str(item["ModelPackageVersion"]), created, metrics))
    return newest[0] if newest else "", found


def _local_run(project: Project, pipeline: str) -> LastRun | None:
    from mlops_iac.pipeline.run_record import goes_on, last_record, load_record

    runs = project.emulator / "runs"
    try:
        record = last_record(runs, pipeline)
        left = record.status == "running" and not goes_on(runs / record.id)
        if left:
            record = load_record(runs / record.id)  # it may have ended since
    except UsageError:
        return None
    failed = next((step for step in record.steps.values() if step.status == "failed"), None)
    started = record.started_at.replace("+00:00", "Z")
    if record.status == "gate-failed":
        return LastRun(record.id, record.status, started, "", "; ".join(record.missed))
    if record.status == "failed" and failed is not None:
        if failed.error == "KeyboardInterrupt":
            return LastRun(record.id, "stopped", started, failed.name, "interrupted")
        return LastRun(record.id, "failed", started, failed.name, failed.error)
    if left and record.status == "running":
        step = next(reversed(record.steps), "")
        return LastRun(record.id, "stopped", started, step, "its process ended before it did")
    return LastRun(record.id, record.status, started)


def _execution(pipeline: str, questions: Questions) -> LastRun | None:
    """The last execution of a pipeline.

    Source: SageMaker API reference, ListPipelineExecutions, ListPipelineExecutionSteps.
    """

    def client() -> Any:
        return questions.clients("sagemaker")

    def asked() -> Sequence[Mapping[str, Any]]:
        answer = client().list_pipeline_executions(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
        )
        found: Sequence[Mapping[str, Any]] = answer["PipelineExecutionSummaries"]
        return found

    what = f"the runs of {pipeline}"
    runs = questions.ask(what, asked)
    if not runs:
        return None
    arn = str(runs[0]["PipelineExecutionArn"])
    status = _STATES.get(str(runs[0]["PipelineExecutionStatus"]), "failed")
    last = LastRun(arn.rsplit("/", 1)[-1], status, when(runs[0].get("StartTime")))
    if status != "failed":
        return last

    def failed() -> Sequence[Mapping[str, Any]]:
        pages = client().get_paginator("list_pipeline_execution_steps")
        return [
            step
            for page in pages.paginate(PipelineExecutionArn=arn)
            for step in page["PipelineExecutionSteps"]
            if step["StepStatus"] == "Failed"
        ]

    told = str(runs[0].get("PipelineExecutionFailureReason") or "")
    for step in questions.ask(what, failed) or ():
        reason = str(step.get("FailureReason") or told)
        if "Fail" in (step.get("Metadata") or {}):  # the step that a missed gate leads to
            return LastRun(last.id, "gate-failed", last.started, "", reason)
        return LastRun(last.id, status, last.started, str(step["StepName"]), reason)
    return LastRun(last.id, status, last.started, "", told)
