"""The general mapper and the validator, on botocore's own models."""

from __future__ import annotations

import pytest

from mlops_iac.emulators.aws.api import ApiRefused
from mlops_iac.emulators.aws.clients import service_model
from mlops_iac.emulators.aws.translation import as_map, asset_bytes, from_api, to_api
from mlops_iac.emulators.aws.validation import problems
from mlops_iac.emulators.provider import ProviderError
from mlops_iac.values import Asset, Secret


def operation(service, name):
    return service_model(service).operation_model(name)


def shape(service, name):
    return service_model(service).shape_for(name)


@pytest.mark.parametrize(
    ("sentence", "service", "name", "properties", "expected"),
    [
        ("acronyms in any case", "s3", "ServerSideEncryptionByDefault",
         {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "k"},
         {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}),
        ("a plural for a singular", "s3", "OwnershipControls",
         {"rule": {"objectOwnership": "x"}}, {"Rules": [{"ObjectOwnership": "x"}]}),
        ("a map as a tag list", "sagemaker", "CreateModelInput",
         {"tags": {"a": "b"}}, {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("a map as KMS writes tags", "kms", "CreateKeyRequest",
         {"tags": {"a": "b"}}, {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ("a map as dimensions", "cloudwatch", "PutMetricAlarmInput",
         {"dimensions": {"a": "b"}}, {"Dimensions": [{"Name": "a", "Value": "b"}]}),
        ("a map stays a map", "sagemaker", "ContainerDefinition",
         {"environment": {"a": "b"}}, {"Environment": {"a": "b"}}),
        ("a list of one as an object", "sagemaker", "CreateModelInput",
         {"primaryContainer": [{"image": "i"}]}, {"PrimaryContainer": {"Image": "i"}}),
        ("a number as text", "s3", "LifecycleRule", {"prefix": 1}, {"Prefix": "1"}),
        ("text as a number", "iam", "CreateRoleRequest",
         {"maxSessionDuration": "3600"}, {"MaxSessionDuration": 3600}),
        ("a secret is revealed", "iam", "CreateRoleRequest",
         {"description": Secret("x")}, {"Description": "x"}),
        ("null is left out", "iam", "CreateRoleRequest", {"description": None}, {}),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_properties_find_their_members(sentence, service, name, properties, expected):
    assert to_api(shape(service, name), properties) == expected


def test_renames_go_by_path():
    found = to_api(
        shape("sagemaker", "CreateModelInput"),
        {"name": "m", "executionRoleArn": "r"},
        {"name": "ModelName"},
    )
    assert found == {"ModelName": "m", "ExecutionRoleArn": "r"}


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"executionRollArn": "r"}, "executionRollArn"),
        ({"primaryContainer": {"imagee": "x"}}, "primaryContainer.imagee"),
        ({"primaryContainer": "x"}, "takes an object"),
        ({"enableNetworkIsolation": "perhaps"}, "is not a boolean"),
    ],
)
def test_nothing_is_dropped(properties, said):
    with pytest.raises(ProviderError, match=said):
        to_api(shape("sagemaker", "CreateModelInput"), properties)


def test_answers_become_properties():
    fields = {
        "kmsKeyArn": {"type": "string"},
        "productionVariants": {
            "type": "list",
            "items": {
                "type": "object",
                "fields": {
                    "variantName": {"type": "string"},
                    "initialVariantWeight": {"type": "number"},
                },
            },
        },
    }
    data = {
        "KmsKeyId": "k",
        "ProductionVariants": [{"VariantName": "v", "InitialVariantWeight": 1.0, "Other": 1}],
    }
    found = from_api(
        shape("sagemaker", "DescribeEndpointConfigOutput"), data, fields, {"kmsKeyArn": "KmsKeyId"}
    )
    assert found == {
        "kmsKeyArn": "k",
        "productionVariants": [{"variantName": "v", "initialVariantWeight": 1}],
    }


def test_maps_from_any_style():
    assert as_map([{"Key": "a", "Value": "b"}]) == {"a": "b"}
    assert as_map([{"TagKey": "a", "TagValue": "b"}]) == {"a": "b"}
    assert as_map({"a": "b"}) == {"a": "b"}


def test_an_asset_that_is_gone():
    with pytest.raises(ProviderError, match="cannot read"):
        asset_bytes(Asset("", path="no/such/file"))


MODEL = {"ModelName": "m", "ExecutionRoleArn": "arn:aws:iam::123456789012:role/role"}


def test_a_good_request_has_no_problem():
    assert problems(operation("sagemaker", "CreateModel"), MODEL) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Colour": "x"}, "Colour: CreateModelInput has no such member"),
        ({"ModelName": None}, "ModelName: required"),
        ({"ModelName": 1}, "ModelName: text is expected"),
        ({"ModelName": "a_b"}, "does not match"),
        ({"ModelName": "x" * 64}, "at most 63 characters"),
        ({"EnableNetworkIsolation": "x"}, "true or false is expected"),
        ({"PrimaryContainer": {"Mode": "Many"}}, "PrimaryContainer.Mode: 'Many' is not one of"),
        ({"Containers": [{"Image": "x"}] * 16}, "Containers: at most 15 entries"),
        ({"Containers": {"Image": "x"}}, "a list is expected"),
        ({"PrimaryContainer": {"Environment": {"1 bad": "x"}}}, "as a key"),
        ({"PrimaryContainer": []}, "an object"),
    ],
)
def test_a_seeded_defect_is_a_problem(change, said):
    found = problems(operation("sagemaker", "CreateModel"), {**MODEL, **change})
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("service", "name", "parameters"),
    [
        ("iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": '{"a": "é"}'}),
        ("sns", "CreateTopic", {"Name": "t", "Tags": [{"Key": "cost-centre", "Value": "4711"}]}),
        ("sagemaker", "AddTags", {
            "ResourceArn": "arn:aws:sagemaker:eu-west-1:123456789012:model/m",
            "Tags": [{"Key": "owner", "Value": "analytics@acme.example"}]}),
        ("sagemaker", "CreatePipeline", {
            "PipelineName": "p", "RoleArn": MODEL["ExecutionRoleArn"],
            "PipelineDefinition": '{"Version": "2020-12-01",\n "Steps": []}'}),
    ],
)  # fmt: skip
def test_java_patterns_refuse_nothing_that_is_right(service, name, parameters):
    assert problems(operation(service, name), parameters) == []


@pytest.mark.parametrize(
    ("code", "text", "absent"),
    [
        ("NoSuchEntity", "", True),
        ("404", "Not Found", True),
        ("ValidationException", "Could not find model", True),
        ("ResourceNotFoundException", "", True),
        ("AccessDenied", "no", False),
        ("ValidationException", "bad name", False),
    ],
)
def test_which_answers_mean_that_there_is_nothing(code, text, absent):
    assert ApiRefused("m", code, text, 400).absent is absent
