"""Run components without a cloud and keep every registration whole.

`capture(lambda: DataStore(…))` returns a list of `mlops_iac.graph.model.Resource`, sorted by URN,
the stack left out; options (protect, parent, dependencies …) and raw inputs as the program sent
them. Outputs are the inputs plus an id and the computed properties that components read, in the
real provider's shapes: region eu-west-1, account 123456789012, partition aws.

    graph = capture(lambda: Registry("adherence", RegistryArgs(…)))
    group = one(graph, "aws:sagemaker/modelPackageGroup:ModelPackageGroup")
    assert group.inputs["modelPackageGroupName"] == "project-stack-adherence"
"""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pulumi
from pulumi.runtime import mocks, settings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack

from mlops_iac.emulators.wire import from_struct, to_struct
from mlops_iac.graph.model import STACK_TYPE, Resource

REGION, ACCOUNT, PARTITION = "eu-west-1", "123456789012", "aws"

# type token → (id, computed outputs) from logical name and inputs; shapes of hashicorp/aws.
_Shape = Callable[[str, Mapping[str, Any]], tuple[str, dict[str, Any]]]
# The same of any type.
_Shaped = Callable[[str, str, Mapping[str, Any]], tuple[str, dict[str, Any]]]


def _named(service: str, kind: str, property_: str = "name", scope: bool = True) -> _Shape:
    """A resource whose id is its name: given, or the logical name with a suffix."""

    def shape(name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        physical = inputs.get(property_) or f"{name}-1a2b3c4"
        where = f"{REGION}:{ACCOUNT}" if scope else ":"
        separator = "" if not kind or kind.endswith((":", "/")) else "/"
        arn = f"arn:{PARTITION}:{service}:{where}:{kind}{separator}{physical}"
        return physical, {property_: physical, "arn": arn}

    return shape


def _key(name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    arn = f"arn:{PARTITION}:kms:{REGION}:{ACCOUNT}:key/{name}-uuid"
    return f"{name}-uuid", {"arn": arn, "keyId": f"{name}-uuid"}


def _topic(name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    arn = f"arn:{PARTITION}:sns:{REGION}:{ACCOUNT}:{name}-1a2b3c4"
    return arn, {"arn": arn, "name": f"{name}-1a2b3c4"}


def _role(name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    physical = inputs.get("name") or f"{name}-1a2b3c4"
    return physical, {
        "name": physical,
        "arn": f"arn:{PARTITION}:iam::{ACCOUNT}:role/{physical}",
        "uniqueId": f"AROA{name.upper()}",
    }


def _bucket(name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    physical = inputs.get("bucket") or f"{name}-1a2b3c4"
    return physical, {
        "bucket": physical,
        "arn": f"arn:{PARTITION}:s3:::{physical}",
        "bucketRegionalDomainName": f"{physical}.s3.{REGION}.amazonaws.com",
    }


def _numbered(kind: str, prefix: str) -> _Shape:
    """A resource of EC2, whose id the service makes; here from the logical name."""

    def shape(name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        identity = f"{prefix}-{name}"
        arn = f"arn:{PARTITION}:ec2:{REGION}:{ACCOUNT}:{kind}/{identity}"
        return identity, {"arn": arn, "prefixListId": "pl-s3"}

    return shape


_SHAPES: dict[str, _Shape] = {
    "aws:s3/bucket:Bucket": _bucket,
    "aws:kms/key:Key": _key,
    "aws:sns/topic:Topic": _topic,
    "aws:iam/role:Role": _role,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _named("cloudwatch", "alarm:"),
    "aws:cloudwatch/dashboard:Dashboard": _named("cloudwatch", "dashboard", "dashboardName"),
    "aws:cloudwatch/eventRule:EventRule": _named("events", "rule"),
    "aws:cloudwatch/logGroup:LogGroup": _named("logs", "log-group:"),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": _named(
        "sagemaker", "model-package-group", "modelPackageGroupName"
    ),
    "aws:sagemaker/pipeline:Pipeline": _named("sagemaker", "pipeline", "pipelineName"),
    "aws:sagemaker/model:Model": _named("sagemaker", "model"),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": _named(
        "sagemaker", "endpoint-config"
    ),
    "aws:sagemaker/endpoint:Endpoint": _named("sagemaker", "endpoint"),
    "aws:sqs/queue:Queue": _named("sqs", ""),
    "aws:cloudtrail/trail:Trail": _named("cloudtrail", "trail"),
    "aws:ec2/vpc:Vpc": _numbered("vpc", "vpc"),
    "aws:ec2/subnet:Subnet": _numbered("subnet", "subnet"),
    "aws:ec2/routeTable:RouteTable": _numbered("route-table", "rtb"),
    "aws:ec2/securityGroup:SecurityGroup": _numbered("security-group", "sg"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _numbered("vpc-endpoint", "vpce"),
    "aws:lambda/function:Function": _named("lambda", "function:"),
    "aws:scheduler/scheduleGroup:ScheduleGroup": _named("scheduler", "schedule-group"),
    "aws:scheduler/schedule:Schedule": _named("scheduler", "schedule"),
}

_INVOKES: dict[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": ACCOUNT,
        "arn": f"arn:{PARTITION}:iam::{ACCOUNT}:user/test",
        "id": ACCOUNT,
        "userId": "AIDATEST",
    },
    "aws:index/getRegion:getRegion": {"region": REGION, "name": REGION, "id": REGION},
    "aws:index/getAvailabilityZones:getAvailabilityZones": {
        "names": [f"{REGION}a", f"{REGION}b", f"{REGION}c"],
        "zoneIds": ["euw1-az1", "euw1-az2", "euw1-az3"],
        "groupNames": [REGION],
        "id": REGION,
        "region": REGION,
    },
    "aws:index/getPartition:getPartition": {
        "partition": PARTITION,
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
        "id": PARTITION,
    },
}


class _Monitor(mocks.MockMonitor):
    """Keeps requests; answers with inputs and the shapes above."""

    def __init__(self, invokes: Mapping[str, dict[str, Any]], shape: _Shaped | None) -> None:
        super().__init__(mocks=None)  # type: ignore[arg-type]
        self.requests: dict[str, Any] = {}
        self.answers: dict[str, tuple[str, dict[str, Any]]] = {}
        self.registered: dict[str, dict[str, Any]] = {}
        self._invokes = invokes
        self._shape = shape or _shaped

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        chain = ""
        if parent and not parent.split("::")[2].endswith(STACK_TYPE):
            chain = parent.split("::")[2] + "$"
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{chain}{type_}::{name}"

    def RegisterResource(self, request: Any) -> Any:
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if urn in self.requests:
            raise ValueError(f"registered twice: {urn}")
        inputs = from_struct(request.object)
        identity, computed = "", {}
        if request.custom:
            identity, computed = self._shape(request.type, request.name, inputs)
        self.requests[urn] = request
        self.answers[urn] = (identity, {**inputs, **computed})
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=identity, object=to_struct({**inputs, **computed})
        )

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.registered[request.urn] = from_struct(request.outputs)
        return super().RegisterResourceOutputs(request)

    def Invoke(self, request: Any) -> Any:
        if request.tok not in self._invokes:
            raise ValueError(f"unknown invoke {request.tok}")
        return resource_pb2.ResourceInvokeResponse(
            **{"return": to_struct(self._invokes[request.tok])}
        )


def _shaped(type_: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if type_ in _SHAPES:
        return _SHAPES[type_](name, inputs)
    module, short = type_.split(":")[1].split("/")[0], type_.rsplit(":", 1)[-1]
    arn = f"arn:{PARTITION}:{module}:{REGION}:{ACCOUNT}:{short.lower()}/{name}"
    return f"{name}-id", {"arn": arn}


def capture(
    program: Callable[[], Any],
    *,
    project: str = "project",
    stack: str = "stack",
    config: Mapping[str, str] | None = None,
    invokes: Mapping[str, dict[str, Any]] | None = None,
    shape: _Shaped | None = None,
) -> list[Resource]:
    """Run `program` once, in a context of its own, and return what it registered.

    Whatever the program raises is raised here, also from inside an `apply`. `invokes` replaces
    answers to data sources by token; `shape` is another cloud's.
    """
    monitor = _Monitor({**_INVOKES, **(invokes or {})}, shape)
    failures: list[BaseException] = []

    def run() -> None:
        settings.configure(
            mocks.MockSettings(
                monitor=monitor,
                monitor_features=set(monitor.GetDeploymentInfo(None).supportedFeatures),
                engine=mocks.MockEngine(None),
                project=project,
                stack=stack,
                dry_run=False,
                organization=None,
                callbacks=None,
            )
        )
        # What a failed run leaves behind is shared by all contexts; the next one would wait for it.
        settings.SETTINGS.rpc_manager.clear()
        settings.SETTINGS.outputs.clear()
        settings.set_root_resource(None)  # type: ignore[arg-type]
        if config:
            pulumi.runtime.set_all_config(dict(config))
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(lambda *_: None)  # reported by the failure that is raised

        async def main() -> None:
            # Raised only after the run: the SDK would wait for ever for the registrations begun.
            try:
                program()
            except BaseException as error:
                failures.append(error)

        try:
            loop.run_until_complete(run_in_stack(main))
        finally:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            asyncio.set_event_loop(None)
            loop.close()

    contextvars.copy_context().run(run)
    if failures:
        raise failures[0]
    return sorted(
        (_resource(monitor, urn, request) for urn, request in monitor.requests.items()),
        key=lambda resource: resource.urn,
    )


def _resource(monitor: _Monitor, urn: str, request: Any) -> Resource:
    identity, outputs = monitor.answers[urn]
    return Resource(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent="" if request.parent.split("::")[2].endswith(STACK_TYPE) else request.parent,
        inputs=from_struct(request.object),
        outputs=outputs if request.custom else monitor.registered.get(urn, {}),
        id=identity,
        provider=request.provider,
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies={
            key: tuple(sorted(item.urns)) for key, item in request.propertyDependencies.items()
        },
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=(
            request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
        ),
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        deleted_with=request.deletedWith,
    )


def of_type(graph: Iterable[Resource], type_: str) -> list[Resource]:
    """Resources of a type token."""
    return [resource for resource in graph if resource.type == type_]


def one(graph: Iterable[Resource], type_: str, name: str | None = None) -> Resource:
    """The only resource of a type (and logical name, when there are several)."""
    found = [each for each in of_type(graph, type_) if name is None or each.name == name]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} resources of {type_} {name or ''}, expected one")
    return found[0]


def types(graph: Iterable[Resource]) -> dict[str, int]:
    """How many resources of each type token there are."""
    return dict(Counter(resource.type for resource in graph))


def names(resources: Iterable[str]) -> set[str]:
    """Logical names of URNs."""
    return {urn.split("::", 3)[3] for urn in resources}


def policy(text: str) -> dict[str, dict[str, Any]]:
    """The statements of a JSON policy by their Sid."""
    return {each["Sid"]: each for each in json.loads(text)["Statement"]}
