"""Somebody watches what production costs."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.catalogue import has_service, is_region
from mlops_iac.clouds.aws.types import BUDGET
from mlops_iac.policy.context import Context, at, is_set, items
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find stacks without a budget, and budgets that tell nobody."""
    budgets = context.of_type(BUDGET)
    if not context.resources or not _can_have(context.region):
        return
    if not budgets:
        yield Violation("nothing watches what the stack costs", None, "budget")
    for budget in budgets:
        told = items(budget.inputs.get("notifications"))
        keys = ("subscriberSnsTopicArns", "subscriberEmailAddresses")
        if not any(is_set(at(each, key)) for each in told for key in keys):
            message = "nobody is told when the budget is spent"
            yield Violation(message, budget, "budget.alert_percent")


def _can_have(region: str) -> bool:
    """Whether there are budgets; a region that nobody knows is believed to have them."""
    return not is_region(region) or has_service("budgets", region)


RULE = Rule(
    id="missing-budget",
    title="Production has a budget, and somebody is told",
    severity="mandatory",
    why="An endpoint that scales, or a training that never ends, is noticed before the bill.",
    remediation="write `budget: {monthly_usd: …}` and `alerts:`",
    source="AWS Well-Architected COST02-BP05, https://docs.aws.amazon.com/wellarchitected/latest/cost-optimization-pillar/cost_govern_usage_controls.html",
    check=check,
    production=True,
)
