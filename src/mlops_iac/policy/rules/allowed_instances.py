"""Machines are of a kind that somebody budgeted for."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from mlops_iac.clouds import registry
from mlops_iac.policy.context import Context, named_values
from mlops_iac.policy.model import Parameter, Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find instance types outside of `allowed`, or inside of `denied`, pipelines included."""
    allowed, denied = context.parameter("allowed"), context.parameter("denied")
    keys = {name.lower() for cloud in registry.clouds() for name in cloud.knowledge.machines}
    for resource in context.resources:
        types = {
            value
            for key, value in named_values(resource.inputs)
            if key.lower() in keys and isinstance(value, str) and not value.startswith("$")
        }
        for each in sorted(types):
            if any(fnmatchcase(each, form) for form in denied) or (
                allowed and not any(fnmatchcase(each, form) for form in allowed)
            ):
                path = context.path_of(resource)
                yield Violation(f"the instance type {each} is not allowed", resource, path)


RULE = Rule(
    id="allowed-instances",
    title="Only allowed instance types",
    severity="mandatory",
    why=(
        "One letter in a blueprint can cost more in a night than the team in a month. Machines of"
        " eight GPUs or sixteen accelerators wait for somebody to allow them."
    ),
    remediation="choose another `compute:`, or allow the type in `policies.yaml`",
    source="AWS Well-Architected COST02-BP05, https://docs.aws.amazon.com/wellarchitected/latest/cost-optimization-pillar/cost_govern_usage_controls.html",
    check=check,
    parameters={
        "allowed": Parameter("texts", (), "Allowed types or patterns; every one if empty."),
        "denied": Parameter(
            "texts",
            tuple(form for each in registry.clouds() for form in each.knowledge.largest),
            "Types or patterns that are never allowed.",
        ),
    },
)
