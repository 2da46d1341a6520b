"""The printed pipeline definition: what stands in it, and what a reviewer must find there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings, dataset_placeholder
from mlops_iac.clouds.aws.sagemaker.definition.printer import (
    definition,
    fill,
    filled_with,
    placeholders,
)
from mlops_iac.pipeline.steps import (
    Check,
    Compute,
    Dataset,
    Evaluate,
    Lifecycle,
    Limit,
    Prepare,
    Range,
    Register,
    Train,
    Tune,
)
from mlops_iac.records import replace
from tests.oracles.pipeline_graph import all_steps

STEPS = ("prepare", "train", "evaluate", "try", "serve")
SETTINGS = SageMakerSettings(
    images={step: f"registry/{step}:1" for step in STEPS},
    instance_types=dict.fromkeys(STEPS, "ml.m5.large"),
    tags={"project": "churn", "env": "prod"},
)
LIFE = Lifecycle(
    model="churn",
    datasets=(
        Dataset("open-orders", "csv", checks=(Check("open-orders", "id", {"not_null": True}),)),
    ),
    metrics=("accuracy", "f1"),
    prepare=Prepare(script="prepare.py", timeout_minutes=10),
    training=Train(script="train.py", hyperparameters={"folds": 5, "fast": True}),
    evaluate=Evaluate(script="evaluate.py", env={"LOG_LEVEL": "info"}),
    gates=(Limit("accuracy", "at_least", 0.8), Limit("loss", "at_most", 2)),
    register=Register(),
)
SEALED = {"Get": "Steps.Seal.OutputParameters['uri']"}
TUNE = Tune(
    train=Train(script="train.py", hyperparameters={"depth": 3, "folds": 5}),
    strategy="bayesian",
    metric="accuracy",
    goal="maximize",
    trials=20,
    parallel=4,
    search={
        "kind": Range("values", values=("forest", "tree")),
        "depth": Range("integer", low="2", high="12"),
        "c": Range("continuous", low="0.001", high="100", scale="logarithmic"),
    },
)


def printed(life: Lifecycle = LIFE, settings: SageMakerSettings = SETTINGS) -> dict[str, Any]:
    """The steps' definitions by name, those inside the condition included."""
    loaded = json.loads(definition(life, settings)[0])
    return {step["Name"]: step for step, _ in all_steps(loaded)}


def test_steps_come_in_the_order_of_a_models_life() -> None:
    assert list(printed()) == [
        "Prepare", "Train", "Seal", "Evaluate", "SealReport", "Gate", "Register", "GateFailed",
    ]  # fmt: skip


def test_placeholders_are_exactly_what_only_a_deployment_knows() -> None:
    text, names = definition(LIFE, SETTINGS)
    assert names == placeholders(text)
    assert names == {
        "artifacts_bucket", "code_uri", "dataset_uri_open_orders", "execution_role_arn",
        "kms_key_arn", "model_package_group_name", "region", "seal_function_arn",
    }  # fmt: skip
    assert dataset_placeholder("open-orders") in names


def test_the_same_lifecycle_prints_the_same_text() -> None:
    assert definition(LIFE, SETTINGS) == definition(replace(LIFE), SETTINGS)


@pytest.mark.parametrize("life", [LIFE, replace(LIFE, training=TUNE)], ids=["train", "tune"])
def test_every_job_has_tags_role_encrypted_output_and_an_end(life: Lifecycle) -> None:
    for name, step in printed(life).items():
        if step["Type"] not in ("Processing", "Training", "Tuning"):
            continue
        arguments = step["Arguments"]
        job = arguments.get("TrainingJobDefinition", arguments)
        output = job.get("OutputDataConfig") or job["ProcessingOutputConfig"]
        assert arguments["Tags"] == [
            {"Key": "env", "Value": "prod"}, {"Key": "project", "Value": "churn"},
        ], name  # fmt: skip
        assert job["RoleArn"] == "${execution_role_arn}", name
        assert output["KmsKeyId"] == "${kms_key_arn}", name
        assert job["StoppingCondition"]["MaxRuntimeInSeconds"] in (600, 3600), name


def test_no_step_is_cached() -> None:
    assert all("CacheConfig" not in step for step in printed().values())


def test_provider_keys_leave_the_key_out() -> None:
    text, names = definition(LIFE, replace(SETTINGS, kms_key=None, volume_kms_key=None))
    assert "kms_key_arn" not in names
    assert "KmsKeyId" not in text


def test_instances_with_local_disks_take_no_volume_key() -> None:
    steps = printed(settings=replace(SETTINGS, local_disks=("train",)))
    assert "VolumeKmsKeyId" not in steps["Train"]["Arguments"]["ResourceConfig"]
    cluster = steps["Prepare"]["Arguments"]["ProcessingResources"]["ClusterConfig"]
    assert cluster["VolumeKmsKeyId"] == "${kms_key_arn}"


@pytest.mark.parametrize("life", [LIFE, replace(LIFE, training=TUNE)], ids=["train", "tune"])
def test_what_passes_by_itself_is_tried_again(life: Lifecycle) -> None:
    """Throttling of every call, capacity of every job; faults of a job, but for those of trials."""
    for name, step in printed(life).items():
        policies = step.get("RetryPolicies", [])
        errors = [each for policy in policies for each in policy["ExceptionType"]]
        assert ("Step.THROTTLING" in errors) is (
            step["Type"] not in ("Lambda", "Condition", "Fail")
        )
        job = step["Type"] in ("Processing", "Training", "Tuning")
        assert ("SageMaker.CAPACITY_ERROR" in errors) is job, name
        assert ("SageMaker.JOB_INTERNAL_ERROR" in errors) is (job and step["Type"] != "Tuning")
        # The service takes one of MaxAttempts and ExpireAfterMin.
        assert all(policy["MaxAttempts"] <= 6 for policy in policies)
        if step["Type"] == "Tuning":
            trial = step["Arguments"]["TrainingJobDefinition"]
            assert trial["RetryStrategy"] == {"MaximumRetryAttempts": 3}


def test_spot_waits_at_least_as_long_as_it_runs_and_keeps_checkpoints() -> None:
    train = Train(
        script="train.py", compute=Compute(spot=True), timeout_minutes=30, spot_wait_minutes=45
    )
    arguments = printed(replace(LIFE, training=train))["Train"]["Arguments"]
    assert arguments["EnableManagedSpotTraining"] is True
    assert arguments["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 1800, "MaxWaitTimeInSeconds": 4500,
    }  # fmt: skip
    assert arguments["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"
    assert "MLOPS_IAC_CHECKPOINTS" not in arguments["Environment"]


def test_without_spot_there_is_no_waiting_and_no_checkpoint() -> None:
    arguments = printed()["Train"]["Arguments"]
    assert arguments["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    assert "CheckpointConfig" not in arguments
    assert "EnableManagedSpotTraining" not in arguments


def test_hyperparameters_are_text_as_the_service_wants_them() -> None:
    given = printed()["Train"]["Arguments"]["HyperParameters"]
    assert (given["folds"], given["fast"]) == ("5", "true")
    assert given["sagemaker_program"] == "mlops_step.py"
    assert given["sagemaker_submit_directory"] == "/opt/ml/input/data/_code/sourcedir.tar.gz"


def test_the_gate_compares_the_reports_numbers() -> None:
    conditions = printed()["Gate"]["Arguments"]["Conditions"]
    assert [(c["Type"], c["LeftValue"]["Std:JsonGet"]["Path"], c["RightValue"]) for c in conditions] == [
        ("GreaterThanOrEqualTo", "metrics.accuracy", 0.8),
        ("LessThanOrEqualTo", "metrics.loss", 2),
    ]  # fmt: skip
    message = printed()["GateFailed"]["Arguments"]["ErrorMessage"]["Std:Join"]["Values"][0]
    assert "accuracy must be at least 0.8; loss must be at most 2" in message


def test_what_gates_need_must_be_reported_by_evaluate() -> None:
    env = printed()["Evaluate"]["Arguments"]["Environment"]
    assert env["MLOPS_IAC_METRICS"] == "accuracy,f1,loss"
    assert env["LOG_LEVEL"] == "info"
    assert json.loads(env["MLOPS_IAC_GATE_01"]) == {
        "metric": "loss",
        "bound": "at_most",
        "value": 2,
    }


@pytest.mark.parametrize(
    ("approval", "status"), [("manual", "PendingManualApproval"), ("automatic", "Approved")]
)
def test_registration_carries_inference_image_approval_and_report(
    approval: Any, status: str
) -> None:
    arguments = printed(replace(LIFE, register=Register(approval)))["Register"]["Arguments"]
    assert arguments["ModelApprovalStatus"] == status
    container = arguments["InferenceSpecification"]["Containers"][0]
    assert container["Image"] == "registry/serve:1"
    assert container["ModelDataUrl"] == SEALED
    report = arguments["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert report == {"Get": "Steps.SealReport.OutputParameters['uri']"}
    assert arguments["InferenceSpecification"]["SupportedRealtimeInferenceInstanceTypes"] == [
        "ml.m5.large"
    ]


@pytest.mark.parametrize("life", [LIFE, replace(LIFE, training=TUNE)], ids=["train", "tune"])
def test_what_is_measured_is_what_is_registered_and_no_job_writes_there(life: Lifecycle) -> None:
    steps = printed(life)
    inputs = {
        each["InputName"]: each["S3Input"]["S3Uri"]
        for each in steps["Evaluate"]["Arguments"]["ProcessingInputs"]
    }
    assert inputs["model"] == SEALED
    for name in ("Seal", "SealReport"):
        target = steps[name]["Arguments"]["target"]["Std:Join"]["Values"][0]
        assert target == "s3://${artifacts_bucket}/models/churn"
        assert steps[name]["FunctionArn"] == "${seal_function_arn}"
    for name, step in steps.items():
        if step["Type"] in ("Processing", "Training", "Tuning"):
            assert "/models/" not in json.dumps(step), name


def test_without_gates_a_version_is_registered_after_it_was_measured() -> None:
    steps = printed(replace(LIFE, gates=()))
    assert list(steps) == ["Prepare", "Train", "Seal", "Evaluate", "SealReport", "Register"]
    assert "Steps.SealReport" in json.dumps(steps["Register"])


def test_without_evaluate_training_must_report_and_nothing_is_gated() -> None:
    steps = printed(replace(LIFE, gates=(), evaluate=None))
    assert list(steps) == ["Prepare", "Train", "Seal", "Register"]
    assert steps["Train"]["Arguments"]["Environment"]["MLOPS_IAC_METRICS"] == "accuracy,f1"
    assert "ModelMetrics" not in steps["Register"]["Arguments"]


def test_without_prepare_training_checks_and_reads_the_datasets() -> None:
    arguments = printed(replace(LIFE, prepare=None))["Train"]["Arguments"]
    assert [c["ChannelName"] for c in arguments["InputDataConfig"]] == ["open-orders", "_code"]
    assert arguments["Environment"]["MLOPS_IAC_DATASETS"] == "open-orders"
    assert "MLOPS_IAC_CHECK_00" in arguments["Environment"]


def test_tuning_ranges_are_text_and_the_searched_is_not_fixed() -> None:
    arguments = printed(replace(LIFE, training=TUNE))["Tune"]["Arguments"]
    config = arguments["HyperParameterTuningJobConfig"]
    assert config["TrainingJobEarlyStoppingType"] == "Off"
    early = printed(replace(LIFE, training=replace(TUNE, early_stopping=True)))["Tune"]["Arguments"]
    assert early["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Auto"
    assert config["ParameterRanges"] == {
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ["forest", "tree"]}],
        "IntegerParameterRanges": [
            {"Name": "depth", "MinValue": "2", "MaxValue": "12", "ScalingType": "Auto"}
        ],
        "ContinuousParameterRanges": [
            {"Name": "c", "MinValue": "0.001", "MaxValue": "100", "ScalingType": "Logarithmic"}
        ],
    }
    static = arguments["TrainingJobDefinition"]["StaticHyperParameters"]
    assert "depth" not in static
    assert static["folds"] == "5"


def test_the_tuned_models_address_is_joined_from_the_best_job() -> None:
    steps = printed(replace(LIFE, training=TUNE))
    source = steps["Seal"]["Arguments"]["source"]
    assert source == {
        "Std:Join": {
            "On": "/",
            "Values": [
                "s3://${artifacts_bucket}/pipelines/churn",
                {"Get": "Execution.PipelineExecutionId"},
                "trained",
                {"Get": "Steps.Tune.BestTrainingJob.TrainingJobName"},
                "output",
                "model.tar.gz",
            ],
        }
    }
    output = steps["Tune"]["Arguments"]["TrainingJobDefinition"]["OutputDataConfig"]["S3OutputPath"]
    assert output["Std:Join"]["Values"] == source["Std:Join"]["Values"][:3]


def test_a_private_network_reaches_every_job() -> None:
    settings = replace(SETTINGS, subnets=("s-1",), security_groups=("g-1",), network_isolation=True)
    steps = printed(settings=settings)
    assert steps["Train"]["Arguments"]["VpcConfig"] == {
        "Subnets": ["s-1"],
        "SecurityGroupIds": ["g-1"],
    }
    for name in ("Prepare", "Evaluate"):
        network = steps[name]["Arguments"]["NetworkConfig"]
        assert network["EnableNetworkIsolation"] is True
        assert network["VpcConfig"]["Subnets"] == ["s-1"]


def test_fill_escapes_what_stands_in_json_and_names_what_is_missing() -> None:
    assert json.loads(fill('{"a": "${x}"}', {"x": 'quote " and \\'})) == {"a": 'quote " and \\'}
    with pytest.raises(KeyError, match=r"\$\{x\}"):
        fill('{"a": "${x}"}', {})


def test_what_filled_a_definition_is_found_in_it() -> None:
    settings = replace(SETTINGS, subnets=("${subnet_ids}",), security_groups=("g-1",))
    text, names = definition(LIFE, settings)
    values = {name: f"s3://{name}/x" for name in names - {"subnet_ids"}}
    deployed = fill(text.replace("${subnet_ids}", 's-1", "s-2'), values)
    found = filled_with(text, deployed)
    assert found == {**values, "subnet_ids": 's-1", "s-2'}


@pytest.mark.parametrize(
    "other",
    [
        replace(LIFE, gates=LIFE.gates[:1]),
        replace(LIFE, gates=(Limit("accuracy", "at_least", 0.81), LIFE.gates[1])),
        replace(LIFE, training=TUNE),
        replace(LIFE, model="another"),
    ],
)
def test_another_definition_is_not_filled_from_this_one(other: Lifecycle) -> None:
    text, names = definition(LIFE, SETTINGS)
    deployed = fill(text, dict.fromkeys(names, "x"))
    assert filled_with(text, deployed) is not None
    assert filled_with(definition(other, SETTINGS)[0], deployed) is None


def test_a_placeholder_has_one_value() -> None:
    assert filled_with("${a} and\n${b}, ${a}", "1 and\n2, 1") == {"a": "1", "b": "2"}
    assert filled_with("${a} and\n${b}, ${a}", "1 and\n2, 3") is None
