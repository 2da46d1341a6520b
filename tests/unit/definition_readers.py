"""What an orchestrator would do, read out of the definition that a platform prints for it.

One reader per platform. What it reads is compared with what the local runner does, in the words of
`Done`; nothing of the printer and the runner is used here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

# The identity of the run, and what sealing puts between a prefix and a file.
RUN, ETAG = "RUN", "etag"
# The version in service.
IN_SERVICE = "churn/3"


@dataclass
class Done:
    """One step. Folders are those of the container's `/opt/ml`, URIs hold placeholders.

    `arguments` are those of every trial, where there are several; what is searched is in `searched`.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0
    trials: int = 1
    searched: frozenset[str] = frozenset()
    # From and to where; or which version is looked for, and what stands in for it.
    sealed: tuple[str, str] | None = None
    # What is said where every limit is missed by one.
    missed: tuple[str, ...] = ()
    registered: Any = None


class Reader(Protocol):
    """One platform's. `header` is what its blueprints begin with."""

    header: str

    def client(self, calls: list[Any]) -> Callable[[str], Any]:
        """Clients that register into `calls`."""

    def read(self, text: str) -> list[Done]:
        """The steps of a definition with placeholders, in their order."""

    def changed(self, text: str) -> dict[str, str]:
        """The definition with one thing changed, by what that is."""


class SageMaker:
    """SageMaker Pipelines."""

    header = "platform: sagemaker\nregion: eu-west-1\n"

    def client(self, calls: list[Any]) -> Callable[[str], Any]:
        """Clients that register into `calls`."""

        class Client:
            def get_paginator(self, _: str) -> Client:
                return self

            def paginate(self, **_: str) -> list[Any]:
                return []

            def create_model_package(self, **arguments: Any) -> dict[str, str]:
                calls.append(arguments)
                return {"ModelPackageArn": "arn"}

        return lambda _: Client()

    def read(self, text: str) -> list[Done]:
        """The steps of a definition with placeholders, in their order."""
        return _Pipeline(json.loads(text)).done

    def changed(self, text: str) -> dict[str, str]:
        """The definition with one thing changed, by what that is."""

        def change(edit: Callable[[list[Any]], Any]) -> str:
            loaded = json.loads(text)
            edit(loaded["Steps"])
            return json.dumps(loaded)

        def step(steps: list[Any], name: str) -> Any:
            return next(each for each in steps if each["Name"] == name)

        def job(steps: list[Any]) -> Any:
            return step(steps, "Train")["Arguments"]

        def gate(steps: list[Any]) -> Any:
            return step(steps, "Gate")["Arguments"]

        def package(steps: list[Any]) -> Any:
            return gate(steps)["IfSteps"][0]["Arguments"]

        def inputs(steps: list[Any]) -> Any:
            return step(steps, "Prepare")["Arguments"]["ProcessingInputs"]

        def tried(steps: list[Any]) -> Any:
            return step(steps, "Try")["Arguments"]

        return {
            "another model to try": change(lambda s: tried(s)["ProcessingInputs"].pop(1)),
            "a try that sees the answers": change(
                lambda s: tried(s)["Environment"].update(MLOPS_IAC_TARGET="x")
            ),
            "a version without its examples": change(
                lambda s: package(s).pop("CustomerMetadataProperties")
            ),
            "a dropped input": change(lambda s: inputs(s).pop(0)),
            "another input": change(lambda s: job(s)["InputDataConfig"].pop(0)),
            "a changed gate": change(lambda s: gate(s)["Conditions"][0].update(RightValue=0.1)),
            "a dropped gate": change(lambda s: gate(s)["Conditions"].pop()),
            "a changed script": change(
                lambda s: job(s)["Environment"].update(MLOPS_IAC_SCRIPT="x")
            ),
            "another argument": change(lambda s: job(s)["HyperParameters"].update(folds="6")),
            "another end": change(lambda s: job(s)["StoppingCondition"].clear()),
            "a swapped order": change(lambda s: s.insert(0, s.pop(1))),
            "a step less": change(lambda s: s.remove(step(s, "SealReport"))),
            "another approval": change(lambda s: package(s).update(ModelApprovalStatus="Approved")),
        }


class _Pipeline:
    """Source: SageMaker developer guide, "Pipelines steps"; "Pipeline definition schema"."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self._left: dict[str, Any] = {"Execution.PipelineExecutionId": RUN}
        self.done: list[Done] = []
        self._steps(definition["Steps"])

    def _steps(self, steps: list[Any]) -> None:
        for step in steps:
            name, arguments = step["Name"], step["Arguments"]
            if step["Type"] == "Condition":
                self.done.append(Done(name, missed=tuple(map(_missed, arguments["Conditions"]))))
                self._steps(arguments["IfSteps"])
            else:
                kind = getattr(self, f"_{step['Type'].lower()}")
                self.done.append(kind(name, self._resolved(arguments)))

    def _resolved(self, value: Any) -> Any:
        match value:
            case {"Get": reference}:
                # Of a step that has not run there is nothing.
                return self._left.get(reference, f"nothing of {reference}")
            case {"Std:Join": {"On": on, "Values": parts}}:
                return on.join(map(self._resolved, parts))
            case dict():
                return {key: self._resolved(item) for key, item in value.items()}
            case list():
                return [self._resolved(item) for item in value]
            case _:
                return value

    def _processing(self, name: str, job: Any) -> Done:
        inputs = {
            each["S3Input"]["LocalPath"]: each["S3Input"]["S3Uri"]
            for each in job["ProcessingInputs"]
        }
        outputs = {}
        for each in job["ProcessingOutputConfig"]["Outputs"]:
            output = each["S3Output"]
            outputs[output["LocalPath"]] = output["S3Uri"]
            place = f"ProcessingOutputConfig.Outputs['{each['OutputName']}'].S3Output.S3Uri"
            self._left[f"Steps.{name}.{place}"] = output["S3Uri"]
        pairs = iter(job["AppSpecification"].get("ContainerArguments", []))
        return Done(
            name,
            job["Environment"],
            {each.removeprefix("--"): next(pairs) for each in pairs},
            inputs,
            outputs,
            job["StoppingCondition"].get("MaxRuntimeInSeconds", 0),
        )

    def _training(self, name: str, job: Any, trial: str = "") -> Done:
        inputs = {
            f"/opt/ml/input/data/{each['ChannelName']}": each["DataSource"]["S3DataSource"]["S3Uri"]
            for each in job["InputDataConfig"]
        }
        # As the service names what it uploads.
        base = f"{job['OutputDataConfig']['S3OutputPath']}/{RUN}-{name}{trial}/output"
        self._left[f"Steps.{name}.ModelArtifacts.S3ModelArtifacts"] = f"{base}/model.tar.gz"
        outputs = {
            "/opt/ml/model": f"{base}/model.tar.gz",
            "/opt/ml/output/data": f"{base}/output.tar.gz",
        }
        if kept := job.get("CheckpointConfig"):
            outputs[kept["LocalPath"]] = kept["S3Uri"]
        given = job.get("HyperParameters", job.get("StaticHyperParameters"))
        return Done(
            name,
            job["Environment"],
            {key: value for key, value in given.items() if not key.startswith("sagemaker_")},
            inputs,
            outputs,
            job["StoppingCondition"].get("MaxRuntimeInSeconds", 0),
        )

    def _tuning(self, name: str, job: Any) -> Done:
        config = job["HyperParameterTuningJobConfig"]
        # The runner's first trial is made to be the best.
        self._left[f"Steps.{name}.BestTrainingJob.TrainingJobName"] = f"{RUN}-{name}001"
        done = self._training(name, job["TrainingJobDefinition"], "001")
        done.trials = config["ResourceLimits"]["MaxNumberOfTrainingJobs"]
        ranges = config["ParameterRanges"].values()
        done.searched = frozenset(each["Name"] for kind in ranges for each in kind)
        return done

    def _lambda(self, name: str, given: Any) -> Done:
        if "group" in given:
            assert (given["group"], given["model"]) == ("${model_package_group_name}", "churn")
            self._left[f"Steps.{name}.OutputParameters['uri']"] = given["otherwise"]
            self._left[f"Steps.{name}.OutputParameters['version']"] = IN_SERVICE
            return Done(name, sealed=(given["version"], given["otherwise"]))
        file = given["source"].rsplit("/", 1)[-1]
        self._left[f"Steps.{name}.OutputParameters['uri']"] = f"{given['target']}/{ETAG}/{file}"
        return Done(name, sealed=(given["source"], given["target"]))

    def _registermodel(self, name: str, given: Any) -> Done:
        return Done(name, registered=given)


def _missed(condition: Any) -> str:
    metric = _reported(condition["LeftValue"], r"metrics\.(.+)")
    limit, whose = condition["RightValue"], ""
    if isinstance(limit, dict):
        assert _reported(limit, r"current\.metrics\.(.+)") == metric
        limit, whose = 0, f", which {IN_SERVICE}, in service, has on the same data"
    words, by = {"GreaterThanOrEqualTo": ("at least", -1), "LessThanOrEqualTo": ("at most", 1)}[
        condition["Type"]
    ]
    return f"{metric} is {limit + by}, must be {words} {limit}{whose}"


def _reported(value: Any, pattern: str) -> str:
    """The metric that is read of the report."""
    read = value["Std:JsonGet"]
    assert read["PropertyFile"] == {"Get": "Steps.Evaluate.PropertyFiles.Report"}
    found = re.fullmatch(pattern, read["Path"])
    assert found
    return found[1]


READERS: Mapping[str, Reader] = {"sagemaker": SageMaker()}
