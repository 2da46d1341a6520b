"""The endpoint: exact resources, and the rules that generated stacks most often break."""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pytest

from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.components._disks import has_local_disk
from mlops_iac.clouds.aws.components._rollout import Rollout
from mlops_iac.clouds.aws.components._scaling import Scaling
from mlops_iac.clouds.aws.components.alerts import Told
from mlops_iac.clouds.aws.components.real_time_endpoint import (
    Capture,
    RealTimeEndpoint,
    RealTimeEndpointArgs,
    Variant,
)
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, names, of_type, one, types
from tools.sagemaker_catalogue import ec2_types

MODEL = "aws:sagemaker/model:Model"
CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
LOG = "aws:cloudwatch/logGroup:LogGroup"
RULE = "aws:cloudwatch/eventRule:EventRule"
RULE_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TARGET = "aws:appautoscaling/target:Target"
POLICY = "aws:appautoscaling/policy:Policy"
COMPONENT = "mlops-iac:aws:RealTimeEndpoint"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"
ROLE = "arn:aws:iam::123456789012:role/endpoint"


def registered(name: str = "champion", version: str | None = "3", **changes: Any) -> Variant:
    return Variant(
        **{
            "name": name,
            "model": "adherence",
            "instance_type": "ml.m5.xlarge",
            "package_group": "project-stack-adherence",
            "version": version,
            **changes,
        }
    )


def brought(name: str = "challenger", **changes: Any) -> Variant:
    return Variant(
        **{
            "name": name,
            "model": "baseline",
            "instance_type": "ml.m5.xlarge",
            "image": "123.dkr.ecr.eu-west-1.amazonaws.com/onnx:1",
            "model_data": "s3://acme-models/baseline/3/",
            **changes,
        }
    )


def endpoint(name: str = "api", depends_on: Any = None, **changes: Any) -> list[Resource]:
    arguments = {
        "role_arn": ROLE,
        "variants": [registered()],
        "key_arn": KEY,
        "tags": {"project": "p"},
        **changes,
    }
    return capture(
        lambda: RealTimeEndpoint(
            name,
            RealTimeEndpointArgs(**arguments),
            pulumi.ResourceOptions(depends_on=depends_on),
        )
    )


SCALED = Scaling(min=2, max=20, metric="requests_per_minute", value=200)


def test_a_complete_endpoint_has_exactly_these_resources() -> None:
    graph = endpoint(scaling=SCALED, capture=Capture(bucket="captures", prefix="api"))
    assert types(graph) == {
        COMPONENT: 1,
        ALARM: 1,
        MODEL: 1,
        CONFIGURATION: 1,
        LOG: 1,
        ENDPOINT: 1,
        TARGET: 1,
        POLICY: 1,
    }
    parent = one(graph, COMPONENT).urn
    assert {each.parent for each in graph if each.custom} == {parent}
    untagged = {POLICY}
    assert all(
        each.inputs["tags"] == {"project": "p"}
        for each in graph
        if each.custom and each.type not in untagged
    )


def test_a_registered_version_brings_its_own_image_and_data() -> None:
    """Trap 5: `model_package_name` is a versioned ARN and stands alone."""
    model = one(endpoint(), MODEL)
    assert "name" not in model.inputs
    assert model.inputs["executionRoleArn"] == ROLE
    assert model.inputs["primaryContainer"] == {
        "modelPackageName": (
            "arn:aws:sagemaker:eu-west-1:123456789012:model-package/project-stack-adherence/3"
        )
    }


def test_a_promoted_version_stays_in_the_account_that_approved_it() -> None:
    model = one(endpoint(variants=[registered(registry_account="012345678901")]), MODEL)
    assert model.inputs["primaryContainer"]["modelPackageName"].startswith(
        "arn:aws:sagemaker:eu-west-1:012345678901:model-package/"
    )


@pytest.mark.parametrize(
    ("uri", "kind", "compression"),
    [
        ("s3://acme-models/baseline/3/", "S3Prefix", "None"),
        ("s3://acme-models/baseline/3/model.tar.gz", "S3Object", "Gzip"),
    ],
)
def test_a_model_from_elsewhere_is_an_image_and_its_data(
    uri: str, kind: str, compression: str
) -> None:
    variant = brought(model_data=uri, environment={"LOG_LEVEL": "info"})
    assert one(endpoint(variants=[variant]), MODEL).inputs["primaryContainer"] == {
        "image": "123.dkr.ecr.eu-west-1.amazonaws.com/onnx:1",
        "environment": {"LOG_LEVEL": "info"},
        "modelDataSource": {
            "s3DataSources": [{"s3Uri": uri, "s3DataType": kind, "compressionType": compression}]
        },
    }


def test_the_configuration_is_replaced_before_the_old_one_goes() -> None:
    """Traps 5 and P1: a prefix and never a name, variant names that never change."""
    configuration = one(endpoint(), CONFIGURATION)
    assert "name" not in configuration.inputs
    assert configuration.inputs["namePrefix"] == "project-stack-api-"
    assert configuration.delete_before_replace is not True
    (variant,) = configuration.inputs["productionVariants"]
    assert variant["variantName"] == "champion"
    assert configuration.inputs["kmsKeyArn"] == KEY


def test_the_prefix_leaves_room_for_what_the_provider_appends() -> None:
    """Trap 5: 63 characters less the 26 of the suffix."""
    graph = endpoint("a" * 40, variants=[registered("v" * 40)])
    assert len(one(graph, CONFIGURATION).inputs["namePrefix"]) <= 37
    assert len(one(graph, ENDPOINT).inputs["name"]) <= 63
    assert len(one(graph, MODEL).name) + 8 <= 63


def test_instance_counts_follow_the_minimum() -> None:
    """Traps 8 and P2: the provider does not keep what scaling has set."""
    (variant,) = one(endpoint(scaling=SCALED), CONFIGURATION).inputs["productionVariants"]
    assert variant["initialInstanceCount"] == 2


def test_volumes_with_a_local_disk_take_no_key() -> None:
    """Trap 12; captures are encrypted all the same."""
    for instance in ("ml.g5.xlarge", "ml.m5d.xlarge", "ml.r7gd.large", "ml.g4dn.xlarge"):
        graph = endpoint(
            variants=[registered(instance_type=instance)],
            capture=Capture(bucket="captures", prefix="api"),
        )
        inputs = one(graph, CONFIGURATION).inputs
        assert "kmsKeyArn" not in inputs
        assert inputs["dataCaptureConfig"]["kmsKeyId"] == KEY


def test_every_type_with_a_local_disk_is_known() -> None:
    """Families are known by name; EC2 describes every type."""
    types = {each for purpose in catalogue.PURPOSES for each in catalogue.instance_types(purpose)}
    described = ec2_types()
    found = {each: described.get(each.removeprefix("ml.")) for each in types}
    known = {each: facts for each, facts in found.items() if facts is not None}
    assert len(known) > 200
    assert {each for each in known if has_local_disk(each)} == {
        each for each, facts in known.items() if facts.get("InstanceStorageSupported")
    }


def test_calls_are_captured_both_ways_and_readable() -> None:
    """Trap 10."""
    inputs = one(
        endpoint(capture=Capture(bucket="captures", prefix="api", percent=20)), CONFIGURATION
    ).inputs
    assert inputs["dataCaptureConfig"] == {
        "enableCapture": True,
        "initialSamplingPercentage": 20,
        "destinationS3Uri": "s3://captures/api",
        "kmsKeyId": KEY,
        "captureOptions": [{"captureMode": "Input"}, {"captureMode": "Output"}],
        "captureContentTypeHeader": {"jsonContentTypes": ["application/json"]},
    }


def test_nothing_is_captured_unless_asked() -> None:
    assert "dataCaptureConfig" not in one(endpoint(), CONFIGURATION).inputs


def test_the_alarms_watch_the_literal_name_of_the_endpoint() -> None:
    """Trap 6: they exist first, and the endpoint takes their name from their output."""
    graph = endpoint(rollout=Rollout(error_rate_percent=1, latency_p99_ms=300))
    of_endpoint = one(graph, ENDPOINT)
    alarms = of_type(graph, ALARM)
    assert of_endpoint.inputs["name"] == "project-stack-api"
    assert {alarm.inputs["dimensions"]["EndpointName"] for alarm in alarms} == {"project-stack-api"}
    assert {alarm.inputs["dimensions"]["VariantName"] for alarm in alarms} == {"champion"}
    assert names(of_endpoint.dependencies) >= {alarm.name for alarm in alarms}
    rollback = of_endpoint.inputs["deploymentConfig"]["autoRollbackConfiguration"]
    assert {each["alarmName"] for each in rollback["alarms"]} == {
        alarm.outputs["name"] for alarm in alarms
    }


def test_alarms_measure_in_the_units_of_the_metrics() -> None:
    """Trap 7: a share of 1 and microseconds; silence is not a failure."""
    graph = endpoint(rollout=Rollout(error_rate_percent=1, latency_p99_ms=300))
    errors = one(graph, ALARM, "api-champion-rollback-error-rate").inputs
    latency = one(graph, ALARM, "api-champion-rollback-latency-p99").inputs
    assert (errors["metricName"], errors["statistic"], errors["threshold"]) == (
        "Invocation5XXErrors",
        "Average",
        0.01,
    )
    assert (latency["metricName"], latency["extendedStatistic"], latency["threshold"]) == (
        "ModelLatency",
        "p99",
        300_000,
    )
    assert "unit" not in latency
    assert {errors["treatMissingData"], latency["treatMissingData"]} == {"notBreaching"}


@pytest.mark.parametrize("minutes", [1, 2, 5, 60])
def test_an_alarm_can_fire_before_its_step_is_over(minutes: int) -> None:
    """Trap 6: period × datapoints within the wait."""
    graph = endpoint(rollout=Rollout(wait_minutes=minutes))
    routing = one(graph, ENDPOINT).inputs["deploymentConfig"]["blueGreenUpdatePolicy"]
    wait = routing["trafficRoutingConfiguration"]["waitIntervalInSeconds"]
    assert wait == minutes * 60
    for alarm in of_type(graph, ALARM):
        most = max(60, wait - 2 * 60)  # one begins before the traffic moves, one is not told yet
        assert alarm.inputs["period"] * alarm.inputs["datapointsToAlarm"] <= most
        assert alarm.inputs["period"] * alarm.inputs["evaluationPeriods"] <= most


def test_the_way_back_is_there_from_the_first_version_on() -> None:
    """Trap 4: adding it later would replace the endpoint."""
    config = one(endpoint(), ENDPOINT).inputs["deploymentConfig"]
    assert len(config["autoRollbackConfiguration"]["alarms"]) == 1
    assert config["blueGreenUpdatePolicy"]["trafficRoutingConfiguration"]["type"] == "ALL_AT_ONCE"


@pytest.mark.parametrize(
    ("strategy", "kind", "step"),
    [("canary", "CANARY", "canarySize"), ("linear", "LINEAR", "linearStepSize")],
)
def test_traffic_moves_in_steps_of_the_capacity(strategy: Any, kind: str, step: str) -> None:
    rollout = Rollout(strategy=strategy, percent=50, wait_minutes=10)
    graph = endpoint(scaling=SCALED, rollout=rollout)
    config = one(graph, ENDPOINT).inputs["deploymentConfig"]
    assert config["blueGreenUpdatePolicy"]["trafficRoutingConfiguration"] == {
        "type": kind,
        step: {"type": "CAPACITY_PERCENT", "value": 50},
        "waitIntervalInSeconds": 600,
    }
    assert "rollingUpdatePolicy" not in config


@pytest.mark.parametrize("strategy", ["canary", "linear"])
def test_one_instance_rolls_at_once_under_the_same_alarms(strategy: Any) -> None:
    """Trap 9: a share of one instance is the instance."""
    config = one(endpoint(rollout=Rollout(strategy=strategy)), ENDPOINT).inputs["deploymentConfig"]
    routing = config["blueGreenUpdatePolicy"]["trafficRoutingConfiguration"]
    assert routing == {"type": "ALL_AT_ONCE", "waitIntervalInSeconds": 600}
    assert config["autoRollbackConfiguration"]["alarms"]


@pytest.mark.parametrize(
    "wrong", [{"percent": 51}, {"percent": 0}, {"wait_minutes": 61}, {"wait_minutes": 0}]
)
def test_a_rollout_that_sagemaker_refuses_is_refused_here(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="rollout"):
        Rollout(strategy="canary", **wrong)  # type: ignore[arg-type]


def test_scaling_registers_the_endpoint_that_exists() -> None:
    """Trap 8: the resource id comes from the endpoint's output."""
    graph = endpoint(scaling=SCALED)
    target, policy = one(graph, TARGET), one(graph, POLICY)
    assert target.inputs == {
        "serviceNamespace": "sagemaker",
        "resourceId": "endpoint/project-stack-api/variant/champion",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "minCapacity": 2,
        "maxCapacity": 20,
        "tags": {"project": "p"},
    }
    assert "api-endpoint" in names(target.property_dependencies["resourceId"])
    tracking = policy.inputs["targetTrackingScalingPolicyConfiguration"]
    assert tracking["targetValue"] == 200
    assert tracking["predefinedMetricSpecification"] == {
        "predefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    }


def test_utilisation_is_the_sum_over_all_cores() -> None:
    scaling = Scaling(min=1, max=4, metric="cpu_percent", value=70, units=4)
    tracking = one(endpoint(scaling=scaling), POLICY).inputs[
        "targetTrackingScalingPolicyConfiguration"
    ]
    assert tracking["targetValue"] == 280
    assert tracking["customizedMetricSpecification"] == {
        "namespace": "/aws/sagemaker/Endpoints",
        "metricName": "CPUUtilization",
        "statistic": "Average",
        "dimensions": [
            {"name": "EndpointName", "value": "project-stack-api"},
            {"name": "VariantName", "value": "champion"},
        ],
    }


def test_a_fixed_number_of_instances_is_not_scaled() -> None:
    graph = endpoint(scaling=Scaling(min=2, max=2))
    assert not of_type(graph, TARGET)
    assert not of_type(graph, POLICY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min": 0, "max": 2, "metric": "concurrency", "value": 1},
        {"min": 3, "max": 2, "metric": "concurrency", "value": 1},
        {"min": 1, "max": 2},
        {"min": 1, "max": 2, "metric": "concurrency"},
    ],
)
def test_scaling_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"scaling|instances"):
        Scaling(**wrong)


def test_two_variants_share_the_traffic_and_scale_alone() -> None:
    graph = endpoint(
        variants=[registered(traffic_percent=90), brought(traffic_percent=10)], scaling=SCALED
    )
    variants = one(graph, CONFIGURATION).inputs["productionVariants"]
    assert [(each["variantName"], each["initialVariantWeight"]) for each in variants] == [
        ("champion", 90),
        ("challenger", 10),
    ]
    assert {each.inputs["resourceId"] for each in of_type(graph, TARGET)} == {
        "endpoint/project-stack-api/variant/champion",
        "endpoint/project-stack-api/variant/challenger",
    }
    assert len(of_type(graph, MODEL)) == 2


def test_a_shadow_gets_copies_and_neither_answers_nor_alarms() -> None:
    graph = endpoint(variants=[registered(), brought(shadow_percent=50)], scaling=SCALED)
    inputs = one(graph, CONFIGURATION).inputs
    assert [each["variantName"] for each in inputs["productionVariants"]] == ["champion"]
    (shadow,) = inputs["shadowProductionVariants"]
    assert (shadow["variantName"], shadow["initialVariantWeight"]) == ("challenger", 50)
    assert inputs["productionVariants"][0]["initialVariantWeight"] == 100
    assert {each.inputs["dimensions"]["VariantName"] for each in of_type(graph, ALARM)} == {
        "champion"
    }


def test_before_the_first_model_only_the_alarms_are_there() -> None:
    """Trap 19."""
    graph = endpoint(
        variants=[registered(version=None)],
        scaling=SCALED,
        capture=Capture(bucket="captures", prefix="api"),
    )
    assert types(graph) == {COMPONENT: 1, ALARM: 1}
    assert one(graph, COMPONENT).outputs == {
        "endpoint_name": "project-stack-api",
        "pending": ["adherence"],
    }


def test_one_variant_without_a_version_holds_the_endpoint_back() -> None:
    graph = endpoint(variants=[registered(version=None), brought()])
    assert not of_type(graph, ENDPOINT)
    assert not of_type(graph, MODEL)
    assert one(graph, COMPONENT).outputs["pending"] == ["adherence"]


def test_the_first_version_only_creates() -> None:
    """Trap 19: what stood before stands unchanged after."""
    before = {each.urn: each for each in endpoint(variants=[registered(version=None)])}
    after = {each.urn: each for each in endpoint(variants=[registered(version="1")])}
    assert set(before) < set(after)
    assert all(after[urn].inputs == each.inputs for urn, each in before.items() if each.custom)


def test_another_version_replaces_model_and_configuration_behind_one_name() -> None:
    first, second = (endpoint(variants=[registered(version=v)]) for v in ("1", "2"))
    assert one(first, ENDPOINT).inputs["name"] == one(second, ENDPOINT).inputs["name"]
    container = [one(graph, MODEL).inputs["primaryContainer"] for graph in (first, second)]
    assert container[0] != container[1]
    production = "productionVariants"
    assert [v["variantName"] for v in one(first, CONFIGURATION).inputs[production]] == [
        v["variantName"] for v in one(second, CONFIGURATION).inputs[production]
    ]


def test_containers_reach_a_network_unless_they_are_cut_off() -> None:
    assert "enableNetworkIsolation" not in one(endpoint(), MODEL).inputs
    assert one(endpoint(egress="none"), MODEL).inputs["enableNetworkIsolation"] is True


def test_models_run_in_the_given_network() -> None:
    graph = endpoint(subnets=["subnet-1"], security_groups=["sg-1"])
    assert one(graph, MODEL).inputs["vpcConfig"] == {
        "subnets": ["subnet-1"],
        "securityGroupIds": ["sg-1"],
    }


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"image": "x", "model_data": "s3://b/"}, "version or an image"),
        ({"package_group": None, "version": None}, "version or an image"),
        ({"package_group": None, "image": "x"}, "no model data"),
    ],
)
def test_a_variant_has_one_model(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        registered(**wrong)


def test_an_endpoint_of_shadows_alone_is_refused() -> None:
    with pytest.raises(Exception, match="no variant that answers"):
        endpoint(variants=[brought(shadow_percent=50)])


def test_what_runs_waits_for_the_policies_of_its_role() -> None:
    """P5."""

    class Policies(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("test:Policies", "policies")
            import pulumi_aws as aws

            aws.iam.RolePolicy(
                "endpoint-policy",
                role="endpoint",
                policy="{}",
                opts=pulumi.ResourceOptions(parent=self),
            )

    def program() -> None:
        RealTimeEndpoint(
            "api",
            RealTimeEndpointArgs(role_arn=ROLE, variants=[registered()]),
            pulumi.ResourceOptions(depends_on=[Policies()]),
        )

    graph = capture(program)
    for kind in (MODEL, CONFIGURATION, ENDPOINT):
        assert "endpoint-policy" in names(one(graph, kind).dependencies)


TOLD = Told(topic_arn="arn:topic", queue_arn="arn:queue")


def test_a_percentile_of_few_calls_is_not_judged() -> None:
    """A single slow call on a quiet endpoint neither pages nor rolls back."""
    alarms = of_type(endpoint(rollout=Rollout(latency_p99_ms=300)), ALARM)
    judged = {
        each.inputs.get("extendedStatistic"): each.inputs.get("evaluateLowSampleCountPercentiles")
        for each in alarms
    }
    assert judged == {None: None, "p99": "ignore"}


def test_people_are_told_of_rollbacks_and_of_an_endpoint_that_fails() -> None:
    graph = endpoint(told=TOLD, rollout=Rollout(latency_p99_ms=300))
    for alarm in of_type(graph, ALARM):
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == ["arn:topic"]
    pattern = json.loads(one(graph, RULE).inputs["eventPattern"])
    assert pattern["detail-type"] == [
        "SageMaker Endpoint State Change",
        "SageMaker Endpoint Deployment State Change",
    ]
    assert pattern["detail"]["EndpointName"] == ["project-stack-api"]
    assert {"FAILED", "ROLLING_BACK"} <= set(pattern["detail"]["EndpointStatus"])
    target = one(graph, RULE_TARGET).inputs
    assert target["arn"] == "arn:topic" and "roleArn" not in target
    assert target["deadLetterConfig"] == {"arn": "arn:queue"}
    told = json.loads(target["inputTransformer"]["inputTemplate"])
    assert set(re.findall(r"<(\w+)>", told)) == set(target["inputTransformer"]["inputPaths"])


def test_a_stack_without_alerts_tells_nobody() -> None:
    graph = endpoint(told=None)
    assert not of_type(graph, RULE)
    assert not any(alarm.inputs.get("alarmActions") for alarm in of_type(graph, ALARM))


def test_the_containers_log_is_there_before_they_write_it() -> None:
    """SageMaker would make the group itself: without a key, and for ever."""
    graph = endpoint(log_key_arn=KEY)
    log = one(graph, LOG)
    assert log.inputs == {
        "name": "/aws/sagemaker/Endpoints/project-stack-api",
        "retentionInDays": 365,
        "kmsKeyId": KEY,
        "tags": {"project": "p"},
    }
    assert log.name in names(one(graph, ENDPOINT).dependencies)


def test_the_endpoint_is_protected_and_what_changes_with_it_is_not() -> None:
    """An update replaces the configuration and the models, which must go on."""
    graph = endpoint(protect=True, scaling=SCALED)
    assert {each.type for each in graph if each.protect} == {ENDPOINT}
    assert not any(each.protect for each in endpoint(protect=False))
