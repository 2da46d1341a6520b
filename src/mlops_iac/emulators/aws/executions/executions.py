"""Executions of the pipelines there are, kept as the runs on this machine go on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from moto.sagemaker.models import sagemaker_backends

from mlops_iac.emulators.aws.executions.arguments import Unresolved, resolved, steps
from mlops_iac.emulators.aws.executions.jobs import (
    KINDS,
    Place,
    Shown,
    Step,
    jobs,
)
from mlops_iac.emulators.aws.executions.logs import measure, write
from mlops_iac.emulators.aws.executions.records import Run, ids, moment

_STATUSES = {
    "running": "Executing",
    "succeeded": "Succeeded",
    "reused": "Succeeded",
    "failed": "Failed",
    "stopped": "Stopped",
}
_UNFINISHED = ("Executing", "Stopping")
_STEP_FAILED = "Step failure: One or multiple steps failed."
# By which the SageMaker SDK finds the execution of a job (`lineage_trial_component.py`).
_EXECUTION_TAG = "sagemaker:pipeline-execution-arn"
_KILLED = "The process that executed it has ended without a word."


class Execution:
    """One execution. `asked` is what a client started it with, empty for `mlops-iac run`."""

    def __init__(
        self, run: Run, pipeline: Any, place: Place, asked: Mapping[str, Any] | None = None
    ) -> None:
        self.run, self.pipeline, self.place = run, pipeline, place
        self.asked = asked or {}
        self.arn = f"{pipeline.arn}/execution/{run.id}"
        self.definition: str = pipeline.pipeline_definition
        self.stopping = False
        self.told = ""  # the status that events have told of
        self.jobs: dict[str, Shown] = {}
        self.steps: list[dict[str, Any]] = []
        self.began = moment(run.record.get("started_at") or run.changed.isoformat())
        pipeline.last_execution_time = self.began

    @property
    def status(self) -> str:
        """As the service says it."""
        written = self.run.record["status"]
        if self.run.goes_on:
            return "Stopping" if self.stopping else "Executing"
        if self.run.lost:
            return "Stopped" if self.stopping else "Failed"
        return {"failed": "Failed", "gate-failed": "Failed", "stopped": "Stopped"}.get(
            written, "Succeeded"
        )

    @property
    def unfinished(self) -> bool:
        """Whether it goes on."""
        return self.status in _UNFINISHED

    @property
    def reason(self) -> str:
        """Why it has failed; empty where it has not."""
        if self.status != "Failed":
            return ""
        failed = [each for each in self.run.steps.values() if each["status"] == "failed"]
        if failed and failed[-1]["name"] not in self._printed:  # before the first step
            return str(failed[-1]["error"])
        if failed:
            return _STEP_FAILED
        return (self.run.last_words() or _KILLED) if self.run.lost else ""

    @property
    def changed(self) -> datetime:
        """When anything of it last did."""
        return moment(self.run.changed.isoformat())

    @cached_property
    def _printed(self) -> dict[str, dict[str, Any]]:
        return {each["Name"]: each for each in steps(json.loads(self.definition))}

    def show(self) -> None:
        """Make steps and jobs of what is written of the run."""
        known: dict[str, Any] = {
            "Execution": {
                "PipelineExecutionId": self.run.id,
                "PipelineExecutionArn": self.arn,
                "PipelineName": self.pipeline.pipeline_name,
                "PipelineArn": self.pipeline.arn,
                "StartDateTime": self.began.isoformat(),
            },
            "Steps": {},
        }
        self.steps, self.jobs = [], {}
        for name, written in self.run.steps.items():
            if name in self._printed:
                self.steps.append(self._step(self._printed[name], written, known))

    def _step(
        self, printed: dict[str, Any], written: Mapping[str, Any], known: dict[str, Any]
    ) -> dict[str, Any]:
        status, error = written["status"], written["error"]
        if status == "running" and not self.run.goes_on:
            status, error = ("stopped", "") if self.stopping else ("failed", _KILLED)
        folder = self.run.folder / printed["Name"]
        told: dict[str, Any] = {
            "StepName": printed["Name"],
            "StartTime": moment(written["started_at"]),
            "StepStatus": _STATUSES[status],
            "AttemptCount": 1,
        }
        if status != "running":
            ended = written["ended_at"] or self.run.changed.isoformat()
            written = {**written, "ended_at": ended}
            told["EndTime"] = moment(ended)
        if status == "failed":
            told["FailureReason"] = error
        run, execution = self.run.id, known["Execution"]
        if source := written.get("cached_from"):
            # Its job is that of the execution which had it, with what that wrote.
            run = source
            told["CacheHitResult"] = {
                "SourcePipelineExecutionArn": f"{self.pipeline.arn}/execution/{source}"
            }
            execution = {**execution, "PipelineExecutionId": source}
        try:
            arguments = resolved(printed.get("Arguments") or {}, {**known, "Execution": execution})
        except Unresolved:
            arguments = {}
        if printed["Type"] in KINDS and arguments:
            _give(arguments, self.run.record.get("given") or {})
            tag = {"Key": _EXECUTION_TAG, "Value": self.arn}
            arguments["Tags"] = [*arguments.get("Tags", ()), tag]
            kind = KINDS[printed["Type"]]
            step = Step(run, printed["Name"], status, written, arguments, folder, error)
            made = jobs(kind, step, self.place)
            if not source:
                self.jobs |= {each.name: each for each in made}
            known["Steps"][printed["Name"]] = made[0].response_object
            noun = "TuningJob" if printed["Type"] == "Tuning" else kind.noun
            told["Metadata"] = {noun: {"Arn": made[0].arn}}
            return told
        left = written["properties"]
        known["Steps"][printed["Name"]] = {"OutputParameters": left}
        match printed["Type"]:
            case "Lambda":
                outputs = [each["OutputName"] for each in printed.get("OutputParameters", ())]
                told["Metadata"] = {
                    "Lambda": {
                        "Arn": printed["FunctionArn"],
                        "OutputParameters": [
                            {"Name": each, "Value": str(left[each])}
                            for each in outputs
                            if each in left
                        ],
                    }
                }
            case "RegisterModel" if "version" in left:
                told["Metadata"] = {"RegisterModel": {"Arn": left["version"]}}
            case "Condition" if status in ("succeeded", "reused"):
                refused = printed["Arguments"]["ElseSteps"]
                missed = any(each["Name"] in self.run.steps for each in refused)
                told["Metadata"] = {"Condition": {"Outcome": str(not missed)}}
            case "Fail":
                # The definition's words; why it came to that, with the numbers, stands beside them.
                told["Metadata"] = {"Fail": {"ErrorMessage": arguments.get("ErrorMessage", "")}}
        return told


class Executions:
    """All that are known, by their ARNs. `runs` is the folder of the runs on this machine."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.known: dict[str, Execution] = {}
        self._others: set[str] = set()  # runs of pipelines that are not there any more

    def refresh(self) -> None:
        """Take over what runs have written since. In order with moto's requests."""
        seen = {each.run.id for each in self.known.values()}
        for identity in ids(self.runs):
            if identity not in seen and identity not in self._others:
                self._meet(identity)
        for each in list(self.known.values()):
            if each.run.read() or each.run.goes_on:
                before = each.jobs
                each.show()
                _replace(each.place, before, each.jobs)

    def add(self, execution: Execution) -> None:
        """Take over one that a client starts."""
        self.known[execution.arn] = execution

    def write(self) -> None:
        """Bring CloudWatch what jobs have printed and measured since."""
        for each in self.known.values():
            for job in each.jobs.values():
                write(each.place, job)
                measure(each.place, job)

    def of(self, pipeline: Any) -> Iterator[Execution]:
        """Those of a pipeline, as long as it is there."""
        return (each for each in self.known.values() if each.pipeline is pipeline)

    def _meet(self, identity: str) -> None:
        run = Run(self.runs / identity)
        run.read()
        for place, pipeline in _pipelines(str(run.record.get("pipeline"))):
            if moment(run.record["started_at"]) >= pipeline.creation_time:
                execution = Execution(run, pipeline, place)
                execution.show()
                _replace(place, {}, execution.jobs)
                self.add(execution)
                return
        self._others.add(identity)


def _pipelines(name: str) -> Iterator[tuple[Place, Any]]:
    for account, regions in list(sagemaker_backends.items()):
        for region, backend in list(regions.items()):
            if name in backend.pipelines:
                yield Place(account, region), backend.pipelines[name]


def _replace(place: Place, before: Mapping[str, Shown], now: Mapping[str, Shown]) -> None:
    """Put the jobs in the place of what was shown before: a continued run may have lost some."""
    backend = sagemaker_backends[place.account][place.region]
    for each in before.values():
        getattr(backend, each.kind.jobs).pop(each.name, None)
    for each in now.values():
        getattr(backend, each.kind.jobs)[each.name] = each


def step_to_retry(execution: Execution) -> str:
    """The step at which a run that has not come to its end goes on; empty where none was begun."""
    for name, each in execution.run.steps.items():
        if each["status"] not in ("succeeded", "reused"):
            return str(name)
    return ""


def _give(arguments: dict[str, Any], given: Mapping[str, str]) -> None:
    """Put in hyperparameters that this run alone was given, where the definition has others."""
    for static in (
        arguments.get("HyperParameters"),
        arguments.get("TrainingJobDefinition", {}).get("StaticHyperParameters"),
    ):
        if static:
            static.update({name: text for name, text in given.items() if name in static})
