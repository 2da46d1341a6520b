"""A captured graph as a CloudFormation template, so that cfn-lint judges what a stack contains.

Names follow CloudFormation's own schemas (those that cfn-lint ships); the tables hold exceptions
alone. A property that fits nothing is an error: what is not translated is not checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mlops_iac.graph.model import Resource, ResourceGraph

TYPES_FILE = Path(__file__).parents[2] / "tools/aws_facts/types.txt"

# Left out on purpose, with the reason.
NOT_IN_CLOUDFORMATION = {
    "aws:s3/bucketObjectv2:BucketObjectv2": "CloudFormation has no objects, only buckets",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "CloudFormation cannot take one over",
}

# Pulumi path → CloudFormation path below the type. None: nothing there, for the reason beside it.
_ANY = {
    "namePrefix": None,  # CloudFormation makes names itself
    "bucketPrefix": None,  # likewise
    "forceDestroy": None,  # of the provider, not of AWS
    "forceDetachPolicies": None,  # likewise
    "skipDestroy": None,  # likewise
    "sourceCodeHash": None,  # the provider's change detection
    "statementId": None,  # CloudFormation makes it
}
_RENAMES: dict[str, dict[str, str | None]] = {
    "AWS::S3::Bucket": {"bucket": "BucketName", "objectLockEnabled": "ObjectLockEnabled"},
    "AWS::S3::BucketPolicy": {"policy": "PolicyDocument"},
    "AWS::KMS::Key": {
        "policy": "KeyPolicy",
        "deletionWindowInDays": "PendingWindowInDays",
        "isEnabled": "Enabled",
        "customerMasterKeySpec": "KeySpec",
    },
    "AWS::KMS::Alias": {"name": "AliasName"},
    "AWS::IAM::Role": {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"},
    "AWS::IAM::Policy": {"name": "PolicyName", "role": "Roles", "policy": "PolicyDocument"},
    # A managed policy takes no tags in CloudFormation.
    "AWS::IAM::ManagedPolicy": {
        "name": "ManagedPolicyName",
        "policy": "PolicyDocument",
        "tags": None,
    },
    "AWS::SageMaker::Pipeline": {
        "pipelineDefinition": "PipelineDefinition/PipelineDefinitionBody",
        "pipelineDefinitionS3Location": "PipelineDefinition/PipelineDefinitionS3Location",
        "pipelineDefinitionS3Location.objectKey": "Key",
        "pipelineDefinitionS3Location.versionId": "Version",
    },
    "AWS::SageMaker::Model": {"name": "ModelName"},
    "AWS::SageMaker::EndpointConfig": {"name": "EndpointConfigName", "kmsKeyArn": "KmsKeyId"},
    "AWS::SageMaker::Endpoint": {"name": "EndpointName"},
    # ScalableTarget takes no tags in CloudFormation.
    "AWS::ApplicationAutoScaling::ScalableTarget": {"tags": None},
    "AWS::ApplicationAutoScaling::ScalingPolicy": {"name": "PolicyName"},
    "AWS::CloudWatch::Alarm": {"name": "AlarmName"},
    "AWS::Logs::LogGroup": {"name": "LogGroupName"},
    # Databases take no tags in CloudFormation.
    "AWS::Glue::Database": {
        "name": "DatabaseInput/Name",
        "description": "DatabaseInput/Description",
        "tags": None,
    },
    "AWS::Glue::Table": {
        "name": "TableInput/Name",
        "parameters": "TableInput/Parameters",
        "partitionKeys": "TableInput/PartitionKeys",
        "storageDescriptor": "TableInput/StorageDescriptor",
        "tableType": "TableInput/TableType",
    },
    "AWS::SNS::Topic": {"name": "TopicName"},
    "AWS::SNS::TopicPolicy": {"arn": "Topics", "policy": "PolicyDocument"},
    "AWS::SNS::Subscription": {"topic": "TopicArn"},
    "AWS::SQS::Queue": {
        "name": "QueueName",
        "messageRetentionSeconds": "MessageRetentionPeriod",
        "visibilityTimeoutSeconds": "VisibilityTimeout",
        "maxMessageSize": "MaximumMessageSize",
        "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
        "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    },
    "AWS::SQS::QueuePolicy": {"queueUrl": "Queues", "policy": "PolicyDocument"},
    "AWS::Lambda::Function": {
        "name": "FunctionName",
        "s3Bucket": "Code/S3Bucket",
        "s3Key": "Code/S3Key",
        "s3ObjectVersion": "Code/S3ObjectVersion",
        "imageUri": "Code/ImageUri",
    },
    "AWS::Lambda::Permission": {"function": "FunctionName"},
    "AWS::EC2::SecurityGroup": {"name": "GroupName", "description": "GroupDescription"},
    # Rules take no tags in CloudFormation.
    "AWS::EC2::SecurityGroupIngress": {
        "securityGroupId": "GroupId",
        "cidrIpv4": "CidrIp",
        "referencedSecurityGroupId": "SourceSecurityGroupId",
        "prefixListId": "SourcePrefixListId",
        "tags": None,
    },
    "AWS::EC2::SecurityGroupEgress": {
        "securityGroupId": "GroupId",
        "cidrIpv4": "CidrIp",
        "referencedSecurityGroupId": "DestinationSecurityGroupId",
        "prefixListId": "DestinationPrefixListId",
        "tags": None,
    },
    "AWS::Events::Rule": {"target.inputTransformer.inputPaths": "InputPathsMap"},
    "AWS::CloudTrail::Trail": {"name": "TrailName", "enableLogging": "IsLogging"},
    "AWS::EC2::VPCEndpoint": {"policy": "PolicyDocument"},
    "AWS::EC2::FlowLog": {"vpcId": "ResourceId", "iamRoleArn": "DeliverLogsPermissionArn"},
}


class Untranslated(Exception):
    """A resource type or property that has no place in the template."""


def to_cloudformation(graph: ResourceGraph) -> dict[str, Any]:
    """The template of a graph whose values are concrete. Raises Untranslated with everything."""
    template: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}}
    problems: list[str] = []
    parts: list[Resource] = []
    for resource in graph:
        if not resource.custom or resource.type.startswith("pulumi:"):
            continue
        if resource.type in NOT_IN_CLOUDFORMATION:
            continue
        if resource.type in PARTS:
            parts.append(resource)
            continue
        cfn_type = cfn_types().get(resource.type)
        if cfn_type is None:
            problems.append(f"{resource.type} has no CloudFormation type")
            continue
        properties = _properties(cfn_type, resource, problems)
        template["Resources"][logical_id(resource)] = {"Type": cfn_type, "Properties": properties}
    for resource in parts:
        try:
            PARTS[resource.type](resource, _Parents(graph, template))
        except (KeyError, Untranslated) as error:
            problems.append(f"{resource.name} ({resource.type}): {error}")
    if problems:
        raise Untranslated("\n".join(problems))
    return template


@cache
def cfn_types() -> dict[str, str]:
    """Pulumi token → CloudFormation type, for those that are types there."""
    rows = (line.split() for line in TYPES_FILE.read_text("utf-8").splitlines())
    types = {r[0]: r[2] for r in rows if r and r[0].startswith("aws:") and r[2] != "-"}
    # The same inline policy in the older type's words, because checkov knows those alone.
    return types | {"aws:iam/rolePolicy:RolePolicy": "AWS::IAM::Policy"}


@cache
def schema_of(cfn_type: str) -> Mapping[str, Any]:
    """CloudFormation's schema of the type, as cfn-lint ships it."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    return PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", cfn_type).schema


def logical_id(resource: Resource) -> str:
    """Alphanumeric, as CloudFormation wants it."""
    return re.sub(r"[^A-Za-z0-9]", "", f"{resource.type.split(':')[2]}X{resource.name.title()}")


def _properties(cfn_type: str, resource: Resource, problems: list[str]) -> dict[str, Any]:
    inputs = dict(resource.inputs)
    if cfn_type == "AWS::Budgets::Budget":
        return budget(inputs)
    if cfn_type == "AWS::Lambda::Function" and "code" in inputs:
        inputs |= {"s3Bucket": "uploaded-by-the-provider", "s3Key": inputs.pop("code").hash}
    if cfn_type in ("AWS::IAM::Policy", "AWS::ApplicationAutoScaling::ScalingPolicy"):
        inputs.setdefault("name", resource.name)
    if cfn_type.startswith("AWS::Glue::"):
        inputs.setdefault("catalogId", "123456789012")  # the account's own, which it must name
    if cfn_type == "AWS::CloudTrail::Trail":
        inputs.setdefault("enableLogging", True)
    if cfn_type == "AWS::EC2::FlowLog":
        inputs["resourceType"] = "VPC"
    if cfn_type == "AWS::S3::Bucket":
        inputs.setdefault("bucket", _bucket_name(resource))
    schema = schema_of(cfn_type)
    result = _object(cfn_type, schema, schema, inputs, "", problems)
    for single in ("Topics", "Queues", "Roles"):
        if isinstance(result.get(single), str):
            result[single] = [result[single]]
    return result


def _bucket_name(resource: Resource) -> str:
    from .concrete import physical_name  # kept here: the same name that references have

    return physical_name(ResourceGraph("", "", (resource,)), resource)


def _object(
    cfn_type: str,
    schema: Mapping[str, Any],
    node: Mapping[str, Any],
    value: Mapping[str, Any],
    path: str,
    problems: list[str],
) -> dict[str, Any]:
    node = _resolve(schema, node)
    known = node.get("properties", {})
    by_folded = {name.lower(): name for name in known}
    renames = {**(_ANY if not path else {}), **_RENAMES.get(cfn_type, {})}
    result: dict[str, Any] = {}
    for key, item in value.items():
        if item is None:
            continue
        here = f"{path}.{key}".lstrip(".")
        if here in renames and renames[here] is None:
            continue
        target = renames.get(here) or _candidate(key, by_folded)
        if target is None:
            problems.append(f"{cfn_type}: no place for {here}")
            continue
        *outer, last = target.split("/")
        place, inside = result, node
        for name in outer:
            place = place.setdefault(name, {})
            inside = _resolve(schema, inside["properties"][name])
        child = inside.get("properties", {}).get(last, {})
        place[last] = _value(cfn_type, schema, child, item, here, problems)
    return result


def _candidate(key: str, by_folded: Mapping[str, str]) -> str | None:
    folded = key.lower()
    for name in (folded, folded.removesuffix("s"), folded + "s", folded + "es"):
        if name in by_folded:
            return by_folded[name]
    return None


def _value(
    cfn_type: str,
    schema: Mapping[str, Any],
    node: Mapping[str, Any],
    value: Any,
    path: str,
    problems: list[str],
) -> Any:
    node = _resolve(schema, node)
    kinds = node.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, Mapping):
        if "array" in kinds or "items" in node:
            item = _resolve(schema, node["items"])
            names = item.get("properties", {})
            pair = ("Key", "Value") if "Key" in names else ("Name", "Value")
            if set(pair) <= set(names) and all(isinstance(v, str) for v in value.values()):
                return [{pair[0]: k, pair[1]: v} for k, v in value.items()]
            return [_object(cfn_type, schema, item, value, path, problems)]
        if "properties" in node:
            return _object(cfn_type, schema, node, value, path, problems)
        return dict(value)
    if isinstance(value, list):
        if "items" not in node and len(value) == 1:
            return _value(cfn_type, schema, node, value[0], path, problems)
        inner = node.get("items", {})
        return [_value(cfn_type, schema, inner, item, path, problems) for item in value]
    if isinstance(value, str) and "object" in kinds and value.lstrip().startswith("{"):
        return json.loads(value)
    return value


def _resolve(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        target: Any = schema
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


class _Parents:
    """Finds the resource of the template that a part belongs to."""

    def __init__(self, graph: ResourceGraph, template: Mapping[str, Any]) -> None:
        self._graph, self._resources = graph, template["Resources"]

    def of(self, type_: str, name: str) -> dict[str, Any]:
        """Properties of the resource of that type with that physical name."""
        from .concrete import physical_name

        for resource in self._graph.of_type(type_):
            if physical_name(self._graph, resource) == name:
                properties: dict[str, Any] = self._resources[logical_id(resource)]["Properties"]
                return properties
        raise Untranslated(f"no {type_} is called {name}")

    def bucket(self, part: Resource) -> dict[str, Any]:
        """Properties of the bucket that the part names."""
        return self.of("aws:s3/bucket:Bucket", part.inputs["bucket"])


def _take(value: Mapping[str, Any], table: Mapping[str, str]) -> dict[str, Any]:
    """Values under other names; what the table lacks is an error."""
    unknown = value.keys() - table.keys()
    if unknown:
        raise Untranslated(f"no place for {', '.join(sorted(unknown))}")
    return {table[key]: item for key, item in value.items() if item is not None}


def _without(value: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key not in keys}


def _versioning(part: Resource, parents: _Parents) -> None:
    (key,) = _without(part.inputs, "bucket")
    parents.bucket(part)["VersioningConfiguration"] = _take(part.inputs[key], {"status": "Status"})


def _encryption(part: Resource, parents: _Parents) -> None:
    _take(_without(part.inputs, "bucket"), {"rules": ""})
    rules = []
    for rule in part.inputs["rules"]:
        default = _take(
            rule["applyServerSideEncryptionByDefault"],
            {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"},
        )
        rest = _take(
            _without(rule, "applyServerSideEncryptionByDefault"),
            {"bucketKeyEnabled": "BucketKeyEnabled"},
        )
        rules.append({"ServerSideEncryptionByDefault": default, **rest})
    parents.bucket(part)["BucketEncryption"] = {"ServerSideEncryptionConfiguration": rules}


def _public_access(part: Resource, parents: _Parents) -> None:
    names = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    flags = _take(
        _without(part.inputs, "bucket", "skipDestroy"), {n: n[0].upper() + n[1:] for n in names}
    )
    parents.bucket(part)["PublicAccessBlockConfiguration"] = flags


def _ownership(part: Resource, parents: _Parents) -> None:
    _take(_without(part.inputs, "bucket"), {"rule": ""})
    rule = _take(part.inputs["rule"], {"objectOwnership": "ObjectOwnership"})
    parents.bucket(part)["OwnershipControls"] = {"Rules": [rule]}


def _lifecycle(part: Resource, parents: _Parents) -> None:
    _take(_without(part.inputs, "bucket"), {"rules": ""})
    rules = [_lifecycle_rule(rule) for rule in part.inputs["rules"]]
    parents.bucket(part)["LifecycleConfiguration"] = {"Rules": rules}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    nested = {
        "filter": {"prefix": "Prefix"},
        "expiration": {
            "days": "ExpirationInDays",
            "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
        },
    }
    result = {}
    for key, table in nested.items():
        result |= _take(rule.get(key) or {}, table)
    rest = _without(rule, *nested)
    if "noncurrentVersionExpiration" in rest:
        result["NoncurrentVersionExpiration"] = _take(
            rest.pop("noncurrentVersionExpiration"),
            {
                "noncurrentDays": "NoncurrentDays",
                "newerNoncurrentVersions": "NewerNoncurrentVersions",
            },
        )
    if "abortIncompleteMultipartUpload" in rest:
        result["AbortIncompleteMultipartUpload"] = _take(
            rest.pop("abortIncompleteMultipartUpload"),
            {"daysAfterInitiation": "DaysAfterInitiation"},
        )
    if "transitions" in rest:
        table = {"days": "TransitionInDays", "storageClass": "StorageClass"}
        result["Transitions"] = [_take(each, table) for each in rest.pop("transitions")]
    return result | _take(rest, {"id": "Id", "status": "Status"})


def _logging(part: Resource, parents: _Parents) -> None:
    parents.bucket(part)["LoggingConfiguration"] = _take(
        _without(part.inputs, "bucket"),
        {"targetBucket": "DestinationBucketName", "targetPrefix": "LogFilePrefix"},
    )


def _notification(part: Resource, parents: _Parents) -> None:
    flags = _take(_without(part.inputs, "bucket"), {"eventbridge": "EventBridgeEnabled"})
    parents.bucket(part)["NotificationConfiguration"] = {"EventBridgeConfiguration": flags}


def _attachment(part: Resource, parents: _Parents) -> None:
    _take(part.inputs, {"role": "", "policyArn": ""})
    role = parents.of("aws:iam/role:Role", part.inputs["role"])
    role.setdefault("ManagedPolicyArns", []).append(part.inputs["policyArn"])


def _group_policy(part: Resource, parents: _Parents) -> None:
    _take(part.inputs, {"modelPackageGroupName": "", "resourcePolicy": ""})
    group = parents.of(
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup", part.inputs["modelPackageGroupName"]
    )
    group["ModelPackageGroupPolicy"] = json.loads(part.inputs["resourcePolicy"])


def _event_target(part: Resource, parents: _Parents) -> None:
    schema = schema_of("AWS::Events::Rule")
    problems: list[str] = []
    inputs = {"id": part.inputs.get("targetId", part.name), **_without(part.inputs, "targetId")}
    rule = parents.of("aws:cloudwatch/eventRule:EventRule", inputs.pop("rule"))
    if "sagemakerPipelineTarget" in inputs:
        wanted = inputs.pop("sagemakerPipelineTarget")
        inputs["sageMakerPipelineParameters"] = wanted
    node = schema["definitions"]["Target"]
    target = _object("AWS::Events::Rule", schema, node, inputs, "target", problems)
    if problems:
        raise Untranslated("; ".join(problems))
    rule.setdefault("Targets", []).append(target)


def budget(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A budget: CloudFormation keeps it one level deeper, its filters in a map."""
    wanted = _take(
        _without(inputs, "notifications", "tags", "limitAmount", "limitUnit", "costFilters"),
        {"name": "BudgetName", "budgetType": "BudgetType", "timeUnit": "TimeUnit"},
    )
    wanted["BudgetLimit"] = {
        "Amount": float(inputs["limitAmount"]),
        "Unit": inputs["limitUnit"],
    }
    if inputs.get("costFilters"):
        wanted["CostFilters"] = {each["name"]: each["values"] for each in inputs["costFilters"]}
    notifications = []
    for each in inputs.get("notifications", ()):
        subscribers = [
            {"SubscriptionType": kind, "Address": address}
            for kind, key in (
                ("SNS", "subscriberSnsTopicArns"),
                ("EMAIL", "subscriberEmailAddresses"),
            )
            for address in each.get(key) or ()
        ]
        keys = ("comparisonOperator", "notificationType", "threshold", "thresholdType")
        rest = _without(each, "subscriberSnsTopicArns", "subscriberEmailAddresses")
        notification = _take(rest, {key: key[0].upper() + key[1:] for key in keys})
        notifications.append({"Notification": notification, "Subscribers": subscribers})
    result: dict[str, Any] = {"Budget": wanted}
    if notifications:
        result["NotificationsWithSubscribers"] = notifications
    if inputs.get("tags"):
        result["ResourceTags"] = [{"Key": k, "Value": v} for k, v in inputs["tags"].items()]
    return result


PARTS: dict[str, Callable[[Resource, _Parents], None]] = {
    "aws:s3/bucketVersioning:BucketVersioning": _versioning,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _encryption,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _public_access,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _ownership,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _lifecycle,
    "aws:s3/bucketLogging:BucketLogging": _logging,
    "aws:s3/bucketNotification:BucketNotification": _notification,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _attachment,
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": _group_policy,
    "aws:cloudwatch/eventTarget:EventTarget": _event_target,
}
