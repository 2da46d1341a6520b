"""A monthly budget over everything in the stack's resource group."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import consumption

from ._context import start

# azure-docs, cost-management-billing, Budgets API: five notifications, one of which is the forecast's.
MOST_PERCENTAGES = 4
_FORECAST_PERCENT = 100


@dataclass(frozen=True)
class BudgetArgs:
    """An amount a month in the currency of the billing account, and at which percentages to tell whom.

    It begins with the month in which the stack was `created` (ISO 8601). One that is added later needs
    a day of the month that it is made in, `started`: the service takes no other one.
    """

    group_id: pulumi.Input[str]
    amount: pulumi.Input[float]
    created: pulumi.Input[str]
    emails: Sequence[pulumi.Input[str]]
    started: str | None = None
    action_group_id: pulumi.Input[str] | None = None
    alert_percent: Sequence[float] = (80, 100)


class Budget(pulumi.ComponentResource):
    """`budget_name`. Raises ValueError where there is nobody to tell, or for too many percentages."""

    budget_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Budget", name, None, opts)
        if not args.emails:
            raise ValueError(f"{name}: a budget without `alerts` tells nobody")
        if len(args.alert_percent) > MOST_PERCENTAGES:
            raise ValueError(f"{name}: at most {MOST_PERCENTAGES} percentages")
        told = [
            *(("Actual", percent) for percent in args.alert_percent),
            ("Forecasted", _FORECAST_PERCENT),
        ]
        budget = consumption.Budget(
            f"{name}-monthly",
            budget_name=f"{start()}-monthly",
            scope=args.group_id,
            category="Cost",
            time_grain="Monthly",
            amount=args.amount,
            time_period=consumption.BudgetTimePeriodArgs(
                start_date=pulumi.Output.from_input(args.started or args.created).apply(
                    _first_of_month
                )
            ),
            notifications={
                f"{kind.lower()}-{percent:g}": consumption.NotificationArgs(
                    enabled=True,
                    operator="GreaterThan",
                    threshold=percent,
                    threshold_type=kind,
                    contact_emails=list(args.emails),
                    contact_groups=[args.action_group_id] if args.action_group_id else None,
                )
                for kind, percent in told
            },
            # It is the month in which it was made, for ever.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["timePeriod"]),
        )
        self.budget_name = budget.name
        self.register_outputs({"budgetName": self.budget_name})


def _first_of_month(day: str) -> str:
    # Nothing else is taken apart: a stand-in stays what it is.
    return re.sub(r"(?<=^\d{4}-\d{2}-).+", "01T00:00:00Z", day)
