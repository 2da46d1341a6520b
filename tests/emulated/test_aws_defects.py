"""What is wrong is refused, by name; what is in the way is told; what drifts is seen."""

from __future__ import annotations

import pytest

from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.errors import TimedOut
from mlops_iac.graph.standins import StandIns
from mlops_iac.values import UNKNOWN

ROLE = "arn:aws:iam::123456789012:role/x"
POLICY = (
    '{"Version": "2012-10-17", "Statement": '
    '[{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
)
VARIANT = {
    "variantName": "champion",
    "modelName": "m",
    "instanceType": "ml.m5.large",
    "initialInstanceCount": 1,
}
CONFIG = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
ALARM = {
    "name": "a",
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 1,
    "metricName": "m",
    "namespace": "n",
    "period": 60,
    "statistic": "Average",
    "threshold": 1,
}

CHECK = [
    ("a misspelt property", "aws:s3/bucket:Bucket", {"buket": "x"}, "did you mean 'bucket'?"),
    (
        "a misspelt nested property",
        CONFIG,
        {"productionVariants": [{**VARIANT, "instancType": "x"}]},
        "did you mean 'instanceType'?",
    ),
    ("a missing required property", "aws:iam/role:Role", {"name": "r"}, "required"),
    ("a wrong type", "aws:kms/key:Key", {"enableKeyRotation": "often"}, "true or false"),
    ("a list for text", "aws:sns/topic:Topic", {"displayName": ["x"]}, "text is expected"),
    ("text for a number", "aws:cloudwatch/metricAlarm:MetricAlarm",
     {**ALARM, "evaluationPeriods": "three"}, "a whole number"),
    ("a number for a tag", "aws:sns/topic:Topic", {"tags": {"a": 1}}, "text is expected"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "type_", "inputs", "said"), CHECK, ids=[c[0] for c in CHECK])
def test_check_refuses(case, type_, inputs, said, aws_provider):
    failures = aws_provider.check("urn:x::n", type_, None, inputs, b"").failures
    assert len(failures) == 1
    assert said in failures[0].reason


CREATE = [
    ("an enum", "aws:cloudwatch/metricAlarm:MetricAlarm",
     {**ALARM, "comparisonOperator": "Above"}, "is not one of"),
    ("an instance type that does not exist", CONFIG,
     {"name": "c", "productionVariants": [{**VARIANT, "instanceType": "ml.m5.huge"}]},
     "InstanceType"),
    ("a name too long", "aws:sagemaker/model:Model",
     {"name": "x" * 64, "executionRoleArn": ROLE}, "at most 63 characters"),
    ("a pattern", "aws:sagemaker/model:Model",
     {"name": "under_score", "executionRoleArn": ROLE}, "does not match"),
    ("a minimum", "aws:iam/role:Role",
     {"name": "r", "assumeRolePolicy": "{}", "maxSessionDuration": 1}, "at least 3600"),
    ("a nested enum", CONFIG,
     {"name": "c", "productionVariants": [VARIANT],
      "dataCaptureConfig": {"initialSamplingPercentage": 100, "destinationS3Uri": "s3://b/c",
                            "captureOptions": [{"captureMode": "Both"}]}}, "CaptureMode"),
    ("a property of the SDK that the API has not", "aws:s3/bucket:Bucket",
     {"bucket": "legacy", "versioning": {"enabled": True}}, "versioning: "),
    ("an attribute that does not exist", "aws:sqs/queue:Queue",
     {"name": "q", "nameColour": "x"}, "nameColour: sqs has no attribute"),
    ("a recorded type's enum is checked too", "aws:cloudwatch/compositeAlarm:CompositeAlarm",
     {"alarmName": "x" * 256, "alarmRule": "ALARM(x)"}, "at most 255"),
    ("two contents", "aws:s3/bucketObjectv2:BucketObjectv2",
     {"bucket": "b", "key": "k", "content": "a", "contentBase64": "YQ=="}, "only one of"),
    ("a function without code", "aws:lambda/function:Function",
     {"name": "f", "role": ROLE}, "needs code"),
    ("another region", "aws:s3/bucket:Bucket", {"bucket": "b", "region": "us-east-1"}, "region"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "type_", "inputs", "said"), CREATE, ids=[c[0] for c in CREATE])
def test_create_refuses(case, type_, inputs, said, aws_provider):
    with pytest.raises(ProviderError, match=said.replace("(", r"\(")):
        aws_provider.create("u", type_, inputs, "t")


def test_an_unknown_or_a_stand_in_never_reaches_the_emulator(aws_provider):
    with pytest.raises(ProviderError, match="unknown"):
        aws_provider.create("u", "aws:s3/bucket:Bucket", {"bucket": UNKNOWN}, "t")
    stand_in = StandIns().make("s3.Bucket/x", "bucket")
    with pytest.raises(ProviderError, match="stand-in"):
        aws_provider.create("u", "aws:s3/bucket:Bucket", {"bucket": stand_in}, "t")


def test_types_and_data_sources_that_are_not_known(aws_provider):
    assert not aws_provider.supports("aws:rds/instance:Instance")
    with pytest.raises(ProviderError, match="is not emulated"):
        aws_provider.create("u", "aws:rds/instance:Instance", {}, "t")
    with pytest.raises(ProviderError, match="json_dumps"):
        aws_provider.invoke("aws:iam/getPolicyDocument:getPolicyDocument", {})
    with pytest.raises(ProviderError, match="not known"):
        aws_provider.invoke("aws:ec2/getVpc:getVpc", {})


def test_without_an_emulator_and_with_one_that_does_not_answer():
    from mlops_iac.emulators.aws.provider import AwsProvider

    with pytest.raises(ProviderError, match="there is no emulated AWS"):
        AwsProvider().create("u", "aws:s3/bucket:Bucket", {"bucket": "some-bucket"}, "t")
    # Whether it was done is not known, so it is no failure that would be booked as one.
    with pytest.raises(TimedOut, match="does not answer"):
        AwsProvider("http://127.0.0.1:9").create(
            "u", "aws:s3/bucket:Bucket", {"bucket": "some-bucket"}, "t"
        )


def make(provider, type_, inputs):
    return provider.create("u", type_, inputs, "t")


def test_a_full_bucket_stays_unless_it_may_be_emptied(aws_provider, moto):
    from mlops_iac.emulators.aws import server

    type_ = "aws:s3/bucket:Bucket"
    state = make(aws_provider, type_, {"bucket": "full-bucket"})
    make(aws_provider, "aws:s3/bucketVersioning:BucketVersioning",
         {"bucket": "full-bucket", "versioningConfiguration": {"status": "Enabled"}})  # fmt: skip
    s3 = server.client("s3", moto)
    for _ in range(3):
        s3.put_object(Bucket="full-bucket", Key="k", Body=b"x")
    s3.delete_object(Bucket="full-bucket", Key="k")  # leaves a delete marker
    with pytest.raises(ProviderError, match="not empty"):
        aws_provider.delete(type_, state)
    inputs = {**state.inputs, "forceDestroy": True}
    state = aws_provider.update("u", type_, state, inputs)
    aws_provider.delete(type_, state)
    assert aws_provider.read(type_, "full-bucket", None) is None


def test_a_role_in_use_stays_unless_it_may_be_detached(aws_provider):
    role_type = "aws:iam/role:Role"
    role = make(aws_provider, role_type, {"name": "busy", "assumeRolePolicy": "{}"})
    inline = {"role": "busy", "name": "p", "policy": POLICY}
    policy = make(aws_provider, "aws:iam/rolePolicy:RolePolicy", inline)
    with pytest.raises(ProviderError, match="DeleteConflict"):
        aws_provider.delete(role_type, role)
    forced = ResourceState(role.id, {**role.inputs, "forceDetachPolicies": True}, role.outputs)
    aws_provider.delete(role_type, forced)
    assert aws_provider.read(role_type, "busy", role) is None
    assert aws_provider.read("aws:iam/rolePolicy:RolePolicy", policy.id, policy) is None
    aws_provider.delete("aws:iam/rolePolicy:RolePolicy", policy)


def test_drift_is_seen_by_property(aws_provider, moto):
    from mlops_iac.emulators.aws import server

    type_ = "aws:sns/topic:Topic"
    inputs = {"name": "drifting", "displayName": "mine", "tags": {"a": "b", "c": "d"}}
    state = make(aws_provider, type_, inputs)
    sns = server.client("sns", moto)
    sns.set_topic_attributes(
        TopicArn=state.id, AttributeName="DisplayName", AttributeValue="theirs"
    )
    sns.tag_resource(ResourceArn=state.id, Tags=[{"Key": "a", "Value": "x"}])
    sns.untag_resource(ResourceArn=state.id, TagKeys=["c"])
    now = aws_provider.read(type_, state.id, state)
    assert now.inputs["displayName"] == "theirs"
    assert now.inputs["tags"] == {"a": "x"}
    diff = aws_provider.diff(type_, state.id, now.inputs, now.outputs, inputs)
    assert set(diff.detailed) == {"displayName", "tags.a", "tags.c"}


def test_a_tag_added_by_hand_is_drift_too(aws_provider, moto):
    from mlops_iac.emulators.aws import server

    type_ = "aws:sns/topic:Topic"
    state = make(aws_provider, type_, {"name": "untagged"})
    tags = [{"Key": "by", "Value": "hand"}]
    server.client("sns", moto).tag_resource(ResourceArn=state.id, Tags=tags)
    now = aws_provider.read(type_, state.id, state)
    assert now.inputs["tags"] == {"by": "hand"}


def test_an_interrupted_key_is_found_by_its_operation_and_no_other(aws_provider):
    type_ = "aws:kms/key:Key"
    state = aws_provider.create("u", type_, {"description": "d"}, "operation-1")
    assert aws_provider.find(type_, {"description": "d"}, "operation-1").id == state.id
    assert aws_provider.find(type_, {"description": "d"}, "operation-2") is None


def test_what_was_made_before_a_later_step_failed_is_kept(aws_provider):
    with pytest.raises(ProviderError) as caught:
        make(aws_provider, "aws:kms/key:Key",
             {"enableKeyRotation": True, "rotationPeriodInDays": 1})  # fmt: skip
    partial = caught.value.partial
    assert partial is not None
    assert partial.outputs["enableKeyRotation"] is False
    aws_provider.delete("aws:kms/key:Key", partial)


def test_a_tls_only_policy_lets_objects_in_and_an_unconditional_denial_does_not(aws_provider):
    import json

    make(aws_provider, "aws:s3/bucket:Bucket", {"bucket": "guarded-bucket"})
    denial = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::guarded-bucket", "arn:aws:s3:::guarded-bucket/*"],
    }
    tls_only = {**denial, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    type_ = "aws:s3/bucketPolicy:BucketPolicy"

    def policy(statement):
        document = {"Version": "2012-10-17", "Statement": [statement]}
        return {"bucket": "guarded-bucket", "policy": json.dumps(document)}

    state = make(aws_provider, type_, policy(tls_only))
    inputs = {"bucket": "guarded-bucket", "key": "k", "content": "x"}
    make(aws_provider, "aws:s3/bucketObjectv2:BucketObjectv2", inputs)
    aws_provider.update("u", type_, state, policy(denial))
    with pytest.raises(ProviderError, match="403"):
        make(aws_provider, "aws:s3/bucketObjectv2:BucketObjectv2", inputs)


@pytest.mark.parametrize(
    ("type_", "inputs", "instead"),
    [
        (
            "aws:ec2/securityGroup:SecurityGroup",
            {
                "vpcId": "vpc-1",
                "ingress": [{"protocol": "tcp", "fromPort": 22, "toPort": 22}],
            },
            "SecurityGroupIngressRule",
        ),
        (
            "aws:ec2/routeTable:RouteTable",
            {"vpcId": "vpc-1", "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}]},
            "no way out",
        ),
        ("aws:ec2/flowLog:FlowLog", {"subnetId": "subnet-1"}, "whole networks"),
        (
            "aws:cloudtrail/trail:Trail",
            {"name": "trail", "s3BucketName": "b", "insightSelectors": [{"insightType": "x"}]},
            "advancedEventSelectors",
        ),
    ],
)
def test_what_would_be_lost_in_a_network_or_a_trail_is_refused(
    aws_provider, type_, inputs, instead
):
    with pytest.raises(ProviderError, match=f"is not emulated.*{instead}"):
        aws_provider.create("u", type_, inputs, "t")


def test_a_network_that_is_gone_has_no_default_security_group(aws_provider):
    type_ = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    with pytest.raises(ProviderError, match="has no default security group"):
        aws_provider.create("u", type_, {"vpcId": "vpc-00000000"}, "t")


def test_a_network_that_still_holds_something_stays(aws_provider):
    network = aws_provider.create(
        "u", "aws:ec2/vpc:Vpc", {"cidrBlock": "10.9.0.0/16"}, "defect-vpc"
    )
    inputs = {"vpcId": network.id, "cidrBlock": "10.9.0.0/20"}
    subnet = aws_provider.create("u", "aws:ec2/subnet:Subnet", inputs, "defect-subnet")
    with pytest.raises(ProviderError, match="has dependencies"):
        aws_provider.delete("aws:ec2/vpc:Vpc", network)
    aws_provider.delete("aws:ec2/subnet:Subnet", subnet)
    aws_provider.delete("aws:ec2/vpc:Vpc", network)
    assert aws_provider.read("aws:ec2/vpc:Vpc", network.id, network) is None
