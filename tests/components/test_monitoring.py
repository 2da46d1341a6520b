"""What watches an endpoint: exact resources, rights of three roles, an alarm per limit and variant."""

from __future__ import annotations

import json
from typing import Any

from mlops_iac.clouds.aws.components.batch_prediction import Place
from mlops_iac.clouds.aws.components.monitoring import Bound, Monitoring, MonitoringArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, of_type, one, policy, types

COMPONENT = "mlops-iac:aws:Monitoring"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
FUNCTION = "aws:lambda/function:Function"
LOG = "aws:cloudwatch/logGroup:LogGroup"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
HERE = "eu-west-1:123456789012"


def monitoring(**changes: Any) -> list[Resource]:
    arguments = {
        "endpoint_name": "project-stack-api",
        "variants": ["main", "other"],
        "models": ["churn"],
        "captures_bucket": "captures",
        "captures_bucket_arn": "arn:aws:s3:::captures",
        "captures_prefix": "api",
        "data_bucket": "data",
        "data_bucket_arn": "arn:aws:s3:::data",
        "artifacts_bucket": "artifacts",
        "artifacts_bucket_arn": "arn:aws:s3:::artifacts",
        "handler": "def handler(event, context): ...",
        "limits": {"drift_psi": Bound(at_most=0.2), "accuracy": Bound(at_least=0.7)},
        "images": ["141502667606/sagemaker-scikit-learn"],
        "job_tags": {"stack": "project-stack"},
        "key_arn": KEY,
        "log_key_arn": KEY,
        "topic_arn": TOPIC,
        "tags": {"project": "p"},
        **changes,
    }
    return capture(lambda: Monitoring("api-monitoring", MonitoringArgs(**arguments)))


def statements(graph: list[Resource], role: str) -> dict[str, dict[str, Any]]:
    return policy(one(graph, ROLE_POLICY, f"api-monitoring-{role}-policy").inputs["policy"])


def test_three_roles_one_function_and_an_alarm_per_limit_and_variant() -> None:
    graph = monitoring()
    assert types(graph) == {
        COMPONENT: 1, ALARM: 5, FUNCTION: 1, LOG: 1, OBJECT: 1, ROLE: 3, ROLE_POLICY: 3,
    }  # fmt: skip
    component = one(graph, COMPONENT)
    assert {each.parent for each in graph if each.custom} == {component.urn}
    assert set(component.outputs["alarmArns"]) == {"drift_psi", "accuracy"}
    assert len(component.outputs["alarmArns"]["drift_psi"]) == 2


def test_an_alarm_keeps_its_state_where_there_is_no_data() -> None:
    found = {each.name: each.inputs for each in of_type(monitoring(), ALARM)}
    drift = found["api-monitoring-main-drift-psi"]
    assert drift == {
        "name": "project-stack-api-main-drift-psi",
        "alarmDescription": "drift_psi of main of project-stack-api breaks its limit; the report of its"
        " monitoring says where",
        "namespace": "MlopsIac/Monitoring",
        "metricName": "drift_psi",
        "dimensions": {"EndpointName": "project-stack-api", "VariantName": "main"},
        "statistic": "Maximum",
        "threshold": 0.2,
        "comparisonOperator": "GreaterThanThreshold",
        "period": 300,
        "evaluationPeriods": 1,
        "treatMissingData": "ignore",
        "alarmActions": [TOPIC],
        "okActions": [TOPIC],
        "tags": {"project": "p"},
    }
    accuracy = found["api-monitoring-other-accuracy"]
    assert accuracy["comparisonOperator"] == "LessThanThreshold"
    assert (accuracy["statistic"], accuracy["threshold"]) == ("Minimum", 0.7)


def test_jobs_read_this_endpoints_calls_and_write_reports_alone() -> None:
    found = statements(monitoring(outcomes=Place(name="truth")), "jobs")
    assert found["ReadCaptures"]["Resource"] == "arn:aws:s3:::captures/api/project-stack-api/*"
    assert found["ReadOutcomes"]["Resource"] == "arn:aws:s3:::data/datasets/truth/*"
    assert found["ReadArtifacts"]["Resource"] == [
        "arn:aws:s3:::artifacts/code/api-monitoring/*",
        "arn:aws:s3:::artifacts/pipelines/api-monitoring/*",
    ]
    assert (
        found["WriteArtifacts"]["Resource"] == "arn:aws:s3:::artifacts/pipelines/api-monitoring/*"
    )
    namespace = found["PutMetrics"]["Condition"]["StringEquals"]["cloudwatch:namespace"]
    assert namespace == ["/aws/sagemaker/ProcessingJobs"]
    assert "AttachNetwork" not in found


def test_the_function_lists_calls_reads_what_is_sealed_and_puts_metrics_of_its_own() -> None:
    found = statements(monitoring(), "function")
    assert set(found) == {
        "FindVersions", "ListCaptures", "ReadSealed", "ListSealed", "WriteWork", "UseKey",
        "PutMetrics", "WriteLog",
    }  # fmt: skip
    assert found["FindVersions"]["Resource"] == [
        f"arn:aws:sagemaker:{HERE}:{each}"
        for each in (
            "endpoint/project-stack-api",
            "endpoint-config/project-stack-*",
            "model/project-stack-*",
            "model-package/project-stack-churn/*",
        )
    ]
    assert found["ReadSealed"]["Resource"][0] == "arn:aws:s3:::artifacts/models/churn/*"
    namespace = found["PutMetrics"]["Condition"]["StringEquals"]["cloudwatch:namespace"]
    assert namespace == ["MlopsIac/Monitoring"]


def test_the_pipeline_starts_tagged_jobs_with_one_role_and_calls_one_function() -> None:
    found = statements(monitoring(), "pipeline")
    assert set(found) == {"StartProcessingJobs", "FollowProcessingJobs", "PassStepRoles", "Call"}
    start = found["StartProcessingJobs"]["Condition"]
    assert start == {"StringEquals": {"aws:RequestTag/stack": "project-stack"}}


def test_the_function_is_told_where_calls_and_runs_lie() -> None:
    found = json.loads(one(monitoring(), FUNCTION).inputs["environment"]["variables"]["SETTINGS"])
    assert found == {
        "endpoint": "project-stack-api",
        "variants": ["main", "other"],
        "captures": "s3://captures/api/",
        "work": "s3://artifacts/pipelines/api-monitoring/",
        "outcome_days": 0,
        "namespace": "MlopsIac/Monitoring",
    }


def test_a_renamed_entry_keeps_where_its_runs_lie() -> None:
    graph = monitoring(known_as="old-monitoring")
    found = json.loads(one(graph, FUNCTION).inputs["environment"]["variables"]["SETTINGS"])
    assert found["work"] == "s3://artifacts/pipelines/old-monitoring/"


def test_versions_of_other_accounts_are_described_there() -> None:
    graph = monitoring(models=[], promoted=["444455556666/project-dev-churn"])
    found = statements(graph, "function")
    assert found["FindVersions"]["Resource"][-1] == (
        "arn:aws:sagemaker:eu-west-1:444455556666:model-package/project-dev-churn/*"
    )
    assert found["ReadSealed"]["Resource"] == ("arn:aws:s3:::artifacts/pipelines/api-monitoring/*")
