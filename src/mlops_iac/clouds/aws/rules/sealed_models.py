"""No job may write where registered models lie."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from mlops_iac.clouds.aws import types
from mlops_iac.clouds.aws.rules._documents import Statement, statements
from mlops_iac.graph.model import Resource
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Rule, Violation

# What replaces or removes an object. Source: service authorization reference, Amazon S3.
_WRITES = ("s3:putobject", "s3:deleteobject", "s3:deleteobjectversion")
# What a step says of what it left → the argument that says where: a function's, or a job's.
_LEFT = {
    "OutputParameters": "target",
    "ModelArtifacts": "OutputDataConfig",
    "ProcessingOutputConfig": "ProcessingOutputConfig",
}
_STEP = re.compile(rf"Steps\.([\w-]+)\.({'|'.join(_LEFT)})\b")
# `${s3.Bucket/data-artifacts.arn}` and `….bucket}` mean the same bucket.
_REFERENCE = re.compile(r"\$\{([^${}]+)\.\w+\}")


def check(context: Context) -> Iterator[Violation]:
    """Find roles of a pipeline's jobs that may write what the pipeline registers."""
    for pipeline in context.of_type(types.PIPELINE):
        steps = _steps(pipeline.inputs.get("pipelineDefinition"))
        registered = {uri for each in steps.values() for uri in _registered(each, steps)}
        roles = {arn for each in steps.values() for arn in _found(each, "RoleArn")}
        for role in context.of_type(types.ROLE):
            if not any(context.is_name_of(arn, role) for arn in roles):
                continue
            for each in statements(context):
                if _of(context, each, role) and (hit := _written(each, registered)):
                    yield Violation(
                        f"{each.called} lets the jobs of {pipeline.name} write {hit}", each.resource
                    )


def _steps(definition: Any) -> dict[str, Mapping[str, Any]]:
    try:
        printed = json.loads(definition)
    except (TypeError, ValueError):
        return {}  # not known yet, or stored elsewhere
    found: dict[str, Mapping[str, Any]] = {}
    queue = list(printed.get("Steps", ()))
    while queue:
        step = queue.pop()
        found[step["Name"]] = step
        for branch in ("IfSteps", "ElseSteps"):
            queue += step.get("Arguments", {}).get(branch, ())
    return found


def _registered(step: Mapping[str, Any], steps: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Where the artifacts and reports of a registration lie: `bucket/prefix`."""
    if step.get("Type") == "RegisterModel":
        for key in ("ModelDataUrl", "S3Uri"):
            for value in _found(step, key):
                yield from _place(value, steps)


def _place(value: Any, steps: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    match value:
        case str():
            yield _REFERENCE.sub(r"\1", value).removeprefix("s3://")
        case {"Std:Join": {"Values": [first, *_]}}:
            yield from _place(first, steps)
        case {"Get": str(reference)} if (read := _STEP.match(reference)) and read[1] in steps:
            argument = _LEFT[read[2]]
            left = {argument: steps[read[1]].get("Arguments", {}).get(argument)}
            for key in ("target", "S3OutputPath", "S3Uri"):
                for place in _found(left, key):
                    yield from _place(place, steps)


def _found(value: Any, key: str) -> Iterator[Any]:
    """Every value of `key` at any depth, but for the steps that a condition holds."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name == key:
                yield each
            elif name not in ("IfSteps", "ElseSteps"):
                yield from _found(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _found(each, key)


def _of(context: Context, each: Statement, role: Resource) -> bool:
    if each.kind != "identity" or not each.allow:
        return False
    return each.resource.urn == role.urn or context.means(each.resource, "role", role)


def _written(each: Statement, registered: set[str]) -> str:
    """What of `registered` the statement lets be replaced, or nothing."""
    acts = any(fnmatchcase(write, action) for action in each.actions for write in _WRITES)
    if acts == each.every_action_but:
        return ""
    patterns = [_REFERENCE.sub(r"\1", text).split(":::")[-1] for text in each.resources]
    for place in sorted(registered):
        covered = any(
            fnmatchcase(f"{place}/x", pattern) or pattern.startswith(f"{place}/")
            for pattern in patterns
        )
        if covered != each.every_resource_but:
            return place
    return ""


RULE = Rule(
    id="sealed-models",
    title="No job may write where registered models lie",
    severity="mandatory",
    why=(
        "What a training may overwrite after the approval is not what was approved, and every"
        " endpoint starts its next instance from it."
    ),
    remediation=(
        "register what the sealing function copied, and give the roles of jobs no right to write"
        " there"
    ),
    source="AWS Well-Architected, Machine Learning Lens, model registry, https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html",
    check=check,
)
