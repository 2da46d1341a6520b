"""A monthly budget over everything that carries the stack's cost tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

# botocore, budgets: NotificationWithSubscribersList has at most 10, Subscribers 11, of which one
# may be a topic.
# One of the notifications is the forecast's.
_MOST_PERCENTAGES = 9
_MOST_EMAILS = 10
# Told while there is still time to do something.
_FORECAST_PERCENT = 100


@dataclass(frozen=True)
class BudgetArgs:
    """US dollars a month, and at which percentages to tell whom.

    Whoever is told hears, too, when the forecast for the month is above the budget.
    Costs are counted by the tag `tag_key` = `tag_value`, which somebody has to activate once as a
    cost allocation tag in the account's billing console; until then the budget sees nothing.
    """

    monthly_usd: pulumi.Input[float]
    tag_key: str
    tag_value: pulumi.Input[str]
    alert_percent: Sequence[float] = (80, 100)
    topic_arn: pulumi.Input[str] | None = None
    emails: Sequence[pulumi.Input[str]] = ()
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Budget(pulumi.ComponentResource):
    """`budget_name`. Raises ValueError when there is nobody to tell, or more than AWS allows."""

    budget_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Budget", name, None, opts)
        if args.topic_arn is None and not args.emails:
            raise ValueError(f"{name}: a budget without `alerts` tells nobody")
        if len(args.alert_percent) > _MOST_PERCENTAGES:
            raise ValueError(f"{name}: at most {_MOST_PERCENTAGES} percentages")
        if len(args.emails) > _MOST_EMAILS:
            raise ValueError(f"{name}: at most {_MOST_EMAILS} addresses; use a topic")
        budget = aws.budgets.Budget(
            f"{name}-monthly",
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=pulumi.Output.from_input(args.monthly_usd).apply(_amount),
            limit_unit="USD",
            # No `time_period_start`: a computed one would differ on every run.
            cost_filters=[
                aws.budgets.BudgetCostFilterArgs(
                    name="TagKeyValue",
                    values=[pulumi.Output.concat("user:", args.tag_key, "$", args.tag_value)],
                )
            ],
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                    subscriber_sns_topic_arns=[args.topic_arn] if args.topic_arn else None,
                    subscriber_email_addresses=list(args.emails) or None,
                )
                for kind, percent in (
                    *(("ACTUAL", each) for each in args.alert_percent),
                    ("FORECASTED", _FORECAST_PERCENT),
                )
            ],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.budget_name = budget.name
        self.register_outputs({"budgetName": self.budget_name})


def _amount(usd: float) -> str:
    """With a decimal, as the service is believed to write it back (not checked against it).

    Without one, plans showed a change for ever: hashicorp/terraform-provider-aws issue 10692.
    """
    return str(float(usd))
