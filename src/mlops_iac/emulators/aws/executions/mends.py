"""What SageMaker answers about executions and jobs, in the place of moto's answers.

Source: SageMaker API reference, of each operation; which errors, and their forms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from moto.sagemaker.exceptions import (
    ConflictException,
    ResourceNotFound,
    ValidationError,
)

from mlops_iac.emulators.aws import searching
from mlops_iac.emulators.aws.answers import answer, between, page
from mlops_iac.emulators.aws.executions import starting
from mlops_iac.emulators.aws.executions.executions import Execution, Executions, step_to_retry
from mlops_iac.emulators.aws.executions.jobs import (
    PROCESSING,
    TRAINING,
    TRANSFORM,
    Kind,
    Place,
    training_of,
)
from mlops_iac.emulators.aws.executions.records import Run, epoch
from mlops_iac.emulators.aws.user import user


def install(runs: Path) -> Executions:
    """Put them in moto's place. Once in a process, in order."""
    executions = Executions(runs)
    answers = _Answers(executions)
    for name in (
        "start_pipeline_execution",
        "stop_pipeline_execution",
        "retry_pipeline_execution",
        "list_pipeline_executions",
        "list_pipeline_execution_steps",
        "list_pipeline_parameters_for_execution",
        "describe_pipeline_execution",
        "describe_pipeline_definition_for_execution",
        "list_training_jobs_for_hyper_parameter_tuning_job",
    ):
        answer(name, getattr(answers, name))
    for kind in (PROCESSING, TRAINING, TRANSFORM):
        answer(f"list_{kind.jobs}", _list_of(kind))
    searching.install(answers.described)
    return executions


class _Answers:
    """The operations on executions; each is given moto's backend and the request."""

    def __init__(self, executions: Executions) -> None:
        self._all = executions

    def start_pipeline_execution(self, backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
        pipeline = _pipeline(backend, asked["PipelineName"])
        token = asked["ClientRequestToken"]
        for each in self._all.of(pipeline):
            if each.asked.get("ClientRequestToken") == token:
                return {"PipelineExecutionArn": each.arn}
        _require_known(pipeline, asked.get("PipelineParameters") or ())
        file = self._file(pipeline)
        run = Run(self._all.runs / starting.identity())
        starting.start(self._all.runs, file, run)
        place = Place(backend.account_id, backend.region_name)
        execution = Execution(run, pipeline, place, asked)
        self._all.add(execution)
        return {"PipelineExecutionArn": execution.arn}

    def retry_pipeline_execution(self, backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
        found = self._found(backend, asked)
        if found.status not in ("Failed", "Stopped"):
            raise ConflictException(
                f"Pipeline execution {found.arn} is {found.status}; only a failed or stopped"
                " execution can be retried."
            )
        file = self._file(found.pipeline)
        found.stopping = False
        found.run.begin()
        starting.start(self._all.runs, file, found.run, step_to_retry(found))
        return {"PipelineExecutionArn": found.arn}

    def stop_pipeline_execution(self, backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
        found = self._found(backend, asked)
        if not found.unfinished:
            raise ConflictException(
                f"Pipeline execution {found.arn} is {found.status}; it cannot be stopped."
            )
        found.stopping = True
        found.run.interrupt()
        return {"PipelineExecutionArn": found.arn}

    def list_pipeline_executions(self, backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
        found = [
            {
                "PipelineExecutionArn": each.arn,
                "StartTime": each.began,
                "PipelineExecutionStatus": each.status,
                "PipelineExecutionDisplayName": _display_name(each),
                "PipelineExecutionDescription": each.asked.get("PipelineExecutionDescription"),
                "PipelineExecutionFailureReason": each.reason or None,
            }
            for each in self._all.of(_pipeline(backend, asked["PipelineName"]))
        ]
        orders = {"PipelineExecutionArn": "PipelineExecutionArn"}
        order = orders.get(asked.get("SortBy", ""), "StartTime")
        kept = between(found, "StartTime", asked.get("CreatedAfter"), asked.get("CreatedBefore"))
        return page("PipelineExecutionSummaries", kept, asked, order)

    def list_pipeline_execution_steps(self, backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
        found = self._found(backend, asked)
        return page("PipelineExecutionSteps", found.steps, asked)

    def list_pipeline_parameters_for_execution(
        self, backend: Any, asked: dict[str, Any]
    ) -> dict[str, Any]:
        found = self._found(backend, asked)
        given = {each["Name"]: each["Value"] for each in found.asked.get("PipelineParameters", ())}
        values = {
            each["Name"]: given.get(each["Name"], each.get("DefaultValue"))
            for each in json.loads(found.definition).get("Parameters", ())
        }
        named = [{"Name": name, "Value": str(value)} for name, value in values.items()]
        return page("PipelineParameters", named, {**asked, "SortOrder": "Ascending"})

    def described(self, backend: Any) -> Iterator[dict[str, Any]]:
        """All executions of a backend's pipelines."""
        for pipeline in backend.pipelines.values():
            yield from map(_described, self._all.of(pipeline))

    def describe_pipeline_execution(self, backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
        return _described(self._found(backend, asked))

    def describe_pipeline_definition_for_execution(
        self, backend: Any, asked: dict[str, Any]
    ) -> dict[str, Any]:
        found = self._found(backend, asked)
        return {"PipelineDefinition": found.definition, "CreationTime": found.began}

    def list_training_jobs_for_hyper_parameter_tuning_job(
        self, backend: Any, asked: dict[str, Any]
    ) -> dict[str, Any]:
        name = asked["HyperParameterTuningJobName"]
        tuning = backend.describe_hyper_parameter_tuning_job(name)  # which says where there is none
        config = tuning["HyperParameterTuningJobConfig"]
        found = [
            training_of(each, config)
            for each in backend.training_jobs.values()
            if each.tuning == name
            and asked.get("StatusEquals", each.training_job_status) == each.training_job_status
        ]
        orders: dict[str, Callable[[Any], Any]] = {
            "Status": lambda each: each["TrainingJobStatus"],
            "CreationTime": lambda each: each["CreationTime"],
            "FinalObjectiveMetricValue": _objective,
        }
        by = orders.get(asked.get("SortBy", ""), lambda each: each["TrainingJobName"])
        return page("TrainingJobSummaries", sorted(found, key=by), asked)

    def _found(self, backend: Any, asked: Mapping[str, Any]) -> Execution:
        arn = str(asked.get("PipelineExecutionArn"))
        found = self._all.known.get(arn)
        if found is None or found.pipeline not in backend.pipelines.values():
            raise ResourceNotFound(f"Pipeline execution with ARN {arn} does not exist.")
        return found

    def _file(self, pipeline: Any) -> Path:
        file = starting.startable(self._all.runs, pipeline.pipeline_name)
        if file is None:
            raise ValidationError(
                f"The emulated SageMaker executes pipelines that `mlops-iac up` has deployed, and"
                f" {pipeline.pipeline_name} is none; nothing was started."
            )
        return file


def _pipeline(backend: Any, name: str) -> Any:
    """By its name or ARN."""
    found = backend.pipelines.get(name.rpartition("/")[2])
    if found is None:
        raise ResourceNotFound(f"Pipeline with name {name} does not exist.")
    return found


def _require_known(pipeline: Any, given: Iterable[Mapping[str, str]]) -> None:
    known = {each["Name"] for each in json.loads(pipeline.pipeline_definition)["Parameters"]}
    if wrong := sorted({each["Name"] for each in given} - known):
        raise ValidationError(
            f"Unknown parameters [{', '.join(wrong)}] for pipeline {pipeline.arn}."
        )


def _described(found: Execution) -> dict[str, Any]:
    pipeline = found.pipeline
    return {
        "PipelineArn": pipeline.arn,
        "PipelineExecutionArn": found.arn,
        "PipelineExecutionDisplayName": _display_name(found),
        "PipelineExecutionStatus": found.status,
        "PipelineExecutionDescription": found.asked.get("PipelineExecutionDescription"),
        "FailureReason": found.reason or None,
        "CreationTime": found.began,
        "LastModifiedTime": found.changed,
        "CreatedBy": user(found.arn),
        "LastModifiedBy": user(found.arn),
        "ParallelismConfiguration": found.asked.get("ParallelismConfiguration")
        or pipeline.parallelism_configuration,
        "RoleArn": pipeline.role_arn,
    }


def _display_name(execution: Execution) -> str:
    name: str = execution.asked.get("PipelineExecutionDisplayName") or (
        f"execution-{int(epoch(execution.began) * 1000)}"
    )
    return name


def _objective(training: Mapping[str, Any]) -> float:
    metric = training.get("FinalHyperParameterTuningJobObjectiveMetric", {})
    return float(metric.get("Value", "-inf"))


def _list_of(kind: Kind) -> Callable[[Any, dict[str, Any]], dict[str, Any]]:
    """ListTrainingJobs and its like."""
    members = [f"{kind.noun}{part}" for part in ("Name", "Arn", "Status")]
    kept = [*members, "CreationTime", kind.ended, "LastModifiedTime", "FailureReason"]
    orders = {"Name": f"{kind.noun}Name", "Status": f"{kind.noun}Status"}

    def listed(backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
        status = f"{kind.noun}Status"
        found = [each.response_object for each in getattr(backend, kind.jobs).values()]
        found = [
            {key: each[key] for key in kept if key in each}
            for each in found
            if asked.get("NameContains", "").lower() in each[f"{kind.noun}Name"].lower()
            and asked.get("StatusEquals", each[status]) == each[status]
        ]
        for member, name in (("CreationTime",) * 2, ("LastModifiedTime",) * 2):
            after, before = asked.get(f"{name}After"), asked.get(f"{name}Before")
            found = between(found, member, after, before)
        order = orders.get(asked.get("SortBy", ""), "CreationTime")
        return page(f"{kind.noun}Summaries", found, asked, order)

    return listed
