"""Prints a `Lifecycle` as a SageMaker Pipeline definition with named placeholders.

Sources: the pipeline definition schema (2020-12-01) and the request shapes of
CreateProcessingJob, CreateTrainingJob, CreateHyperParameterTuningJob and CreateModelPackage in
botocore 1.44; what each step's properties are called: "Pipelines steps" in the SageMaker
developer guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mlops_iac.clouds.aws.sagemaker.definition import jobs
from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings, join, lambda_step
from mlops_iac.jsontext import indented
from mlops_iac.pipeline.steps import Lifecycle, Limit, Task, Tune
from mlops_iac.pipeline.tasks import Current, Gate, Job, Registration, Seal, Training, tasks
from mlops_iac.runtime import contract

_SEALS = "${seal_function_arn}"
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


# SageMaker developer guide, "Retry policy for pipeline steps": which errors there are, and that a
# tuning step's jobs see to `JOB_INTERNAL_ERROR` themselves. Capacity comes back within hours: 2 + 4
# + … + 64 minutes. A spot job that is interrupted goes on by itself until its `MaxWaitTimeInSeconds`.
_CALLS = {
    "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
    "IntervalSeconds": 10,
    "BackoffRate": 2,
    "MaxAttempts": 6,
}
_CAPACITY = {
    "ExceptionType": ["SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"],
    "IntervalSeconds": 120,
    "BackoffRate": 2,
    "MaxAttempts": 6,
}
_FAULTS = {
    "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"],
    "IntervalSeconds": 60,
    "BackoffRate": 2,
    "MaxAttempts": 2,
}
_RETRIES = {
    "Processing": (_CALLS, _CAPACITY, _FAULTS),
    "Training": (_CALLS, _CAPACITY, _FAULTS),
    "Transform": (_CALLS, _CAPACITY, _FAULTS),
    "Tuning": (_CALLS, _CAPACITY),
    "RegisterModel": (_CALLS,),
}


def placeholders(text: str) -> frozenset[str]:
    """The names of all `${…}` in `text`."""
    return frozenset(_PLACEHOLDER.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with its placeholders filled. Raises KeyError, naming those that have no value."""
    missing = sorted(placeholders(text) - set(values))
    if missing:
        raise KeyError(f"no value for {', '.join('${' + name + '}' for name in missing)}")
    # A value goes into a JSON string, so it is escaped as one.
    return _PLACEHOLDER.sub(lambda found: json.dumps(values[found[1]])[1:-1], text)


def filled_with(template: str, text: str) -> dict[str, str] | None:
    """The values with which `template` was filled to become `text`; None where it was not.

    They are as they stand in the text, those of lists with what is between the entries.
    """
    ours, theirs = template.split("\n"), text.split("\n")
    values: dict[str, str] = {}
    if len(ours) != len(theirs):
        return None
    for line, filled in zip(ours, theirs, strict=True):
        # Every other part is a placeholder's name.
        parts = _PLACEHOLDER.split(line)
        found = re.fullmatch("(.*?)".join(map(re.escape, parts[::2])), filled)
        if found is None:
            return None
        for name, value in zip(parts[1::2], found.groups(), strict=True):
            if values.setdefault(name, value) != value:
                return None
    return values


def definition(lifecycle: Lifecycle, settings: SageMakerSettings) -> tuple[str, frozenset[str]]:
    """The pipeline definition as JSON text, and the names of the placeholders in it.

    Always: `artifacts_bucket`, `code_uri` (the S3 URI of the code archive; its key must end in
    `/sourcedir.tar.gz`), `execution_role_arn`, `model_package_group_name`, `region`,
    `seal_function_arn` (the Lambda function `clouds.aws.runtime.seal`), and `dataset_uri_<name>` per dataset
    (an S3 prefix); `kms_key_arn` unless the settings say otherwise. Jobs write under
    `pipelines/<model>/` of the artifacts bucket. What is measured, registered and served are the
    sealing function's copies under `models/<model>/`, where no job writes.

    Limits of the service are not looked at here; `clouds.aws.sagemaker.request_checks` holds the
    arguments to them.
    """
    found = steps(lifecycle, settings)
    gate = next((at for at, step in enumerate(found) if step["Type"] == "Condition"), len(found))
    if behind := found[gate + 1 :]:
        found[gate]["Arguments"]["IfSteps"] = behind
    printed = {"Version": "2020-12-01", "Parameters": [], "Steps": found[: gate + 1]}
    text = indented(printed, 2) + "\n"
    return text, placeholders(text)


def steps(life: Lifecycle, settings: SageMakerSettings) -> list[dict[str, Any]]:
    """The steps of the definition, each with the arguments of its request; no gate holds others."""
    found: list[dict[str, Any]] = []
    for task in tasks(life):
        printed = {"Name": task.name, **_printed(task, life, settings)}
        printed |= retried(printed["Type"])
        if isinstance(task, Job) and task.kind == "evaluate":
            printed["PropertyFiles"] = [
                {
                    "PropertyFileName": "Report",
                    "OutputName": task.output,
                    "FilePath": contract.REPORT_FILE,
                }
            ]
        found.append(printed)
    return found


def retried(kind: str) -> dict[str, Any]:
    """What a step of this kind tries again, if anything."""
    policies = _RETRIES.get(kind)
    return {"RetryPolicies": [dict(policy) for policy in policies]} if policies else {}


def _printed(task: Task, life: Lifecycle, settings: SageMakerSettings) -> dict[str, Any]:
    match task:
        case Training(tune=Tune() as tune):
            return {"Type": "Tuning", "Arguments": jobs.tune(life, task, tune, settings)}
        case Training():
            return {"Type": "Training", "Arguments": jobs.train(life, task, settings)}
        case Job():
            return {"Type": "Processing", "Arguments": jobs.processing(life, task, settings)}
        case Seal():
            return lambda_step(_SEALS, jobs.seal(life, task), "uri")
        case Current():
            return lambda_step(_SEALS, jobs.current(life, task), "uri", "version")
        case Gate():
            return _gate(task, life)
        case Registration(_, model, report, examples):
            # Where nothing is demanded, a version must still be measured before it is registered;
            # that the report's address is read makes it wait, and the examples' that it was tried.
            measured = jobs.left(report, life) if report else None
            tried = jobs.left(examples, life) if examples else None
            arguments = jobs.register(life, settings, jobs.left(model, life), measured, tried)
            return {"Type": "RegisterModel", "Arguments": arguments}
        case _:
            raise AssertionError(f"a pipeline has no {type(task).__name__}")


def _gate(gate: Gate, life: Lifecycle) -> dict[str, Any]:
    demands = "; ".join(limit.words() for limit in gate.limits)
    said: list[Any] = [f"Not registered: {demands}. Measured: "]
    if life.compares:
        served = f"Not registered: {demands}. In service: "
        said = [served, jobs.version_of("Current"), ". Measured: "]
    return {
        "Type": "Condition",
        "Arguments": {
            "Conditions": [_condition(gate, limit) for limit in gate.limits],
            "IfSteps": [],
            "ElseSteps": [
                {
                    "Name": f"{gate.name}Failed",
                    "Type": "Fail",
                    "Arguments": {
                        "ErrorMessage": join(
                            "",
                            *said,
                            jobs.left("SealReport", life),
                        )
                    },
                }
            ],
        },
    }


def _condition(gate: Gate, limit: Limit) -> dict[str, Any]:
    types = {"at_least": "GreaterThanOrEqualTo", "at_most": "LessThanOrEqualTo"}

    def reported(path: str) -> dict[str, Any]:
        file = {"Get": f"Steps.{gate.report}.PropertyFiles.Report"}
        return {"Std:JsonGet": {"PropertyFile": file, "Path": path}}

    compares = limit.value == contract.IN_SERVICE
    return {
        "Type": types[limit.bound],
        "LeftValue": reported(f"metrics.{limit.metric}"),
        "RightValue": reported(f"current.metrics.{limit.metric}") if compares else limit.value,
    }
