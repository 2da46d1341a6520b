"""The pieces that jobs of a SageMaker pipeline are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from mlops_iac.pipeline.steps import Range, Script
from mlops_iac.records import Record
from mlops_iac.runtime import contract

Json = dict[str, Any]
StepKind = Literal[
    "prepare", "train", "evaluate", "try", "serve", "transform", "check", "complete", "monitor"
]

EXECUTION = {"Get": "Execution.PipelineExecutionId"}
# What makes the prebuilt serving containers import our handlers from the model's archive.
SERVING_ENVIRONMENT = {
    "SAGEMAKER_PROGRAM": contract.SERVING,
    "SAGEMAKER_SUBMIT_DIRECTORY": f"{contract.ROOT}/{contract.MODEL}/{contract.CODE}",
}


class SageMakerSettings(Record):
    """What the platform adds to a lifecycle. Any text may hold placeholders.

    `images` and `instance_types` have one entry per step that exists, and `serve`; `transform` is
    the type for batch transforms, where there is one. `kms_key` and `volume_kms_key` are key ARNs, None
    where the provider's keys are used; the latter is left out of steps in `local_disks`, whose
    instances have a local disk that refuses it. `tags` go on every job. With
    `network_isolation` the containers reach no network, S3 included. `environment` is given to every
    job and to what serves; a step's own wins. With `tracks` jobs keep
    what they find in the MLflow server `${tracking_server_arn}`. `roles` are those of steps that do not run with the
    role of all, `${execution_role_arn}`.
    """

    images: Mapping[StepKind, str]
    instance_types: Mapping[StepKind, str]
    tags: Mapping[str, str] = {}
    kms_key: str | None = "${kms_key_arn}"
    volume_kms_key: str | None = "${kms_key_arn}"
    local_disks: Sequence[StepKind] = ()
    subnets: Sequence[str] = ()
    security_groups: Sequence[str] = ()
    network_isolation: bool = False
    environment: Mapping[str, str] = {}
    encrypt_traffic: bool = False
    tracks: bool = False
    roles: Mapping[str, str] = {}


def join(on: str, *values: Any) -> Json:
    """`Std:Join`: texts and references made into one text."""
    return {"Std:Join": {"On": on, "Values": list(values)}}


def lambda_step(function: str, arguments: Json, *answers: str) -> Json:
    """A step that calls the function of a placeholder; `answers` are what others read of what it says."""
    return {
        "Type": "Lambda",
        "FunctionArn": function,
        "Arguments": arguments,
        "OutputParameters": [{"OutputName": each, "OutputType": "String"} for each in answers],
    }


def answer(step: str, name: str) -> Json:
    """What a function of a step has answered."""
    return {"Get": f"Steps.{step}.OutputParameters['{name}']"}


def output_uri(step: str, name: str) -> Json:
    """Where a processing job has left an output."""
    return {"Get": f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"}


def s3_input(name: str, folder: str, uri: str | Json) -> Json:
    """An input of a processing job."""
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{contract.ROOT}/{folder}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def s3_output(name: str, folder: str, uri: Json) -> Json:
    """An output of a processing job."""
    return {
        "OutputName": name,
        "S3Output": {
            "S3Uri": uri,
            "LocalPath": f"{contract.ROOT}/{folder}",
            "S3UploadMode": "EndOfJob",
        },
    }


def channel(name: str, uri: str | Json) -> Json:
    """An input of a training."""
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": uri,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
        "InputMode": "File",
    }


def role(kind: StepKind, settings: SageMakerSettings) -> str:
    """The role that the jobs of a step run with."""
    return settings.roles.get(kind, "${execution_role_arn}")


def tracked(settings: SageMakerSettings) -> dict[str, str | Json]:
    """What a step that measures is told, that it keeps what it finds in MLflow."""
    if not settings.tracks:
        return {}
    return {
        contract.TRACKING: "${tracking_server_arn}",
        contract.TRACKING_PLUGIN: "sagemaker-mlflow>=0.1,<1",
        contract.RUN: EXECUTION,
    }


def encrypted(settings: SageMakerSettings, config: Json) -> Json:
    """What a job writes to, with the key that it is encrypted with."""
    return {**config, "KmsKeyId": settings.kms_key} if settings.kms_key else config


def resources(kind: StepKind, step: Script, settings: SageMakerSettings) -> Json:
    """The machines of a job."""
    instance_type = settings.instance_types[kind]
    resources: Json = {
        "InstanceType": instance_type,
        "InstanceCount": step.compute.count,
        "VolumeSizeInGB": step.compute.disk_gb,
    }
    if settings.volume_kms_key and kind not in settings.local_disks:
        resources["VolumeKmsKeyId"] = settings.volume_kms_key
    return resources


def job_network(settings: SageMakerSettings) -> Json:
    """Where a job runs, and whom it reaches."""
    network: Json = {}
    if settings.encrypt_traffic:
        network["EnableInterContainerTrafficEncryption"] = True
    if settings.network_isolation:
        network["EnableNetworkIsolation"] = True
    if settings.subnets:
        network["VpcConfig"] = {
            "Subnets": list(settings.subnets),
            "SecurityGroupIds": list(settings.security_groups),
        }
    return network


def job_tags(settings: SageMakerSettings) -> list[Json]:
    """The tags of a job."""
    return [{"Key": key, "Value": value} for key, value in sorted(settings.tags.items())]


def parameter_ranges(search: Mapping[str, Range]) -> Json:
    """What a tuning searches, by kind."""
    categorical: list[Json] = []
    integer: list[Json] = []
    continuous: list[Json] = []
    for name, found in search.items():
        if found.kind == "values":
            categorical.append({"Name": name, "Values": list(found.values)})
            continue
        bounds = {
            "Name": name,
            "MinValue": found.low,
            "MaxValue": found.high,
            "ScalingType": found.scale.title().replace("-", ""),
        }
        (integer if found.kind == "integer" else continuous).append(bounds)
    ranges = {
        "CategoricalParameterRanges": categorical,
        "IntegerParameterRanges": integer,
        "ContinuousParameterRanges": continuous,
    }
    return {name: items for name, items in ranges.items() if items}


def dataset_placeholder(name: str) -> str:
    """The placeholder for the S3 prefix of a dataset: `dataset_uri_open_projects`."""
    return "dataset_uri_" + name.replace("-", "_")
