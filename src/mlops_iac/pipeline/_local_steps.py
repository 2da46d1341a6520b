"""One step of a local run: its references resolved, its job run, its outcome recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlops_iac.errors import ResourceFailed, UsageError
from mlops_iac.pipeline._local_jobs import Job, Machine, keep
from mlops_iac.pipeline._local_record import Record, StepRecord
from mlops_iac.pipeline._local_store import cloud_errors
from mlops_iac.pipeline._local_tuning import best_of, note, trials
from mlops_iac.pipeline._local_values import Values
from mlops_iac.runtime import contract

if TYPE_CHECKING:
    from mlops_iac.pipeline.local import RunEvent

Step = Mapping[str, Any]


class StepRunner:
    """Runs steps one after the other; what they leave is in `values` and `record`."""

    def __init__(
        self,
        machine: Machine,
        sagemaker: Any,
        values: Values,
        record: Record,
        folder: Path,
        say: Callable[[RunEvent], None],
        *,
        seed: str,
    ) -> None:
        self._machine = machine
        self._sagemaker = sagemaker
        self._values = values
        self._record = record
        self._folder = folder
        self._say = say
        self._seed = seed
        self.approval: str | None = None
        self.resumed = False

    def reuse(self, record: StepRecord) -> None:
        """Take over what a step left in an earlier run."""
        self._values.steps[record.name] = record.properties

    def run(self, step: Step, record: StepRecord) -> list[Step]:
        """Run one step; the steps that come next because of it (a condition's branch)."""
        name, kind = step["Name"], step["Type"]
        if kind == "Condition":
            return self._condition(step)
        arguments = step["Arguments"]
        match kind:
            case "Processing":
                job = self._job(name)
                properties = self._machine.processing(job, self._values.resolve(arguments))
                properties["PropertyFiles"] = self._property_files(step, job, properties)
                keep(job, contract.PROCESSING_REPORT)
            case "Training":
                job = self._job(name)
                resolved = self._values.resolve(arguments)
                properties = self._machine.training(job, resolved, resolved["HyperParameters"])
                keep(job, contract.OUTPUT)
            case "Tuning":
                properties = self._tune(name, self._values.resolve(arguments))
            # The one function that a printed pipeline calls.
            case "Lambda" if set(arguments) == {"source", "target"}:
                answer = self._machine.seal(**self._values.resolve(arguments))
                properties = {"OutputParameters": answer}
            case "RegisterModel":
                properties = self._register(self._values.resolve(arguments))
            case "Fail":
                self._record.status = "gate-failed"
                properties = {"ErrorMessage": self._values.resolve(arguments)["ErrorMessage"]}
            case _:
                raise UsageError(
                    f"a local run does not know how to run {name}, a {kind} step",
                    hint="known: Processing, Training, Tuning, Lambda, Condition, RegisterModel,"
                    " Fail",
                )
        record.properties = properties
        self._values.steps[name] = properties
        return []

    def _condition(self, step: Step) -> list[Step]:
        arguments = step["Arguments"]
        missed = [self._values.missed(condition) for condition in arguments["Conditions"]]
        self._record.missed = [sentence for sentence in missed if sentence]
        branch = "ElseSteps" if self._record.missed else "IfSteps"
        return list(arguments.get(branch, []))

    def _property_files(self, step: Step, job: Job, properties: Mapping[str, Any]) -> Any:
        outputs = properties["ProcessingOutputConfig"]["Outputs"]
        found: dict[str, Any] = {}
        for item in step.get("PropertyFiles", []):
            local = outputs[item["OutputName"]]["S3Output"]["LocalPath"]
            path = job.root / local.removeprefix(contract.ROOT + "/") / item["FilePath"]
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise ResourceFailed(
                    f"{step['Name']} left no readable {item['FilePath']}: {error}"
                ) from error
            found[item["PropertyFileName"]] = content
            if isinstance(content, dict):
                self._record.metrics = content.get("metrics", {})
        return found

    def _tune(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        config = arguments["HyperParameterTuningJobConfig"]
        training = arguments["TrainingJobDefinition"]
        static = training["StaticHyperParameters"]
        objective = config["HyperParameterTuningJobObjective"]
        if remark := note(config):
            self._tell(name, "note", remark)

        def run_trial(number: int, trial: Mapping[str, str]) -> Mapping[str, Any]:
            job = self._job(name, number)
            extra = {"_tuning_objective_metric": objective["MetricName"]}
            properties = self._machine.training(job, training, {**static, **trial, **extra})
            keep(job, contract.OUTPUT)
            return properties

        best, all_trials = best_of(
            trials(config, self._seed),
            run_trial,
            objective=objective,
            parallel=config["ResourceLimits"]["MaxParallelTrainingJobs"],
            on_note=lambda text: self._tell(name, "note", text),
        )
        self._tell(name, "note", f"best: {best['TrainingJobName']}")
        return {
            "BestTrainingJob": {"TrainingJobName": best["TrainingJobName"]},
            "Trials": [
                {key: item[key] for key in ("TrainingJobName", "Hyperparameters", "Objective")}
                for item in all_trials
            ],
        }

    def _register(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        group = arguments["ModelPackageGroupName"]
        with cloud_errors(f"registering a version in {group}"):
            # A run that was killed between registering and writing it down registers once.
            arn = (
                self._already(group, arguments)
                or self._sagemaker.create_model_package(**arguments)["ModelPackageArn"]
            )
        self._record.registered = arn
        self.approval = arguments["ModelApprovalStatus"]
        return {"ModelPackageArn": arn}

    def _already(self, group: str, arguments: Mapping[str, Any]) -> str | None:
        model = arguments["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        pages = self._sagemaker.get_paginator("list_model_packages")
        listed = pages.paginate(ModelPackageGroupName=group)
        for summary in (item for page in listed for item in page["ModelPackageSummaryList"]):
            arn: str = summary["ModelPackageArn"]
            found = self._sagemaker.describe_model_package(ModelPackageName=arn)
            containers = found.get("InferenceSpecification", {}).get("Containers", [{}])
            if containers[0].get("ModelDataUrl") == model:
                return arn
        return None

    def _job(self, step: str, trial: int | None = None) -> Job:
        part = step if trial is None else f"{step}{trial:03}"
        folder = self._folder / step if trial is None else self._folder / step / f"{trial:03}"
        prefix = "" if trial is None else f"trial {trial}: "
        return Job(
            name=f"{self._record.id}-{part}",
            folder=folder,
            log=folder / "log.txt",
            on_line=lambda line: self._tell(step, "line", prefix + line),
        )

    def _tell(self, step: str, kind: Literal["line", "note"], message: str) -> None:
        from mlops_iac.pipeline.local import RunEvent

        self._say(RunEvent(step, kind, message))
