"""Write `emulators/aws/schema/*.json`: property names and types of the resources we emulate.

    python tools/aws_schema.py            write what is in TOKENS
    python tools/aws_schema.py --check    fail when a file is stale

The source is the installed pulumi-aws SDK: its Args class (inputs) and its State class (outputs).
So checking a program's inputs needs no import of the SDK, and the tokens are the SDK's own.
"""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import json
import re
import sys
import types
import typing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pulumi

OUT = Path(__file__).parents[1] / "src/mlops_iac/emulators/aws/schema"

# module of pulumi_aws → classes
TOKENS: dict[str, list[str]] = {
    "s3": [
        "Bucket", "BucketVersioning", "BucketServerSideEncryptionConfiguration",
        "BucketPublicAccessBlock", "BucketOwnershipControls", "BucketLifecycleConfiguration",
        "BucketPolicy", "BucketLogging", "BucketNotification", "BucketObjectv2",
    ],
    "kms": ["Key", "Alias"],
    "iam": ["Role", "RolePolicy", "RolePolicyAttachment", "Policy"],
    "sagemaker": [
        "ModelPackageGroup", "ModelPackageGroupPolicy", "MlflowTrackingServer", "Pipeline", "Model",
        "EndpointConfiguration", "Endpoint",
    ],
    "appautoscaling": ["Target", "Policy"],
    "cloudwatch": [
        "MetricAlarm", "CompositeAlarm", "Dashboard", "EventRule", "EventTarget", "LogGroup",
    ],
    "sns": ["Topic", "TopicPolicy", "TopicSubscription"],
    "sqs": ["Queue", "QueuePolicy"],
    "scheduler": ["ScheduleGroup", "Schedule"],
    "lambda_": ["Function", "Permission"],
    "budgets": ["Budget"],
    "ec2": [
        "Vpc", "Subnet", "RouteTable", "RouteTableAssociation", "SecurityGroup",
        "DefaultSecurityGroup", "VpcEndpoint", "FlowLog",
    ],
    "cloudtrail": ["Trail"],
    "glue": ["CatalogDatabase", "CatalogTable"],
    "vpc": ["SecurityGroupIngressRule", "SecurityGroupEgressRule"],
}  # fmt: skip

# Text that holds JSON: texts that equal each other as JSON are the same value.
JSON_TEXT = re.compile(
    r"(^|\.)(policy|assumeRolePolicy|dashboardBody|pipelineDefinition|eventPattern|filterPolicy"
    r"|resourcePolicy|redrivePolicy|redriveAllowPolicy|deliveryPolicy|input)$"
)


def wire_names(cls: type) -> dict[str, tuple[str, Any]]:
    """Python name → (Pulumi name, type) of an input type, from its getters."""
    found = {}
    for name, member in vars(cls).items():
        if isinstance(member, property) and member.fget is not None:
            scope = vars(sys.modules[cls.__module__])
            hint = typing.get_type_hints(member.fget, scope, {"Output": pulumi.Output, "T": Any})[
                "return"
            ]
            found[name] = (getattr(member.fget, "_pulumi_name", name), hint)
    return found


def spec(hint: Any, path: str) -> dict[str, Any]:
    """The JSON form of a type."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = [spec(arg, path) for arg in typing.get_args(hint) if arg is not type(None)]
        options = [o for o in options if o != {"type": "output"}]
        texts = [o for o in options if o.get("type") == "string"]
        if texts and any(o.get("type") == "object" for o in options):
            return {"type": "string", "json": True}
        return texts[0] if texts else options[0]
    if origin is collections.abc.Awaitable or getattr(origin, "__name__", "") == "Output":
        return {"type": "output"}
    if origin in (collections.abc.Sequence, list):
        return {"type": "list", "items": spec(typing.get_args(hint)[0], path)}
    if origin in (collections.abc.Mapping, dict):
        return {"type": "map", "items": spec(typing.get_args(hint)[1], path)}
    simple = {str: "string", bool: "bool", int: "int", float: "number"}
    if hint in simple:
        found: dict[str, Any] = {"type": simple[hint]}
        if hint is str and JSON_TEXT.search(path):
            found["json"] = True
        return found
    name = getattr(hint, "__name__", str(hint))
    if "Asset" in name or "Archive" in name:
        return {"type": "asset"}
    if isinstance(hint, type) and name.endswith(("Args", "ArgsDict")):
        return {"type": "object", "fields": fields(hint, path)}
    if isinstance(hint, type) and issubclass(hint, str):
        return {"type": "string"}
    if hint is Any:
        return {"type": "any"}
    raise SystemExit(f"no schema for {hint!r} at {path}")


def fields(cls: type, path: str) -> dict[str, Any]:
    """Fields of an Args or State class by Pulumi name."""
    signature = inspect.signature(cls.__init__)
    found = {}
    for name, (wire, hint) in sorted(wire_names(cls).items()):
        item = spec(hint, f"{path}.{wire}" if path else wire)
        parameter = signature.parameters.get(name)
        if parameter is not None and parameter.default is inspect.Parameter.empty:
            item = {**item, "required": True}
        found[wire] = item
    return found


def document(module: str, short: str) -> dict[str, Any]:
    """The schema of one resource type."""
    package = importlib.import_module(f"pulumi_aws.{module}")
    cls = getattr(package, short)
    leaf = sys.modules[cls.__module__]
    token = re.search(r"'(aws:[a-z]\w*/\w+:\w+)',\s*\n\s*resource_name", inspect.getsource(leaf))
    if token is None:
        raise SystemExit(f"no token for {module}.{short}")
    return {
        "type": token.group(1),
        "sdk": f"pulumi-aws {version('pulumi-aws')}",
        # `InitArgs` where a nested type took the shorter name.
        "inputs": fields(
            getattr(leaf, f"{short}InitArgs", None) or getattr(leaf, f"{short}Args"), ""
        ),
        "outputs": fields(getattr(leaf, f"_{short}State"), ""),
    }


def main() -> None:
    """Write or check every file."""
    check = "--check" in sys.argv
    OUT.mkdir(exist_ok=True)
    stale = []
    for module, classes in TOKENS.items():
        for short in classes:
            body = document(module, short)
            mod = body["type"].split(":")[1].split("/")[0]
            path = OUT / f"{mod}.{short}.json"
            text = json.dumps(body, indent=1, sort_keys=True) + "\n"
            if check:
                if not path.is_file() or path.read_text() != text:
                    stale.append(path.name)
            else:
                path.write_text(text)
    if stale:
        raise SystemExit(f"stale, run tools/aws_schema.py: {', '.join(stale)}")


if __name__ == "__main__":
    main()
