"""The printed batch prediction before the same two oracles, and what the field reports ask of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings
from mlops_iac.clouds.aws.sagemaker.definition.printer import fill, placeholders
from mlops_iac.clouds.aws.sagemaker.modes.batch_definition import MOST_CALLS, definition
from mlops_iac.pipeline.prediction import Prediction
from mlops_iac.pipeline.steps import Check, Compute, Dataset
from mlops_iac.records import replace
from tests.oracles.pipeline_graph import problems
from tests.oracles.test_pipeline_definition import errors, job_problems

KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
CHECK = Check("projects", "x", {"not_null": True})
PREDICTION = Prediction(
    entry="nightly",
    source=Dataset("projects", "csv", checks=(CHECK,)),
    format="json",
    compute=Compute(count=2, disk_gb=50),
    calls=4,
    env={"LOG_LEVEL": "info"},
    most_missing_percent=5.0,
)
IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0"
SETTINGS = SageMakerSettings(
    images={"check": IMAGE, "complete": IMAGE},
    instance_types={
        "check": "ml.m5.large", "complete": "ml.m5.large", "transform": "ml.m5.xlarge",
    },
    tags={"project": "churn"},
    subnets=("subnet-0a1b2c3d",),
    security_groups=("sg-0a1b2c3d",),
)  # fmt: skip
VALUES = {
    "artifacts_bucket": "artifacts-123",
    "code_uri": "s3://artifacts-123/code/nightly/abc/sourcedir.tar.gz",
    "execution_role_arn": "arn:aws:iam::123456789012:role/jobs",
    "function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:nightly",
    "kms_key_arn": KEY,
    "output_uri": "s3://data-123/datasets/forecasts/",
}


def printed(
    prediction: Prediction = PREDICTION, settings: SageMakerSettings = SETTINGS
) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(fill(definition(prediction, settings), VALUES))
    return loaded


def arguments(printed_: dict[str, Any], step: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each["Arguments"] for each in printed_["Steps"] if each["Name"] == step
    )
    return found


def test_both_oracles_accept() -> None:
    good = printed()
    assert errors(good) == []
    assert job_problems(good) == []
    assert problems(good) == []
    assert placeholders(definition(PREDICTION, SETTINGS)) == set(VALUES)


DEFECTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a misspelt argument": lambda d: arguments(d, "Predict").update(MaxPayload=6),
    "a count as text": lambda d: arguments(d, "Predict")["TransformResources"].update(
        InstanceCount="2"
    ),
    "a split that does not exist": lambda d: arguments(d, "Predict")["TransformInput"].update(
        SplitType="Lines"
    ),
    "an instance type that transforms do not know": lambda d: arguments(d, "Predict")[
        "TransformResources"
    ].update(InstanceType="ml.t3.medium"),
    "no output": lambda d: arguments(d, "Predict").pop("TransformOutput"),
}


@pytest.mark.parametrize("defect", list(DEFECTS))
def test_the_oracles_reject(defect: str) -> None:
    seeded = copy.deepcopy(printed())
    DEFECTS[defect](seeded)
    assert errors(seeded) or job_problems(seeded), defect


def test_rows_are_split_joined_and_assembled_by_line() -> None:
    job = arguments(printed(), "Predict")
    assert job["TransformInput"]["SplitType"] == job["TransformOutput"]["AssembleWith"] == "Line"
    assert job["TransformInput"]["ContentType"] == job["TransformOutput"]["Accept"]
    assert job["DataProcessing"] == {"JoinSource": "Input"}


def test_one_number_limits_who_asks_and_who_answers() -> None:
    job = arguments(printed(), "Predict")
    body = str(job["MaxPayloadInMB"] * 1024**2)
    sizes = [value for name, value in job["Environment"].items() if name.endswith("_SIZE")]
    assert sizes == [body] * 4
    assert job["MaxPayloadInMB"] * MOST_CALLS <= 100


def test_the_server_gives_up_later_than_who_asks() -> None:
    job = arguments(printed(), "Predict")
    asks = job["ModelClientConfig"]["InvocationsTimeoutInSeconds"]
    assert int(job["Environment"]["SAGEMAKER_MODEL_SERVER_TIMEOUT"]) > asks


def test_everything_that_is_written_is_under_the_key_and_of_one_run() -> None:
    good = printed()
    job = arguments(good, "Predict")
    assert job["TransformOutput"]["KmsKeyId"] == job["TransformResources"]["VolumeKmsKeyId"] == KEY
    for name in ("Check", "Complete"):
        config = arguments(good, name)["ProcessingOutputConfig"]
        assert config["KmsKeyId"] == KEY
        for output in config["Outputs"]:
            uri = output["S3Output"]["S3Uri"]["Std:Join"]["Values"]
            assert {"Get": "Execution.PipelineExecutionId"} in uri
    assert {"Get": "Execution.PipelineExecutionId"} in job["TransformOutput"]["S3OutputPath"][
        "Std:Join"
    ]["Values"]


def test_a_local_disk_takes_no_key() -> None:
    settings = replace(SETTINGS, local_disks=("transform",))
    assert (
        "VolumeKmsKeyId"
        not in arguments(printed(settings=settings), "Predict")["TransformResources"]
    )


def test_what_must_hold_is_in_the_definition() -> None:
    check, complete = (arguments(printed(), name)["Environment"] for name in ("Check", "Complete"))
    assert json.loads(check["MLOPS_IAC_CHECK_00"])["field"] == "x"
    assert check["MLOPS_IAC_PARTS"] == "8"
    assert complete["MLOPS_IAC_ERROR_PERCENT"] == "5"
    without = printed(replace(PREDICTION, most_missing_percent=None))
    assert "MLOPS_IAC_ERROR_PERCENT" not in arguments(without, "Complete")["Environment"]
