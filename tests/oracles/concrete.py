"""A captured graph with values of the real shape where the capture prints `${address.property}`.

Validators match patterns and take ARNs apart, so a reference has to look like what it becomes.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlops_iac.graph.model import Resource, ResourceGraph
from mlops_iac.values import Secret

ACCOUNT, REGION = "123456789012", "eu-west-1"
LABEL = re.compile(r"\$\{([a-z0-9]+\.[A-Za-z0-9]+/[^{}]+?)\.([A-Za-z0-9]+)\}")

_PENDING = re.compile(r"(:model-package/[\w-]+)/approved\b")

# The resource part of each type's ARN. Source: Service Authorization Reference, resource types.
_ARNS = {
    "s3/bucket:Bucket": "arn:aws:s3:::{}",
    "s3/bucketObjectv2:BucketObjectv2": "arn:aws:s3:::{}",
    "kms/key:Key": "arn:aws:kms:R:A:key/{}",
    "kms/alias:Alias": "arn:aws:kms:R:A:{}",
    "iam/role:Role": "arn:aws:iam::A:role/{}",
    "iam/policy:Policy": "arn:aws:iam::A:policy/{}",
    "sagemaker/modelPackageGroup:ModelPackageGroup": "arn:aws:sagemaker:R:A:model-package-group/{}",
    "sagemaker/pipeline:Pipeline": "arn:aws:sagemaker:R:A:pipeline/{}",
    "sagemaker/model:Model": "arn:aws:sagemaker:R:A:model/{}",
    "sagemaker/endpointConfiguration:EndpointConfiguration": "arn:aws:sagemaker:R:A:endpoint-config/{}",
    "sagemaker/endpoint:Endpoint": "arn:aws:sagemaker:R:A:endpoint/{}",
    "appautoscaling/target:Target": "arn:aws:application-autoscaling:R:A:scalable-target/{}",
    "appautoscaling/policy:Policy": "arn:aws:autoscaling:R:A:scalingPolicy:{}",
    "cloudwatch/metricAlarm:MetricAlarm": "arn:aws:cloudwatch:R:A:alarm:{}",
    "cloudwatch/compositeAlarm:CompositeAlarm": "arn:aws:cloudwatch:R:A:alarm:{}",
    "cloudwatch/dashboard:Dashboard": "arn:aws:cloudwatch::A:dashboard/{}",
    "cloudwatch/eventRule:EventRule": "arn:aws:events:R:A:rule/{}",
    "cloudwatch/logGroup:LogGroup": "arn:aws:logs:R:A:log-group:{}",
    "sns/topic:Topic": "arn:aws:sns:R:A:{}",
    "sqs/queue:Queue": "arn:aws:sqs:R:A:{}",
    "scheduler/scheduleGroup:ScheduleGroup": "arn:aws:scheduler:R:A:schedule-group/{}",
    "scheduler/schedule:Schedule": "arn:aws:scheduler:R:A:schedule/default/{}",
    "lambda/function:Function": "arn:aws:lambda:R:A:function:{}",
    "budgets/budget:Budget": "arn:aws:budgets::A:budget/{}",
    "cloudtrail/trail:Trail": "arn:aws:cloudtrail:R:A:trail/{}",
    "ec2/vpc:Vpc": "arn:aws:ec2:R:A:vpc/{}",
    "ec2/subnet:Subnet": "arn:aws:ec2:R:A:subnet/{}",
    "ec2/securityGroup:SecurityGroup": "arn:aws:ec2:R:A:security-group/{}",
    "ec2/vpcEndpoint:VpcEndpoint": "arn:aws:ec2:R:A:vpc-endpoint/{}",
}
# What EC2 makes has an id with a prefix of its type's, and seventeen hex digits.
_EC2_IDS = {
    "aws:ec2/vpc:Vpc": "vpc",
    "aws:ec2/subnet:Subnet": "subnet",
    "aws:ec2/routeTable:RouteTable": "rtb",
    "aws:ec2/securityGroup:SecurityGroup": "sg",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "vpce",
}
_NAMES = ("name", "bucket", "pipelineName", "modelPackageGroupName", "alarmName", "dashboardName")
# Outputs that are the resource's name, its ARN or its address.
_URLS = {("sqs/queue:Queue", "url"), ("sqs/queue:Queue", "id")}
_ARN_PROPERTIES = {("sns/topic:Topic", "id"), ("iam/policy:Policy", "id")}


class NoShape(Exception):
    """A reference to something this module knows no shape for."""


def concrete(graph: ResourceGraph, account: str = ACCOUNT, region: str = REGION) -> ResourceGraph:
    """The graph with each reference replaced, secrets revealed."""
    shaper = _Shaper(graph, account, region)
    return replace(
        graph,
        resources=tuple(replace(r, inputs=shaper.value(role_names(r))) for r in graph),
    )


def concrete_resource(graph: ResourceGraph, resource: Resource) -> Resource:
    """One resource with the references of its inputs replaced by what they are in the graph."""
    shaper = _Shaper(graph, ACCOUNT, REGION)
    return replace(resource, inputs=shaper.value(role_names(resource)))


def role_names(resource: Resource) -> Mapping[str, Any]:
    """Inputs in which a policy's role is a name.

    A stand-in for the last part of an ARN, which is how a component takes a role's name out of it,
    is printed as the ARN's own reference.
    """
    role = resource.inputs.get("role")
    if resource.type != "aws:iam/rolePolicy:RolePolicy" or not isinstance(role, str):
        return resource.inputs
    return {**resource.inputs, "role": re.sub(r"^(\$\{iam\.Role/.+)\.arn\}$", r"\1.name}", role)}


class _Shaper:
    def __init__(self, graph: ResourceGraph, account: str, region: str) -> None:
        self._by_address = {resource.address: resource for resource in graph}
        self._account, self._region = account, region

    def value(self, value: Any) -> Any:
        match value:
            case str():
                # A symbolic capture has a word for the registered version of the steady state.
                value = _PENDING.sub(r"\1/1", value)
                return LABEL.sub(lambda m: str(self._property(m[1], m[2])), value)
            case Secret(inner):
                return self.value(inner)
            case Mapping():
                return {self.value(key): self.value(item) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
            case _:
                return value

    def _property(self, where: str, property_: str) -> Any:
        resource = self._by_address.get(where)
        if resource is None:
            raise NoShape(f"{where} is not in the graph")
        if property_ in resource.inputs:
            return self.value(resource.inputs[property_])
        kind = resource.type.removeprefix("aws:")
        if (kind, property_) in _URLS:
            return (
                f"https://sqs.{self._region}.amazonaws.com/{self._account}/{self._name(resource)}"
            )
        if property_ == "arn" or (kind, property_) in _ARN_PROPERTIES:
            if kind not in _ARNS:
                raise NoShape(f"no ARN is known for {resource.type}")
            shape = (
                _ARNS[kind].replace(":R:", f":{self._region}:").replace(":A:", f":{self._account}:")
            )
            return shape.format(self._name(resource))
        if property_ in ("id", "keyId", *_NAMES):
            return self._name(resource)
        if property_ in ("bucketRegionalDomainName", "bucketDomainName"):
            return f"{self._name(resource)}.s3.{self._region}.amazonaws.com"
        if property_ == "prefixListId":
            return "pl-6da54004"
        if property_ == "versionId":
            return "3sL4kqtJlcpXroDTDmJ"
        raise NoShape(f"no shape is known for {property_} of {resource.type}")

    def _name(self, resource: Resource) -> str:
        if resource.type == "aws:kms/key:Key":
            return str(uuid.uuid5(uuid.NAMESPACE_URL, resource.urn))
        if resource.type in _EC2_IDS:
            digits = uuid.uuid5(uuid.NAMESPACE_URL, resource.urn).hex[:17]
            return f"{_EC2_IDS[resource.type]}-{digits}"
        for name in _NAMES:
            if isinstance(resource.inputs.get(name), str) and (
                name != "bucket" or resource.type == "aws:s3/bucket:Bucket"
            ):
                return str(self.value(resource.inputs[name]))
        if resource.inputs.get("namePrefix"):
            return f"{resource.inputs['namePrefix']}20260101000000000000000001"
        slug = re.sub(r"[^a-z0-9-]", "-", resource.name.lower())
        return f"{slug[:46]}-{uuid.uuid5(uuid.NAMESPACE_URL, resource.urn).hex[:7]}"


def physical_name(graph: ResourceGraph, resource: Resource) -> str:
    """The name that references to the resource have in `concrete(graph)`."""
    return _Shaper(graph, ACCOUNT, REGION)._name(resource)


def policy_documents(graph: ResourceGraph) -> list[tuple[Resource, str, dict[str, Any]]]:
    """Every IAM policy document of the graph: resource, property path, document."""
    found = []
    for resource in graph:
        for path, value in _strings(resource.inputs):
            if '"Statement"' in value:
                document = json.loads(value)
                if isinstance(document, dict) and "Statement" in document:
                    found.append((resource, path, document))
    return found


def _strings(value: Any, path: str = "") -> list[tuple[str, str]]:
    match value:
        case str():
            return [(path, value)]
        case Mapping():
            return [s for k, v in value.items() for s in _strings(v, f"{path}.{k}".lstrip("."))]
        case list():
            return [s for item in value for s in _strings(item, path)]
        case _:
            return []
