"""What was deployed, read with plain boto3 in the API's own words, member by member."""

from __future__ import annotations

import json

import boto3
import pytest

from mlops_iac.values import Secret
from tests.emulated import models

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/boto-role"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-4000-8000-000000000000"
IMAGE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": '
    '{"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)


@pytest.fixture(scope="module")
def client(moto):
    session = boto3.Session("x", "x", region_name="eu-west-1")
    return lambda service: session.client(service, endpoint_url=moto.url)


@pytest.fixture(scope="module")
def put(aws_provider):
    """Create a resource as an engine would; returns its state."""

    def create(type_, inputs, name="boto"):
        urn = f"urn:pulumi:local::t::{type_}::{name}"
        checked = aws_provider.check(urn, type_, None, inputs, b"seed")
        assert list(checked.failures) == []
        return aws_provider.create(urn, type_, checked.inputs, f"token-{name}")

    return create


def holds(actual, expected, path=""):
    """Every expected member, nested; lists of equal length."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in actual, f"{path}.{key} is missing in {actual}"
            holds(actual[key], value, f"{path}.{key}")
    elif isinstance(expected, list):
        assert len(actual) == len(expected), path
        for index, value in enumerate(expected):
            holds(actual[index], value, f"{path}[{index}]")
    else:
        assert actual == expected, path


def test_bucket_and_its_settings(put, client):
    s3 = client("s3")
    bucket = put("aws:s3/bucket:Bucket", {"bucket": "boto-data", "tags": {"a": "b"}})
    place = {"bucket": "boto-data"}
    assert bucket.id == "boto-data"
    assert bucket.outputs["arn"] == "arn:aws:s3:::boto-data"
    assert bucket.outputs["bucketRegionalDomainName"] == "boto-data.s3.eu-west-1.amazonaws.com"
    assert bucket.outputs["bucketDomainName"] == "boto-data.s3.amazonaws.com"
    assert bucket.outputs["hostedZoneId"] == "Z1BKCTXD74EZPE"
    assert bucket.outputs["tagsAll"] == {"a": "b"}
    assert s3.get_bucket_location(Bucket="boto-data")["LocationConstraint"] == "eu-west-1"

    put("aws:s3/bucketVersioning:BucketVersioning",
        {**place, "versioningConfiguration": {"status": "Enabled"}})  # fmt: skip
    assert s3.get_bucket_versioning(Bucket="boto-data")["Status"] == "Enabled"

    default = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
    put(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        {
            **place,
            "rules": [{"applyServerSideEncryptionByDefault": default, "bucketKeyEnabled": True}],
        },
    )
    found = s3.get_bucket_encryption(Bucket="boto-data")["ServerSideEncryptionConfiguration"]
    holds(
        found,
        {
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": KEY,
                    },
                    "BucketKeyEnabled": True,
                }
            ]
        },
    )

    rule = {
        "id": "captures",
        "status": "Enabled",
        "filter": {"prefix": "captures/"},
        "expiration": {"days": 30},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
    }
    put(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {**place, "rules": [rule]},
    )
    rules = s3.get_bucket_lifecycle_configuration(Bucket="boto-data")["Rules"]
    holds(
        rules,
        [
            {
                "ID": "captures",
                "Status": "Enabled",
                "Filter": {"Prefix": "captures/"},
                "Expiration": {"Days": 30},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            }
        ],
    )

    put("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {**place, "blockPublicAcls": True, "restrictPublicBuckets": True})  # fmt: skip
    block = s3.get_public_access_block(Bucket="boto-data")["PublicAccessBlockConfiguration"]
    assert block["BlockPublicAcls"] is True
    assert block["RestrictPublicBuckets"] is True
    assert block.get("BlockPublicPolicy", False) is False


def test_a_secret_reaches_the_api_and_stays_secret_in_the_state(put, client):
    put("aws:s3/bucket:Bucket", {"bucket": "boto-secret"})
    state = put(
        "aws:s3/bucketObjectv2:BucketObjectv2",
        {"bucket": "boto-secret", "key": "k", "content": Secret("hush"), "tags": {"a": "b c"}},
    )
    s3 = client("s3")
    assert s3.get_object(Bucket="boto-secret", Key="k")["Body"].read() == b"hush"
    assert s3.get_object_tagging(Bucket="boto-secret", Key="k")["TagSet"] == [
        {"Key": "a", "Value": "b c"}
    ]
    assert "hush" not in repr(state)
    assert state.outputs["content"] == Secret("hush")


def test_role_and_policies(put, client):
    iam = client("iam")
    role = put(
        "aws:iam/role:Role",
        {"name": "boto-role", "assumeRolePolicy": TRUST, "maxSessionDuration": 7200},
    )
    assert role.id == "boto-role"
    assert role.outputs["arn"] == ROLE
    assert role.outputs["uniqueId"]
    found = iam.get_role(RoleName="boto-role")["Role"]
    assert found["MaxSessionDuration"] == 7200
    assert found["AssumeRolePolicyDocument"] == json.loads(TRUST)
    document = (
        '{"Version": "2012-10-17", "Statement": '
        '[{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
    )
    inline = put(
        "aws:iam/rolePolicy:RolePolicy", {"role": "boto-role", "name": "p", "policy": document}
    )
    assert inline.id == "boto-role:p"
    found = iam.get_role_policy(RoleName="boto-role", PolicyName="p")
    assert found["PolicyDocument"] == json.loads(document)


def test_key_and_alias(put, client):
    kms = client("kms")
    key = put("aws:kms/key:Key", {"description": "data", "enableKeyRotation": True})
    assert key.id == key.outputs["keyId"]
    assert key.outputs["arn"].endswith(f":key/{key.id}")
    metadata = kms.describe_key(KeyId=key.id)["KeyMetadata"]
    assert metadata["Description"] == "data"
    assert kms.get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"] is True
    put("aws:kms/alias:Alias", {"name": "alias/boto", "targetKeyId": key.id})
    assert kms.describe_key(KeyId="alias/boto")["KeyMetadata"]["KeyId"] == key.id
    assert "mlops-iac:operation" not in key.outputs["tagsAll"]


@pytest.fixture(scope="module")
def model_data(client):
    """Where the archive of a model lies that can be served."""
    client("s3").create_bucket(
        Bucket="boto-models", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    client("s3").put_object(Bucket="boto-models", Key="model.tar.gz", Body=models.archive())
    return "s3://boto-models/model.tar.gz"


def test_model_configuration_endpoint_and_scaling(put, client, model_data):
    sagemaker = client("sagemaker")
    put(
        "aws:sagemaker/model:Model",
        {
            "name": "boto-model",
            "executionRoleArn": ROLE,
            "primaryContainer": {
                "image": IMAGE,
                "modelDataUrl": model_data,
                "environment": {"SAGEMAKER_PROGRAM": "serve.py"},
            },
            "tags": {"a": "b"},
        },
    )
    model = sagemaker.describe_model(ModelName="boto-model")
    holds(
        model,
        {
            "ExecutionRoleArn": ROLE,
            "PrimaryContainer": {
                "Image": IMAGE,
                "ModelDataUrl": model_data,
                "Environment": {"SAGEMAKER_PROGRAM": "serve.py"},
            },
        },
    )
    assert sagemaker.list_tags(ResourceArn=model["ModelArn"])["Tags"] == [
        {"Key": "a", "Value": "b"}
    ]
    config = put(
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        {
            "namePrefix": "boto-api-",
            "kmsKeyArn": KEY,
            "productionVariants": [
                {
                    "variantName": "champion",
                    "modelName": "boto-model",
                    "instanceType": "ml.m5.xlarge",
                    "initialInstanceCount": 2,
                    "initialVariantWeight": 1,
                }
            ],
            "dataCaptureConfig": {
                "enableCapture": True,
                "initialSamplingPercentage": 100,
                "destinationS3Uri": "s3://boto-data/captures",
                "captureOptions": [{"captureMode": "Input"}, {"captureMode": "Output"}],
            },
        },
    )
    assert config.id.startswith("boto-api-")
    assert len(config.id) <= 63
    holds(
        sagemaker.describe_endpoint_config(EndpointConfigName=config.id),
        {
            "KmsKeyId": KEY,
            "ProductionVariants": [
                {
                    "VariantName": "champion",
                    "ModelName": "boto-model",
                    "InstanceType": "ml.m5.xlarge",
                    "InitialInstanceCount": 2,
                    "InitialVariantWeight": 1.0,
                }
            ],
            "DataCaptureConfig": {
                "EnableCapture": True,
                "InitialSamplingPercentage": 100,
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            },
        },
    )
    endpoint = put(
        "aws:sagemaker/endpoint:Endpoint", {"name": "boto-api", "endpointConfigName": config.id}
    )
    found = sagemaker.describe_endpoint(EndpointName="boto-api")
    assert found["EndpointConfigName"] == config.id
    assert found["EndpointStatus"] == "InService"
    assert endpoint.outputs["arn"] == found["EndpointArn"]

    target = {
        "serviceNamespace": "sagemaker",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "resourceId": "endpoint/boto-api/variant/champion",
    }
    put("aws:appautoscaling/target:Target", {**target, "minCapacity": 2, "maxCapacity": 5})
    scaling = client("application-autoscaling")
    found = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[target["resourceId"]]
    )
    holds(found["ScalableTargets"], [{"MinCapacity": 2, "MaxCapacity": 5}])
    put(
        "aws:appautoscaling/policy:Policy",
        {
            **target,
            "name": "boto-policy",
            "policyType": "TargetTrackingScaling",
            "targetTrackingScalingPolicyConfiguration": {
                "targetValue": 200,
                "predefinedMetricSpecification": {
                    "predefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                },
            },
        },
    )
    found = scaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", PolicyNames=["boto-policy"]
    )
    holds(
        found["ScalingPolicies"],
        [
            {
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 200.0,
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                    },
                }
            }
        ],
    )


def test_an_updated_endpoint_runs_the_new_configuration(put, client, aws_provider, model_data):
    type_ = "aws:sagemaker/endpoint:Endpoint"
    container = {"image": IMAGE, "modelDataUrl": model_data}
    put("aws:sagemaker/model:Model", {"name": "upd-model", "executionRoleArn": ROLE,
                                      "primaryContainer": container})  # fmt: skip
    for name in ("upd-1", "upd-2"):
        variant = {"variantName": "champion", "modelName": "upd-model",
                   "instanceType": "ml.m5.large", "initialInstanceCount": 1}  # fmt: skip
        put("aws:sagemaker/endpointConfiguration:EndpointConfiguration",
            {"name": name, "productionVariants": [variant]})  # fmt: skip
    old = put(type_, {"name": "upd", "endpointConfigName": "upd-1", "tags": {"a": "b"}})
    new = aws_provider.update("u", type_, old, {**old.inputs, "endpointConfigName": "upd-2"})
    found = client("sagemaker").describe_endpoint(EndpointName="upd")
    assert found["EndpointConfigName"] == "upd-2"
    assert new.outputs["tags"] == {"a": "b"}
    # A configuration that does not exist leaves the endpoint as it was.
    from mlops_iac.emulators.provider import ProviderError

    with pytest.raises(ProviderError, match="no endpoint configuration upd-3") as caught:
        aws_provider.update("u", type_, new, {**new.inputs, "endpointConfigName": "upd-3"})
    assert caught.value.partial.inputs["endpointConfigName"] == "upd-2"


def test_alarm(put, client):
    put(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "name": "boto-alarm",
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 3,
            "metricName": "ModelLatency",
            "namespace": "AWS/SageMaker",
            "period": 60,
            "extendedStatistic": "p99",
            "threshold": 300000,
            "treatMissingData": "notBreaching",
            "dimensions": {"EndpointName": "api"},
        },
    )
    alarms = client("cloudwatch").describe_alarms(AlarmNames=["boto-alarm"])["MetricAlarms"]
    holds(
        alarms,
        [
            {
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 3,
                "MetricName": "ModelLatency",
                "Namespace": "AWS/SageMaker",
                "Period": 60,
                "ExtendedStatistic": "p99",
                "Threshold": 300000.0,
                "TreatMissingData": "notBreaching",
                "Dimensions": [{"Name": "EndpointName", "Value": "api"}],
            }
        ],
    )


def test_rule_and_pipeline_target(put, client):
    events = client("events")
    pattern = '{"source": ["aws.sagemaker"]}'
    put("aws:cloudwatch/eventRule:EventRule", {"name": "boto-rule", "eventPattern": pattern})
    assert events.describe_rule(Name="boto-rule")["EventPattern"] == pattern
    put(
        "aws:cloudwatch/eventTarget:EventTarget",
        {
            "rule": "boto-rule",
            "targetId": "t",
            "arn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/p",
            "roleArn": ROLE,
            "sagemakerPipelineTarget": {"pipelineParameterLists": [{"name": "P", "value": "v"}]},
            "retryPolicy": {"maximumEventAgeInSeconds": 3600},
        },
    )
    holds(
        events.list_targets_by_rule(Rule="boto-rule")["Targets"],
        [
            {
                "Id": "t",
                "RoleArn": ROLE,
                "SageMakerPipelineParameters": {
                    "PipelineParameterList": [{"Name": "P", "Value": "v"}]
                },
                "RetryPolicy": {"MaximumEventAgeInSeconds": 3600},
            }
        ],
    )


def test_schedule_topic_queue_and_budget(put, client):
    put("aws:scheduler/scheduleGroup:ScheduleGroup", {"name": "boto-group"})
    state = put(
        "aws:scheduler/schedule:Schedule",
        {
            "name": "weekly",
            "groupName": "boto-group",
            "scheduleExpression": "cron(0 3 ? * MON *)",
            "scheduleExpressionTimezone": "Europe/Amsterdam",
            "flexibleTimeWindow": {"mode": "OFF"},
            "target": {
                "arn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/p",
                "roleArn": ROLE,
                "sagemakerPipelineParameters": {
                    "pipelineParameters": [{"name": "P", "value": "v"}]
                },
            },
        },
    )
    assert state.id == "boto-group/weekly"
    holds(
        client("scheduler").get_schedule(Name="weekly", GroupName="boto-group"),
        {
            "ScheduleExpression": "cron(0 3 ? * MON *)",
            "ScheduleExpressionTimezone": "Europe/Amsterdam",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "RoleArn": ROLE,
                "SageMakerPipelineParameters": {
                    "PipelineParameterList": [{"Name": "P", "Value": "v"}]
                },
            },
        },
    )
    topic = put("aws:sns/topic:Topic", {"name": "boto-topic", "displayName": "x"})
    assert topic.id == f"arn:aws:sns:eu-west-1:{ACCOUNT}:boto-topic"
    attributes = client("sns").get_topic_attributes(TopicArn=topic.id)["Attributes"]
    assert attributes["DisplayName"] == "x"
    queue = put("aws:sqs/queue:Queue", {"name": "boto-queue", "messageRetentionSeconds": 1209600})
    attributes = client("sqs").get_queue_attributes(
        QueueUrl=queue.id, AttributeNames=["MessageRetentionPeriod"]
    )["Attributes"]
    assert attributes == {"MessageRetentionPeriod": "1209600"}
    put(
        "aws:budgets/budget:Budget",
        {
            "name": "boto-budget",
            "budgetType": "COST",
            "timeUnit": "MONTHLY",
            "limitAmount": "300",
            "limitUnit": "USD",
            "notifications": [
                {
                    "comparisonOperator": "GREATER_THAN",
                    "notificationType": "ACTUAL",
                    "threshold": 80,
                    "thresholdType": "PERCENTAGE",
                    "subscriberEmailAddresses": ["oncall@acme.example"],
                }
            ],
        },
    )
    budgets = client("budgets")
    found = budgets.describe_budget(AccountId=ACCOUNT, BudgetName="boto-budget")["Budget"]
    assert found["BudgetLimit"] == {"Amount": "300", "Unit": "USD"}
    notices = budgets.describe_notifications_for_budget(AccountId=ACCOUNT, BudgetName="boto-budget")
    holds(notices["Notifications"], [{"Threshold": 80.0, "NotificationType": "ACTUAL"}])


def test_an_approved_version_keeps_its_metadata(client):
    sagemaker = client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="keeps")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="keeps",
        ModelApprovalStatus="PendingManualApproval",
        CustomerMetadataProperties={"examples": "s3://b/k", "old": "x"},
    )["ModelPackageArn"]

    def after(**change: object) -> dict[str, str]:
        sagemaker.update_model_package(ModelPackageArn=arn, **change)
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        return found["CustomerMetadataProperties"]

    assert after(ModelApprovalStatus="Approved") == {"examples": "s3://b/k", "old": "x"}
    changed = {"examples": "s3://b/l"}
    assert after(CustomerMetadataProperties=changed, ModelApprovalStatus="Approved") == {
        "examples": "s3://b/l",
        "old": "x",
    }
    assert (
        after(CustomerMetadataPropertiesToRemove=["old"], ModelApprovalStatus="Approved") == changed
    )
