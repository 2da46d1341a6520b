"""Prints a `Lifecycle` as a SageMaker Pipeline definition with named placeholders.

Sources: the pipeline definition schema (2020-12-01) and the request shapes of
CreateProcessingJob, CreateTrainingJob, CreateHyperParameterTuningJob and CreateModelPackage in
botocore 1.44; what each step's properties are called: "Pipelines steps" in the SageMaker
developer guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mlops_iac.jsontext import indented
from mlops_iac.pipeline import _sagemaker_jobs as jobs
from mlops_iac.pipeline._sagemaker_parts import (
    SERVING_ENVIRONMENT,
    SageMakerSettings,
    dataset_placeholder,
    join,
)
from mlops_iac.pipeline.graph_checks import check_graph
from mlops_iac.pipeline.steps import Lifecycle, Limit, Tune
from mlops_iac.runtime import contract

__all__ = [
    "SERVING_ENVIRONMENT",
    "SageMakerSettings",
    "dataset_placeholder",
    "definition",
    "fill",
    "placeholders",
    "steps",
]

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


def definition(lifecycle: Lifecycle, settings: SageMakerSettings) -> tuple[str, frozenset[str]]:
    """The pipeline definition as JSON text, and the names of the placeholders in it.

    Always: `artifacts_bucket`, `code_uri` (the S3 URI of the code archive; its key must end in
    `/sourcedir.tar.gz`), `execution_role_arn`, `model_package_group_name`, `region`,
    `seal_function_arn` (the Lambda function `clouds.aws.runtime.seal`), and `dataset_uri_<name>` per dataset
    (an S3 prefix); `kms_key_arn` unless the settings say otherwise. Jobs write under
    `pipelines/<model>/` of the artifacts bucket. What is measured, registered and served are the
    sealing function's copies under `models/<model>/`, where no job writes.

    Limits of the service are not looked at here; `clouds.aws.sagemaker.limits` holds the arguments
    to them. Raises UsageError where the graph does not hold together.
    """
    printed = {
        "Version": "2020-12-01",
        "Parameters": [],
        "Steps": steps(lifecycle, settings),
    }
    check_graph(printed)
    text = indented(printed, 2) + "\n"
    return text, placeholders(text)


def steps(life: Lifecycle, settings: SageMakerSettings) -> list[dict[str, Any]]:
    """The steps of the definition, each with the arguments of its request."""
    found: list[dict[str, Any]] = []
    if life.prepare:
        found.append(
            {
                "Name": "Prepare",
                "Type": "Processing",
                "Arguments": jobs.prepare(life, life.prepare, settings),
                **_retried("Processing"),
            }
        )
    match life.training:
        case Tune() as tune:
            found.append(
                {
                    "Name": "Tune",
                    "Type": "Tuning",
                    "Arguments": jobs.tune(life, tune, settings),
                    **_retried("Tuning"),
                }
            )
        case train:
            found.append(
                {
                    "Name": "Train",
                    "Type": "Training",
                    "Arguments": jobs.train(life, train, settings),
                    **_retried("Training"),
                }
            )
    found.append(_sealing(jobs.SEAL, jobs.seal(life)))
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": jobs.register(life, settings),
        **_retried("RegisterModel"),
    }
    if life.evaluate is None:
        return [*found, register]
    found.append(
        {
            "Name": "Evaluate",
            "Type": "Processing",
            "Arguments": jobs.evaluate(life, life.evaluate, settings),
            **_retried("Processing"),
            "PropertyFiles": [
                {
                    "PropertyFileName": "Report",
                    "OutputName": "report",
                    "FilePath": contract.REPORT_FILE,
                }
            ],
        }
    )
    found.append(_sealing(jobs.SEAL_REPORT, jobs.seal_report(life)))
    if not life.gates:
        # Nothing is demanded, but a version must not be registered before it was measured; the
        # registration reads the report's address, which makes it wait.
        return [*found, register]
    return [*found, _gate(life.gates, register)]


def _retried(kind: str) -> dict[str, Any]:
    return {"RetryPolicies": [dict(policy) for policy in _RETRIES[kind]]}


def _sealing(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": "${seal_function_arn}",
        "Arguments": arguments,
        "OutputParameters": [{"OutputName": "uri", "OutputType": "String"}],
    }


def _gate(gates: Sequence[Limit], register: Mapping[str, Any]) -> dict[str, Any]:
    demands = "; ".join(limit.words() for limit in gates)
    return {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [_condition(limit) for limit in gates],
            "IfSteps": [register],
            "ElseSteps": [
                {
                    "Name": "GateFailed",
                    "Type": "Fail",
                    "Arguments": {
                        "ErrorMessage": join(
                            "",
                            f"Not registered: {demands}. Measured: ",
                            jobs.sealed(jobs.SEAL_REPORT),
                        )
                    },
                }
            ],
        },
    }


def _condition(limit: Limit) -> dict[str, Any]:
    types = {"at_least": "GreaterThanOrEqualTo", "at_most": "LessThanOrEqualTo"}
    return {
        "Type": types[limit.bound],
        "LeftValue": {
            "Std:JsonGet": {
                "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"},
                "Path": f"metrics.{limit.metric}",
            }
        },
        "RightValue": limit.value,
    }
