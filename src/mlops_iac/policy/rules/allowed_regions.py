"""Stacks stay in the regions that the organisation allows."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Parameter, Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find a stack, or a resource with a region of its own, that lies elsewhere."""
    allowed = context.parameter("regions")
    if not allowed:
        return

    def refused(region: object) -> bool:
        return isinstance(region, str) and not any(fnmatchcase(region, form) for form in allowed)

    if context.region and refused(context.region):
        yield Violation(f"the region {context.region} is not allowed", None, "region")
    for each in context.resources:
        region = each.inputs.get("region")
        if region != context.region and refused(region):
            yield Violation(f"the region {region} is not allowed", each)


RULE = Rule(
    id="allowed-regions",
    title="Only allowed regions",
    severity="mandatory",
    why="Where data may lie is a matter of law and contracts. Every region is allowed until listed.",
    remediation="choose another `region:`, or list it in `policies.yaml`",
    source="AWS Control Tower, region deny, https://docs.aws.amazon.com/controltower/latest/userguide/region-deny.html",
    check=check,
    parameters={
        "regions": Parameter("texts", (), "Allowed regions, as names or patterns: `eu-*`.")
    },
)
