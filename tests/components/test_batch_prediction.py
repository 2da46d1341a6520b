"""What a batch prediction runs with: exact resources, rights of three roles, table, alarms, renames."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_iac.clouds.aws.components.batch_prediction import (
    BatchPrediction,
    BatchPredictionArgs,
    Given,
    Place,
    Registered,
)
from mlops_iac.clouds.aws.components.retrain_triggers import NewData
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, one, policy, types

COMPONENT = "mlops-iac:aws:BatchPrediction"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DATABASE = "aws:glue/catalogDatabase:CatalogDatabase"
FUNCTION = "aws:lambda/function:Function"
LOG = "aws:cloudwatch/logGroup:LogGroup"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
TABLE = "aws:glue/catalogTable:CatalogTable"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
HERE = "eu-west-1:123456789012"
ELSEWHERE = Place(name="forecasts", uri="s3://lake/forecasts/")


def batch(**changes: Any) -> list[Resource]:
    arguments = {
        "model": Registered(model="adherence", package_group="project-stack-adherence"),
        "source": Place(name="projects"),
        "output": Place(name="forecasts"),
        "data_bucket": "data",
        "data_bucket_arn": "arn:aws:s3:::data",
        "artifacts_bucket": "artifacts",
        "artifacts_bucket_arn": "arn:aws:s3:::artifacts",
        "handler": "def handler(event, context): ...",
        "images": ["141502667606/sagemaker-scikit-learn"],
        "job_tags": {"stack": "project-stack"},
        "key_arn": KEY,
        "log_key_arn": KEY,
        "topic_arn": TOPIC,
        "tags": {"project": "p"},
        **changes,
    }
    return capture(lambda: BatchPrediction("nightly", BatchPredictionArgs(**arguments)))


def statements(graph: list[Resource], role: str) -> dict[str, dict[str, Any]]:
    """The statements of one role's policy, by their ids."""
    return policy(one(graph, ROLE_POLICY, f"nightly-{role}-policy").inputs["policy"])


def settings(graph: list[Resource]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        one(graph, FUNCTION).inputs["environment"]["variables"]["SETTINGS"]
    )
    return found


def test_three_roles_one_function_one_table_and_nothing_that_runs_between() -> None:
    graph = batch()
    assert types(graph) == {
        COMPONENT: 1, ALARM: 1, DATABASE: 1, FUNCTION: 1, LOG: 1, OBJECT: 1, ROLE: 3,
        ROLE_POLICY: 3, TABLE: 1,
    }  # fmt: skip
    component = one(graph, COMPONENT)
    assert {each.parent for each in graph if each.custom} == {component.urn}
    untagged = (ROLE_POLICY, TABLE)
    assert all(
        each.inputs["tags"] == {"project": "p"}
        for each in graph
        if each.custom and each.type not in untagged
    )
    assert component.outputs["outputUri"] == "s3://data/datasets/forecasts/"
    assert one(graph, LOG).inputs["kmsKeyId"] == KEY
    assert one(graph, FUNCTION).inputs["timeout"] == 600


def test_jobs_read_the_input_and_write_the_output_alone() -> None:
    found = statements(batch(), "jobs")
    assert found["ReadInput"]["Resource"] == "arn:aws:s3:::data/datasets/projects/*"
    assert found["WriteOutput"]["Resource"] == "arn:aws:s3:::data/datasets/forecasts/*"
    assert found["ReadArtifacts"]["Resource"] == [
        f"arn:aws:s3:::artifacts/{each}/*"
        for each in ("code/nightly", "pipelines/nightly", "models/adherence")
    ]
    assert found["WriteArtifacts"]["Resource"] == "arn:aws:s3:::artifacts/pipelines/nightly/*"
    assert "ReadModels" not in found
    assert "AttachNetwork" not in found


def test_the_pipeline_starts_tagged_jobs_with_one_role_and_calls_one_function() -> None:
    graph = batch()
    found = statements(graph, "pipeline")
    start = found["StartTransformJobs"]
    assert start["Action"] == ["sagemaker:CreateTransformJob", "sagemaker:AddTags"]
    assert start["Resource"] == f"arn:aws:sagemaker:{HERE}:transform-job/pipelines-*"
    assert start["Condition"] == {"StringEquals": {"aws:RequestTag/stack": "project-stack"}}
    assert found["PassStepRoles"]["Resource"].endswith("role/nightly-jobs-role-1a2b3c4")
    assert found["Call"]["Resource"] == one(graph, FUNCTION).outputs["arn"]
    assert set(found) == {
        "StartProcessingJobs", "FollowProcessingJobs", "StartTransformJobs", "FollowTransformJobs",
        "PassStepRoles", "Call",
    }  # fmt: skip


def test_the_function_finds_versions_and_approves_none() -> None:
    found = statements(batch(), "function")
    assert found["FindVersion"]["Action"] == [
        "sagemaker:ListModelPackages",
        "sagemaker:DescribeModelPackage",
    ]
    assert found["Models"]["Resource"] == f"arn:aws:sagemaker:{HERE}:model/project-stack-nightly-*"
    assert found["Catalogue"]["Resource"] == [
        f"arn:aws:glue:{HERE}:catalog",
        f"arn:aws:glue:{HERE}:database/project_stack_nightly",
        f"arn:aws:glue:{HERE}:table/project_stack_nightly/forecasts",
    ]
    actions = [action for each in found.values() for action in each["Action"]]
    assert "sagemaker:UpdateModelPackage" not in actions
    assert "StartAgain" not in found  # nothing waits for files
    assert "ReadInput" not in found


def test_what_is_watched_may_be_listed_and_start_a_run() -> None:
    new = NewData(dataset="projects", bucket="data", prefix="datasets/projects/new/")
    graph = batch(watched=[new])
    found = statements(graph, "function")
    assert found["ListNewProjects"]["Condition"] == {
        "StringLike": {"s3:prefix": "datasets/projects/new/*"}
    }
    pipeline = f"arn:aws:sagemaker:{HERE}:pipeline/project-stack-nightly"
    assert found["StartAgain"]["Resource"] == pipeline
    place = {"uri": "s3://data/datasets/projects/new/", "ending": ""}
    assert settings(graph)["watched"] == [place]


def test_a_chain_lets_the_function_look_for_the_newest_run() -> None:
    graph = batch(chained=True)
    assert settings(graph)["chained"] is True
    assert "ListInput" in statements(graph, "function")


def test_the_settings_say_what_predicts() -> None:
    graph = batch(model=Registered(model="adherence", package_group="g", version="3"))
    found = settings(graph)
    assert (found["group"], found["version"]) == ("g", "3")
    assert found["models"] == "project-stack-nightly-"
    assert found["role"].endswith("role/nightly-jobs-role-1a2b3c4")
    assert (found["network"], found["isolated"]) == (None, False)


def test_a_model_from_elsewhere_is_read_there() -> None:
    given = Given(image="image", model_data="s3://models/x.tar.gz", environment={"A": "b"})
    graph = batch(model=given)
    found = statements(graph, "jobs")
    assert found["ReadModels"]["Resource"] == "arn:aws:s3:::models/x.tar.gz"
    assert not any("models/" in each for each in found["ReadArtifacts"]["Resource"])
    assert "FindVersion" not in statements(graph, "function")
    assert settings(graph)["environment"] == {"A": "b"}


def test_an_output_elsewhere_is_written_there_and_not_catalogued() -> None:
    graph = batch(output=ELSEWHERE)
    assert DATABASE not in types(graph)
    assert TABLE not in types(graph)
    assert "Catalogue" not in statements(graph, "function")
    for role in ("jobs", "function"):
        found = statements(graph, role)["WriteOutput"]
        assert found["Resource"] == "arn:aws:s3:::lake/forecasts/*"
    assert one(graph, COMPONENT).outputs["outputUri"] == "s3://lake/forecasts/"
    assert settings(graph)["table"] is None


@pytest.mark.parametrize(
    ("form", "serde", "parameters"),
    [
        ("json", "org.openx.data.jsonserde.JsonSerDe", {"classification": "json"}),
        (
            "csv",
            "org.apache.hadoop.hive.serde2.OpenCSVSerde",
            {"classification": "csv", "skip.header.line.count": "1"},
        ),
    ],
)
def test_the_table_reads_the_form_and_leaves_columns_to_runs(
    form: str, serde: str, parameters: dict[str, str]
) -> None:
    table = one(batch(form=form), TABLE)
    assert table.inputs["parameters"] == parameters
    storage = table.inputs["storageDescriptor"]
    assert storage["serDeInfo"] == {"serializationLibrary": serde}
    assert storage["location"] == "s3://data/datasets/forecasts/"
    assert table.inputs["partitionKeys"] == [{"name": "run", "type": "string"}]
    assert table.inputs["databaseName"] == "project_stack_nightly"
    assert list(table.ignore_changes) == ["storageDescriptor.columns"]


@pytest.mark.parametrize(
    ("seconds", "period", "periods"),
    [(60, 60, 1), (90, 60, 2), (3600, 3600, 1), (90_000, 3600, 25), (604_800, 3600, 168)],
)
def test_lateness_is_told_when_nothing_completes(seconds: int, period: int, periods: int) -> None:
    alarm = one(batch(late_seconds=seconds), ALARM, "nightly-late").inputs
    assert (alarm["period"], alarm["evaluationPeriods"]) == (period, periods)
    assert alarm["treatMissingData"] == "breaching"
    assert alarm["comparisonOperator"] == "LessThanThreshold"
    assert (alarm["namespace"], alarm["metricName"]) == ("MlopsIac/Batch", "CompletedRuns")
    assert alarm["dimensions"] == {"Entry": "project-stack-nightly"}
    assert alarm["alarmActions"] == [TOPIC]


def test_without_anybody_to_tell_lateness_is_seen_all_the_same() -> None:
    graph = batch(late_seconds=60, topic_arn=None)
    assert types(graph)[ALARM] == 1
    assert one(graph, ALARM).inputs["alarmActions"] == []


def test_a_private_network_reaches_the_model_and_the_jobs() -> None:
    graph = batch(subnets=["subnet-1"], security_groups=["sg-1"], egress="none")
    assert settings(graph)["network"] == {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    assert settings(graph)["isolated"] is True
    assert "AttachNetwork" in statements(graph, "jobs")


def test_what_the_cloud_calls_it_survives_a_rename() -> None:
    graph = batch(known_as="forecast")
    assert settings(graph)["pipeline"] == "project-stack-forecast"
    assert one(graph, DATABASE).inputs["name"] == "project_stack_forecast"
    assert one(graph, OBJECT).inputs["key"].startswith("functions/forecast/")


def test_a_boundary_is_on_every_role() -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    graph = batch(permissions_boundary=boundary)
    roles = [each for each in graph if each.type == ROLE]
    assert {each.inputs["permissionsBoundary"] for each in roles} == {boundary}
