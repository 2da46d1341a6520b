"""Names, differences, previews and stand-ins, without boto3 and without an emulator."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mlops_iac.emulators.aws.facts import FACTS
from mlops_iac.emulators.aws.provider import AwsProvider
from mlops_iac.emulators.aws.resources import handler_for, supported_types
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.graph.standins import StandIns
from mlops_iac.values import UNKNOWN, Asset, Secret, contains_unknown

BUCKET = "aws:s3/bucket:Bucket"
ROLE = "aws:iam/role:Role"
CONFIG = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
POLICY = "aws:iam/rolePolicy:RolePolicy"
VARIANT = {"variantName": "champion", "modelName": "m", "instanceType": "ml.m5.large"}


@pytest.fixture
def provider():
    return AwsProvider()


def urn(type_, name="a-name"):
    return f"urn:pulumi:local::p::{type_}::{name}"


@pytest.mark.parametrize("type_", supported_types())
def test_every_type_has_schema_and_facts_and_good_tables(type_):
    handler = handler_for(type_)
    schema = handler.schema
    assert FACTS.of(type_) is not None
    # What EC2 makes has an id that is no output of its own.
    known = {*schema.outputs, "id"}
    assert handler.computed.keys() <= known
    assert handler.defaults.keys() <= known
    assert handler.volatile <= known
    assert {path.split(".")[0] for path in handler.not_kept} <= schema.inputs.keys()
    assert handler.local <= schema.inputs.keys()
    if handler.name is not None:
        assert handler.name.property in schema.inputs
        assert not handler.name.prefix or handler.name.prefix in schema.inputs


def test_names_depend_on_the_seed_alone(provider):
    first = provider.check(urn(ROLE), ROLE, None, {"assumeRolePolicy": "{}"}, b"1").inputs
    again = provider.check(urn(ROLE), ROLE, None, {"assumeRolePolicy": "{}"}, b"1").inputs
    other = provider.check(urn(ROLE), ROLE, None, {"assumeRolePolicy": "{}"}, b"2").inputs
    assert first == again
    assert first["name"] != other["name"]
    assert first["name"].startswith("a-name-")
    assert len(first["name"]) == len("a-name-") + 7


@pytest.mark.parametrize(
    ("type_", "logical", "inputs", "property_", "limit", "starts"),
    [
        (BUCKET, "Data_Store.X", {}, "bucket", 63, "data-store.x-"),
        (ROLE, "r" * 100, {"assumeRolePolicy": "{}"}, "name", 64, "rrr"),
        (CONFIG, "x", {"namePrefix": "api-", "productionVariants": [VARIANT]}, "name", 63, "api-"),
        ("aws:sns/topic:Topic", "t", {"fifoTopic": True}, "name", 256, "t-"),
        ("aws:kms/alias:Alias", "data", {"targetKeyId": "k"}, "name", 256, "alias/data-"),
    ],
)
def test_names_obey_the_types_rules(provider, type_, logical, inputs, property_, limit, starts):
    checked = provider.check(urn(type_, logical), type_, None, inputs, b"1")
    assert list(checked.failures) == []
    name = checked.inputs[property_]
    assert name.startswith(starts)
    assert len(name) <= limit
    if inputs.get("fifoTopic"):
        assert name.endswith(".fifo")


def test_a_proposed_name_is_taken_as_it_is_and_refused_where_it_is_too_long(provider):
    """As pulumi-terraform-bridge does it (`ComputeAutoNameDefault`): nothing is cut."""
    news = {"assumeRolePolicy": "{}"}
    assert provider.check(urn(ROLE), ROLE, None, news, b"1", "p-s-x").inputs["name"] == "p-s-x"
    (refused,) = provider.check(urn(ROLE), ROLE, None, news, b"1", "x" * 65).failures
    assert "exceeds maximum length of 64" in refused.reason
    # What exists keeps its name: a stack from before there was a pattern is not made anew.
    olds = provider.check(urn(ROLE), ROLE, None, news, b"1").inputs
    kept = provider.check(urn(ROLE), ROLE, olds, news, b"1", "p-s-x").inputs
    assert kept["name"] == olds["name"]
    prefixed = {"namePrefix": "api-", "productionVariants": [VARIANT]}
    made = provider.check(urn(CONFIG), CONFIG, None, prefixed, b"1", "p-s-x").inputs
    assert made["name"].startswith("api-")


def test_a_name_stays_while_it_is_automatic_and_a_given_one_is_not_kept(provider):
    news = {"assumeRolePolicy": "{}"}
    olds = provider.check(urn(ROLE), ROLE, None, news, b"1").inputs
    assert provider.check(urn(ROLE), ROLE, olds, news, b"2").inputs["name"] == olds["name"]
    fixed = {**news, "name": "mine"}
    assert provider.check(urn(ROLE), ROLE, olds, fixed, b"2").inputs["name"] == "mine"
    back = provider.check(urn(ROLE), ROLE, fixed, news, b"2").inputs
    assert back["name"] != "mine"


def differences(provider, type_, old, new, ignore=()):
    return provider.diff(type_, "id", old, {}, new, ignore)


SAME = [
    ("a number and its text", "aws:cloudwatch/metricAlarm:MetricAlarm",
     {"threshold": 1}, {"threshold": 1.0}),
    ("absent and null", BUCKET, {"bucket": "b"}, {"bucket": "b", "forceDestroy": None}),
    ("absent and empty", BUCKET, {"bucket": "b"}, {"bucket": "b", "tags": {}}),
    ("absent and the default", "aws:cloudwatch/metricAlarm:MetricAlarm",
     {}, {"treatMissingData": "missing", "actionsEnabled": True}),
    ("a set in another order", "aws:cloudwatch/metricAlarm:MetricAlarm",
     {"alarmActions": ["a", "b"]}, {"alarmActions": ["b", "a"]}),
    ("JSON written differently", POLICY,
     {"policy": '{"Statement": [{"Action": ["a"], "Effect": "Allow"}]}'},
     {"policy": '{ "Statement":[{"Effect":"Allow","Action":"a"}] }'}),
    ("actions in another order", POLICY,
     {"policy": '{"Statement": [{"Action": ["a", "b"]}]}'},
     {"policy": '{"Statement": [{"Action": ["b", "a"]}]}'}),
    ("a secret and its text", ROLE, {"description": Secret("x")}, {"description": "x"}),
    ("an asset with the same content", "aws:s3/bucketObjectv2:BucketObjectv2",
     {"source": Asset("1", path="a")}, {"source": Asset("1", path="b")}),
    ("what the provider computes", BUCKET, {"bucket": "b", "acl": "private"}, {"bucket": "b"}),
]  # fmt: skip


@pytest.mark.parametrize(("case", "type_", "old", "new"), SAME, ids=[c[0] for c in SAME])
def test_the_same_by_meaning(provider, case, type_, old, new):
    assert dict(differences(provider, type_, old, new).detailed) == {}


DIFFER = [
    ("an action in a policy", POLICY,
     {"policy": '{"Statement": [{"Action": "s3:GetObject"}]}'},
     {"policy": '{"Statement": [{"Action": "*"}]}'}, "policy", "update", False),
    ("the order of a list", CONFIG,
     {"productionVariants": [VARIANT, {**VARIANT, "variantName": "b"}]},
     {"productionVariants": [{**VARIANT, "variantName": "b"}, VARIANT]},
     "productionVariants[0].variantName", "update", True),
    ("a nested value that replaces", CONFIG, {"productionVariants": [VARIANT]},
     {"productionVariants": [{**VARIANT, "instanceType": "ml.m5.xlarge"}]},
     "productionVariants[0].instanceType", "update", True),
    ("a tag", BUCKET, {"tags": {"a": "b"}}, {"tags": {"a": "c"}}, "tags.a", "update", False),
    ("a tag that is gone", BUCKET, {"tags": {"a": "b"}}, {"tags": {}}, "tags", "delete", False),
    ("a default that is true, set to false", "aws:cloudwatch/metricAlarm:MetricAlarm",
     {}, {"actionsEnabled": False}, "actionsEnabled", "update", False),
    ("an entry of a set", "aws:cloudwatch/metricAlarm:MetricAlarm",
     {"alarmActions": ["a"]}, {"alarmActions": ["a", "b"]}, "alarmActions[1]", "add", False),
    ("an unknown over what replaces", CONFIG, {"productionVariants": [VARIANT]},
     {"productionVariants": UNKNOWN}, "productionVariants", "update", True),
    ("an asset with other content", "aws:s3/bucketObjectv2:BucketObjectv2",
     {"source": Asset("1", path="a")}, {"source": Asset("2", path="a")}, "source", "update", False),
    ("rollback alarms that appear", "aws:sagemaker/endpoint:Endpoint",
     {"deploymentConfig": {"blueGreenUpdatePolicy": {}}},
     {"deploymentConfig": {"autoRollbackConfiguration": {"alarms": [{"alarmName": "x"}]}}},
     "deploymentConfig.autoRollbackConfiguration", "add", True),
    ("a whole deployment configuration, with the alarms in it", "aws:sagemaker/endpoint:Endpoint",
     {}, {"deploymentConfig": {"autoRollbackConfiguration": {"alarms": [{"alarmName": "x"}]}}},
     "deploymentConfig.autoRollbackConfiguration", "add", True),
    ("a whole deployment configuration that goes", "aws:sagemaker/endpoint:Endpoint",
     {"deploymentConfig": {"autoRollbackConfiguration": {"alarms": [{"alarmName": "x"}]}}}, {},
     "deploymentConfig.autoRollbackConfiguration", "delete", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "type_", "old", "new", "path", "kind", "replaces"), DIFFER, ids=[c[0] for c in DIFFER]
)
def test_what_differs_and_what_it_forces(provider, case, type_, old, new, path, kind, replaces):
    detailed = differences(provider, type_, old, new).detailed
    assert path in detailed
    assert detailed[path].kind == kind
    assert detailed[path].replaces is replaces
    if replaces:
        assert detailed[path].source.startswith("hashicorp/aws ")


def test_ignored_paths_are_ignored_and_their_neighbours_are_not(provider):
    old = {"productionVariants": [{**VARIANT, "initialInstanceCount": 1}]}
    new = {"productionVariants": [{**VARIANT, "initialInstanceCount": 2, "modelName": "n"}]}
    ignore = ["productionVariants[*].initialInstanceCount"]
    assert set(differences(provider, CONFIG, old, new, ignore).detailed) == {
        "productionVariants[0].modelName"
    }
    assert differences(provider, CONFIG, old, new, ["productionVariants"]).changes is False
    assert differences(provider, CONFIG, old, new, ["production"]).changes is True


def test_a_property_without_a_fact_may_replace(provider):
    result = differences(provider, BUCKET, {"region": "eu-west-1"}, {"region": "us-east-1"})
    assert result.detailed["region"].replaces is None
    assert result.replace_keys == []


def test_a_fixed_name_is_deleted_first_and_an_automatic_one_is_not(provider):
    old = {"name": "fixed", "productionVariants": [VARIANT]}
    new = {"name": "fixed", "productionVariants": [{**VARIANT, "instanceType": "ml.m5.xlarge"}]}
    assert differences(provider, CONFIG, old, new).delete_before_replace is True
    automatic = {"__defaults": ["name"]}
    result = differences(provider, CONFIG, {**old, **automatic}, {**new, **automatic})
    assert result.delete_before_replace is False
    result = differences(provider, CONFIG, old, {**new, "name": "other"})
    assert result.delete_before_replace is False


def test_a_preview_of_something_new_knows_what_was_given_and_nothing_else(provider):
    outputs = provider.preview_outputs(BUCKET, {"bucket": "b", "tags": {"a": "b"}}, None, None)
    assert outputs["bucket"] == "b"
    assert outputs["tagsAll"] == {"a": "b"}
    assert outputs["forceDestroy"] is False
    assert contains_unknown(outputs["arn"])
    assert "versioning" not in outputs


def test_a_preview_of_an_update_keeps_what_cannot_move(provider):
    old = ResourceState("b", {"bucket": "b", "tags": {"a": "b"}},
                        {"bucket": "b", "arn": "arn:aws:s3:::b", "tags": {"a": "b"},
                         "tagsAll": {"a": "b"}})  # fmt: skip
    new = {"bucket": "b", "tags": {"a": "c"}}
    diff = provider.diff(BUCKET, "b", old.inputs, old.outputs, new)
    outputs = provider.preview_outputs(BUCKET, new, old, diff)
    assert outputs["arn"] == "arn:aws:s3:::b"
    assert outputs["tagsAll"] == {"a": "c"}
    object_type = "aws:s3/bucketObjectv2:BucketObjectv2"
    old = ResourceState("k", {"bucket": "b", "key": "k", "sourceHash": "1"},
                        {"bucket": "b", "key": "k", "versionId": "v1", "arn": "x"})  # fmt: skip
    new = {**old.inputs, "sourceHash": "2"}
    diff = provider.diff(object_type, "k", old.inputs, old.outputs, new)
    outputs = provider.preview_outputs(object_type, new, old, diff)
    assert contains_unknown(outputs["versionId"])
    assert outputs["arn"] == "x"


def test_stand_ins_have_the_real_shape():
    provider = AwsProvider(region="eu-central-1", account="210987654321")
    stand_ins = StandIns()

    def make(property_, shape):
        return stand_ins.make("sagemaker.Model/m", property_, shape)

    id_, outputs = provider.stand_ins("aws:sagemaker/model:Model", "m", {}, make)
    assert outputs["arn"].startswith("arn:aws:sagemaker:eu-central-1:210987654321:model/standin-")
    assert id_ == outputs["name"]
    assert stand_ins.render(outputs["arn"]) == "${sagemaker.Model/m.arn}"
    id_, outputs = provider.stand_ins("aws:sagemaker/model:Model", "m", {"name": "fixed"}, make)
    assert (id_, outputs["name"]) == ("fixed", "fixed")
    assert outputs["arn"] == "arn:aws:sagemaker:eu-central-1:210987654321:model/fixed"
    id_, outputs = provider.stand_ins("aws:kms/key:Key", "k", {}, make)
    assert outputs["arn"].startswith("arn:aws:kms:eu-central-1:210987654321:key/standin-")
    assert id_ == outputs["keyId"]
    id_, outputs = provider.stand_ins("aws:sns/topic:Topic", "t", {}, make)
    assert id_ == outputs["arn"]
    id_, _ = provider.stand_ins(POLICY, "p", {"role": "r", "name": "n"}, make)
    assert id_ == "r:n"


@pytest.mark.parametrize("type_", supported_types())
def test_every_type_has_stand_ins(type_, provider):
    required = {
        name: "x"
        for name, spec in handler_for(type_).schema.inputs.items()
        if spec.get("required") and spec["type"] == "string"
    }
    stand_ins = StandIns()
    id_, outputs = provider.stand_ins(
        type_, "n", required, lambda p, s: stand_ins.make("x.X/n", p, s)
    )
    assert id_
    assert not contains_unknown(outputs)
    for value in outputs.values():
        assert "{}" not in str(value) or value == {}


def test_every_stack_but_local_is_refused(provider):
    provider.configure("local", {})
    provider.configure("urn:pulumi:local::p::pulumi:providers:aws::default", {"region": "x"})
    for stack in ("prod", "urn:pulumi:prod::local::pulumi:providers:aws::local", ""):
        with pytest.raises(ProviderError, match="stack 'local' alone"):
            provider.configure(stack, {})
    with pytest.raises(ProviderError, match="defaultTags"):
        provider.configure("local", {"defaultTags": '{"tags": {}}'})


def test_offline_invokes():
    provider = AwsProvider(region="cn-north-1", account="210987654321")
    caller = provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    assert caller["accountId"] == "210987654321"
    assert provider.invoke("aws:index/getRegion:getRegion", {})["region"] == "cn-north-1"
    partition = provider.invoke("aws:index/getPartition:getPartition", {})
    assert partition["dnsSuffix"] == "amazonaws.com.cn"
    zones = provider.invoke(
        "aws:index/getAvailabilityZones:getAvailabilityZones", {"state": "available"}
    )
    assert zones["names"] == ["cn-north-1a", "cn-north-1b", "cn-north-1c"]
    assert zones["zoneIds"][0] == "cnn1-az1"
    with pytest.raises(ProviderError, match="takes no 'allAvailabilityZones'"):
        provider.invoke(
            "aws:index/getAvailabilityZones:getAvailabilityZones", {"allAvailabilityZones": True}
        )
    with pytest.raises(ProviderError, match="takes no"):
        provider.invoke("aws:index/getPartition:getPartition", {"x": 1})


def test_a_preview_imports_neither_boto3_nor_moto():
    code = """
import sys
from mlops_iac.emulators.aws.provider import AwsProvider
p = AwsProvider()
p.configure("local", {})
t = "aws:s3/bucket:Bucket"
c = p.check("urn::x", t, None, {}, b"1")
p.diff(t, "i", c.inputs, {}, {**c.inputs, "tags": {"a": "b"}})
p.preview_outputs(t, c.inputs, None, None)
p.stand_ins(t, "n", {}, lambda a, s: s)
p.invoke("aws:index/getRegion:getRegion", {})
heavy = {"boto3", "botocore", "moto", "pulumi", "pulumi_aws", "grpc"} & set(sys.modules)
raise SystemExit(str(heavy) if heavy else 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
