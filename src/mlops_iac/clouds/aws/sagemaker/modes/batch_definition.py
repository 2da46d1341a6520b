"""Prints a batch prediction as a SageMaker Pipeline definition with named placeholders.

Sources: the request shapes of CreateProcessingJob and CreateTransformJob in botocore 1.44; "Use
batch transform", "How containers get requests" and "Associate prediction results with input" in
the SageMaker developer guide: of JSON lines, what the model answers is joined to the row under
`SageMakerOutput`.
"""

from __future__ import annotations

from typing import Any

from mlops_iac.jsontext import indented
from mlops_iac.pipeline._sagemaker_jobs import EXECUTION, data_settings, processing
from mlops_iac.pipeline._sagemaker_parts import (
    Json,
    SageMakerSettings,
    encrypted,
    job_tags,
    join,
    s3_input,
    s3_output,
)
from mlops_iac.pipeline.graph_checks import check_graph
from mlops_iac.pipeline.sagemaker import retried
from mlops_iac.pipeline.steps import Compute, Prediction, Script
from mlops_iac.runtime import contract

RESOLVE, CHECK, PREDICT, COMPLETE, PUBLISH = "Resolve", "Check", "Predict", "Complete", "Publish"
# One number for who asks and who answers. Small enough that a call ends long before its time, and
# that as many as there are cores (`MOST_CALLS`) stay below what the service admits at once, 100 MB.
PAYLOAD_MB = 6
MOST_CALLS = 100 // PAYLOAD_MB
_CALL_SECONDS = 600
_RETRIES = 2
# The containers' own limits, both ways; each framework's server reads its own. A server gives up
# later than the service, so that a slow call fails once and not twice.
_SERVER = {
    "SAGEMAKER_MODEL_SERVER_TIMEOUT": str(_CALL_SECONDS + 60),
    **{
        f"{server}_MAX_{what}_SIZE": str(PAYLOAD_MB * 1024**2)
        for server in ("MMS", "TS")
        for what in ("REQUEST", "RESPONSE")
    },
    contract.BATCH: "true",
}
# Of what the service gives a job's environment, these entries are ours.
OWN_ENVIRONMENT = len(_SERVER)
_ANSWER = "SageMakerOutput"
_LINES = "application/jsonlines"
_CHECKING_MINUTES = 24 * 60


def definition(prediction: Prediction, settings: SageMakerSettings) -> str:
    """The pipeline definition as JSON text.

    Placeholders: `artifacts_bucket`, `code_uri`, `execution_role_arn`, `function_arn` (the Lambda
    function `runtime.batch`), `output_uri` (an S3 prefix that ends in `/`), and `kms_key_arn` unless
    the settings say otherwise. A run reads and writes below `pipelines/<entry>/<run>/` of the
    artifacts bucket, and leaves `run=<run>/` below the output.
    """
    printed = {"Version": "2020-12-01", "Parameters": [], "Steps": steps(prediction, settings)}
    check_graph(printed)
    return indented(printed, 2) + "\n"


def steps(prediction: Prediction, settings: SageMakerSettings) -> list[Json]:
    """The steps of the definition, each with the arguments of its request."""
    return [
        _function(RESOLVE, {"do": "resolve"}, "model", "version", "input", "began"),
        _job(CHECK, "Processing", _check(prediction, settings)),
        _job(PREDICT, "Transform", _predict(prediction, settings)),
        _job(COMPLETE, "Processing", _complete(prediction, settings)),
        _function(
            PUBLISH,
            {
                "do": "publish",
                "run": EXECUTION,
                "version": _resolved("version"),
                "began": _resolved("began"),
                "output": _output(COMPLETE, "predictions"),
                "rows": join("/", _output(COMPLETE, "report"), contract.ROWS_FILE),
            },
            "success",
        ),
    ]


def _check(prediction: Prediction, settings: SageMakerSettings) -> Json:
    source = prediction.source
    env = {
        contract.DATASETS: source.name,
        contract.FORMAT: source.format,
        contract.PARTS: str(prediction.compute.count * prediction.calls),
        **data_settings((source,), checks=True),
    }
    folder = f"{contract.PROCESSING_DATA}/{source.name}"
    return processing(
        "check",
        _script(prediction),
        settings,
        [s3_input("data", folder, _resolved("input"))],
        [
            s3_output("rows", contract.PROCESSING_ROWS, _work(prediction, "rows")),
            s3_output("report", contract.PROCESSING_REPORT, _work(prediction, "checked")),
        ],
        env,
    )


def _predict(prediction: Prediction, settings: SageMakerSettings) -> Json:
    resources: Json = {
        "InstanceType": settings.instance_types["transform"],
        "InstanceCount": prediction.compute.count,
    }
    if settings.volume_kms_key and "transform" not in settings.local_disks:
        resources["VolumeKmsKeyId"] = settings.volume_kms_key
    return {
        "ModelName": _resolved("model"),
        "MaxConcurrentTransforms": prediction.calls,
        "MaxPayloadInMB": PAYLOAD_MB,
        "BatchStrategy": "MultiRecord",
        "ModelClientConfig": {
            "InvocationsTimeoutInSeconds": _CALL_SECONDS,
            "InvocationsMaxRetries": _RETRIES,
        },
        "Environment": {**prediction.env, **_SERVER},
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": _output(CHECK, "rows")}
            },
            "ContentType": _LINES,
            "CompressionType": "None",
            "SplitType": "Line",
        },
        "TransformOutput": encrypted(
            settings,
            {
                "S3OutputPath": _work(prediction, "predicted"),
                "Accept": _LINES,
                "AssembleWith": "Line",
            },
        ),
        "DataProcessing": {"JoinSource": "Input"},
        "TransformResources": resources,
        "Tags": job_tags(settings),
    }


def _complete(prediction: Prediction, settings: SageMakerSettings) -> Json:
    predicted = {"Get": f"Steps.{PREDICT}.TransformOutput.S3OutputPath"}
    env = {contract.FORMAT: prediction.format, contract.ANSWER: _ANSWER}
    if prediction.most_missing_percent is not None:
        env[contract.ERROR_PERCENT] = f"{prediction.most_missing_percent:g}"
    return processing(
        "complete",
        _script(prediction),
        settings,
        [
            s3_input("checked", contract.PROCESSING_CHECKED, _output(CHECK, "report")),
            s3_input("predicted", contract.PROCESSING_PREDICTED, predicted),
        ],
        [
            s3_output(
                "predictions",
                contract.PROCESSING_OUTPUT,
                join("", "${output_uri}run=", EXECUTION, "/"),
            ),
            s3_output("report", contract.PROCESSING_REPORT, _work(prediction, "completed")),
        ],
        env,
    )


def _script(prediction: Prediction) -> Script:
    """How the jobs beside the prediction run: on one machine, with the disk of the entry."""
    compute = Compute(disk_gb=prediction.compute.disk_gb)
    return Script("", compute=compute, timeout_minutes=_CHECKING_MINUTES)


def _job(name: str, kind: str, arguments: Json) -> Json:
    return {"Name": name, "Type": kind, "Arguments": arguments, **retried(kind)}


def _function(name: str, arguments: Json, *answers: str) -> Json:
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": "${function_arn}",
        "Arguments": arguments,
        "OutputParameters": [{"OutputName": each, "OutputType": "String"} for each in answers],
    }


def _resolved(what: str) -> Json:
    return {"Get": f"Steps.{RESOLVE}.OutputParameters['{what}']"}


def _output(step: str, name: str) -> Json:
    return {"Get": f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"}


def _work(prediction: Prediction, leaf: str) -> Any:
    return join("/", f"s3://${{artifacts_bucket}}/pipelines/{prediction.entry}", EXECUTION, leaf)
