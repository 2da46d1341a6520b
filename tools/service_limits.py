"""What AWS's own models allow in the requests that a stack and its pipeline send.

`tools/generated.py` writes it to `clouds/aws/data/limits.txt`. The source is the installed botocore:
enumerations, patterns, lengths, counts and ranges of the input of each operation, and the names of
its members. What a service requires is left out: that is never the blueprint's to say.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import botocore.session

OPERATIONS = {
    "budgets": ["CreateBudget"],
    "cloudtrail": ["CreateTrail"],
    "cloudwatch": ["PutMetricAlarm"],
    "events": ["PutRule"],
    "iam": ["CreateRole"],
    "kms": ["CreateKey"],
    "lambda": ["CreateFunction"],
    "logs": ["CreateLogGroup"],
    "s3": ["PutObjectTagging"],
    "sagemaker": [
        "CreateEndpoint", "CreateEndpointConfig", "CreateHyperParameterTuningJob", "CreateMlflowTrackingServer", "CreateModel",
        "CreateModelPackage", "CreateModelPackageGroup", "CreatePipeline", "CreateProcessingJob",
        "CreateTrainingJob", "CreateTransformJob",
    ],
    "scheduler": ["CreateSchedule", "CreateScheduleGroup"],
    "sns": ["CreateTopic"],
}  # fmt: skip
# What the model does not say. S3 user guide, "Categorizing your objects using tags".
DOCUMENTED = {"s3.TagSet": {"max": 10}}
_KEPT = ("type", "enum", "min", "max", "pattern")


def limits() -> str:
    """The whole file as text: one line per shape, a member without a limit refers to none.

    A line is a name, a tab and JSON, so that a reader parses what it needs.
    """
    session = botocore.session.get_session()
    shapes: dict[str, dict[str, Any]] = {}
    inputs: dict[str, Any] = {}
    for service, operations in OPERATIONS.items():
        model = session.get_service_model(service)
        for operation in operations:
            shape = model.operation_model(operation).input_shape
            inputs[f"{service}.{operation}"] = _add(shape, service, shapes)
    lines: dict[str, Any] = {"source": f"botocore {version('botocore')}", **inputs}
    lines |= {key: value for key, value in sorted(shapes.items()) if value}
    return "".join(f"{key}\t{_compact(value)}\n" for key, value in lines.items())


def _add(shape: Any, service: str, shapes: dict[str, dict[str, Any]]) -> str:
    """Add a shape and what it is made of; its name, or nothing where it has no limit at all."""
    name = f"{service}.{shape.name}"
    if name in shapes:
        # One that is being looked at refers to itself, and counts as limited.
        return name if shapes[name] else ""
    shapes[name] = {"type": shape.type_name}
    facts = {key: value for key, value in shape.metadata.items() if key in _KEPT}
    facts |= DOCUMENTED.get(name, {})
    parts: dict[str, Any] = {}
    if shape.type_name == "structure":
        parts["members"] = {key: _add(each, service, shapes) for key, each in shape.members.items()}
        limited = any(parts["members"].values())
    else:
        attributes = {"list": ("member",), "map": ("key", "value")}.get(shape.type_name, ())
        parts = {each: _add(getattr(shape, each), service, shapes) for each in attributes}
        limited = any(parts.values())
    sized = shape.type_name in ("string", "list", "map")
    facts = {key: value for key, value in facts.items() if not (sized and value == 0)}
    limited = limited or any(key != "type" for key in facts)
    shapes[name] = {"type": shape.type_name, **facts, **parts} if limited else {}
    return name if limited else ""


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
