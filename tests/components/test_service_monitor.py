"""Alarms and dashboard of an endpoint."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_iac.clouds.aws.components.service_monitor import ServiceMonitor, ServiceMonitorArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, of_type, one, types

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"


def graph(**args: Any) -> list[Resource]:
    given = {"endpoint_name": "churn-prod-api", "variants": ["live"], **args}
    return capture(lambda: ServiceMonitor("api-monitor", ServiceMonitorArgs(**given)))


def test_latency_is_p99_in_microseconds_without_a_unit() -> None:
    found = graph(latency_p99_ms=300, topic_arn=TOPIC, tags={"a": "b"})
    assert types(found) == {"mlops-iac:aws:ServiceMonitor": 1, ALARM: 1}
    inputs = dict(one(found, ALARM).inputs)
    assert inputs.pop("alarmDescription")
    assert inputs == {
        "name": "churn-prod-api-live-latency-p99",
        "namespace": "AWS/SageMaker",
        "metricName": "ModelLatency",
        "dimensions": {"EndpointName": "churn-prod-api", "VariantName": "live"},
        "extendedStatistic": "p99",
        "threshold": 300_000,
        "comparisonOperator": "GreaterThanThreshold",
        "period": 60,
        "evaluationPeriods": 5,
        "datapointsToAlarm": 3,
        "evaluateLowSampleCountPercentiles": "ignore",
        "treatMissingData": "notBreaching",
        "alarmActions": [TOPIC],
        "okActions": [TOPIC],
        "tags": {"a": "b"},
    }


def test_errors_are_an_average_between_zero_and_one() -> None:
    inputs = one(graph(error_rate_percent=1), ALARM).inputs
    assert inputs["metricName"] == "Invocation5XXErrors"
    assert inputs["statistic"] == "Average"
    assert inputs["threshold"] == 0.01
    assert inputs["treatMissingData"] == "notBreaching"
    assert inputs["alarmActions"] == []
    assert "extendedStatistic" not in inputs


@pytest.mark.parametrize(
    ("limit", "metric"),
    [("cpu_percent", "CPUUtilization"), ("memory_percent", "MemoryUtilization")],
)
def test_instances_are_measured_in_their_own_namespace(limit: str, metric: str) -> None:
    inputs = one(graph(**{limit: 80}), ALARM).inputs
    assert inputs["namespace"] == "/aws/sagemaker/Endpoints"
    assert inputs["metricName"] == metric
    assert inputs["threshold"] == 80


def test_an_alarm_per_limit_and_variant_with_names_of_their_own() -> None:
    found = graph(variants=["a", "b"], latency_p99_ms=1, error_rate_percent=1)
    alarms = of_type(found, ALARM)
    assert len(alarms) == 4
    assert len({alarm.inputs["name"] for alarm in alarms}) == 4
    component = one(found, "mlops-iac:aws:ServiceMonitor")
    assert {alarm.parent for alarm in alarms} == {component.urn}
    assert component.outputs["alarmNames"] == {
        "latency_p99_ms": ["churn-prod-api-a-latency-p99", "churn-prod-api-b-latency-p99"],
        "error_rate_percent": ["churn-prod-api-a-error-rate", "churn-prod-api-b-error-rate"],
    }


def test_no_limit_no_alarm() -> None:
    assert types(graph()) == {"mlops-iac:aws:ServiceMonitor": 1}


def test_the_dashboard_is_filled() -> None:
    text = '{"widgets": [{"region": "${region}", "title": "${endpoint_name}"}]}'
    dashboard = one(graph(dashboard=text), "aws:cloudwatch/dashboard:Dashboard")
    assert dashboard.inputs["dashboardName"] == "churn-prod-api"
    assert json.loads(dashboard.inputs["dashboardBody"]) == {
        "widgets": [{"region": "eu-west-1", "title": "churn-prod-api"}]
    }


def test_a_placeholder_that_nobody_fills_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody"):
        graph(dashboard='{"a": "${nobody}"}')
