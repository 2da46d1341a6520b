"""Prints a batch prediction as a SageMaker Pipeline definition with named placeholders.

Sources: the request shapes of CreateProcessingJob and CreateTransformJob in botocore 1.44; "Use
batch transform", "How containers get requests" and "Associate prediction results with input" in
the SageMaker developer guide: of JSON lines, what the model answers is joined to the row under
`SageMakerOutput`.
"""

from __future__ import annotations

from mlops_iac.clouds.aws.sagemaker.definition.jobs import processing_job
from mlops_iac.clouds.aws.sagemaker.definition.parts import (
    EXECUTION,
    Json,
    SageMakerSettings,
    answer,
    encrypted,
    job_tags,
    join,
    lambda_step,
    output_uri,
    s3_input,
    s3_output,
)
from mlops_iac.clouds.aws.sagemaker.definition.printer import retried
from mlops_iac.jsontext import indented
from mlops_iac.pipeline.prediction import Predict, Prediction, Publish, Resolve, Rows, tasks
from mlops_iac.pipeline.steps import Compute, Script, Task
from mlops_iac.pipeline.tasks import WORK
from mlops_iac.runtime import contract

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
    function `clouds.aws.runtime.batch`), `output_uri` (an S3 prefix that ends in `/`), and `kms_key_arn` unless
    the settings say otherwise. A run reads and writes below `pipelines/<entry>/<run>/` of the
    artifacts bucket, and leaves `run=<run>/` below the output.
    """
    printed = {"Version": "2020-12-01", "Parameters": [], "Steps": steps(prediction, settings)}
    return indented(printed, 2) + "\n"


def steps(prediction: Prediction, settings: SageMakerSettings) -> list[Json]:
    """The steps of the definition, each with the arguments of its request."""
    found = []
    for task in tasks(prediction):
        printed = _printed(task, prediction, settings)
        found.append({"Name": task.name, **printed, **retried(printed["Type"])})
    return found


def _printed(task: Task, prediction: Prediction, settings: SageMakerSettings) -> Json:
    match task:
        case Resolve():
            return lambda_step(
                "${function_arn}", {"do": "resolve"}, "model", "version", "input", "began"
            )
        case Rows(kind="check"):
            return {"Type": "Processing", "Arguments": _check(task, prediction, settings)}
        case Predict():
            return {"Type": "Transform", "Arguments": _predict(task, prediction, settings)}
        case Rows():
            return {"Type": "Processing", "Arguments": _complete(task, prediction, settings)}
        case Publish():
            arguments = {
                "do": "publish",
                "run": EXECUTION,
                "version": answer("Resolve", "version"),
                "began": answer("Resolve", "began"),
                "output": output_uri("Complete", "predictions"),
                "rows": join("/", output_uri("Complete", "report"), contract.ROWS_FILE),
            }
            return lambda_step("${function_arn}", arguments, "success")
        case _:
            raise AssertionError(f"a batch prediction has no {type(task).__name__}")


def _check(task: Rows, prediction: Prediction, settings: SageMakerSettings) -> Json:
    name = prediction.source.name
    inputs = [s3_input("data", f"{contract.PROCESSING_DATA}/{name}", answer("Resolve", "input"))]
    outputs = [
        s3_output("rows", contract.PROCESSING_ROWS, _work(prediction, "rows")),
        s3_output("report", contract.PROCESSING_REPORT, _work(prediction, "checked")),
    ]
    return processing_job("check", _script(prediction), settings, inputs, outputs, task.env)


def _predict(task: Predict, prediction: Prediction, settings: SageMakerSettings) -> Json:
    resources: Json = {
        "InstanceType": settings.instance_types["transform"],
        "InstanceCount": prediction.compute.count,
    }
    if settings.volume_kms_key and "transform" not in settings.local_disks:
        resources["VolumeKmsKeyId"] = settings.volume_kms_key
    rows = {"S3DataType": "S3Prefix", "S3Uri": output_uri("Check", "rows")}
    output = {
        "S3OutputPath": _work(prediction, "predicted"),
        "Accept": _LINES,
        "AssembleWith": "Line",
    }
    return {
        "ModelName": answer("Resolve", "model"),
        "MaxConcurrentTransforms": prediction.calls,
        "MaxPayloadInMB": PAYLOAD_MB,
        "BatchStrategy": "MultiRecord",
        "ModelClientConfig": {
            "InvocationsTimeoutInSeconds": _CALL_SECONDS,
            "InvocationsMaxRetries": _RETRIES,
        },
        "Environment": {**settings.environment, **task.env, **_SERVER},
        "TransformInput": {
            "DataSource": {"S3DataSource": rows},
            "ContentType": _LINES,
            "CompressionType": "None",
            "SplitType": "Line",
        },
        "TransformOutput": encrypted(settings, output),
        "DataProcessing": {"JoinSource": "Input"},
        "TransformResources": resources,
        "Tags": job_tags(settings),
    }


def _complete(task: Rows, prediction: Prediction, settings: SageMakerSettings) -> Json:
    predicted = {"Get": "Steps.Predict.TransformOutput.S3OutputPath"}
    inputs = [
        s3_input("checked", contract.PROCESSING_CHECKED, output_uri("Check", "report")),
        s3_input("predicted", contract.PROCESSING_PREDICTED, predicted),
    ]
    # Two runs never share a key.
    run = join("", "${output_uri}run=", EXECUTION, "/")
    outputs = [
        s3_output("predictions", contract.PROCESSING_OUTPUT, run),
        s3_output("report", contract.PROCESSING_REPORT, _work(prediction, "completed")),
    ]
    env = {**task.env, contract.ANSWER: _ANSWER}
    return processing_job("complete", _script(prediction), settings, inputs, outputs, env)


def _script(prediction: Prediction) -> Script:
    """How the jobs beside the prediction run: on one machine, with the disk of the entry."""
    compute = Compute(disk_gb=prediction.compute.disk_gb)
    return Script("", compute=compute, timeout_minutes=_CHECKING_MINUTES)


def _work(prediction: Prediction, leaf: str) -> Json:
    return join("/", f"s3://${{artifacts_bucket}}/{WORK}/{prediction.entry}", EXECUTION, leaf)
