"""What a stack may cost in a month, and who is told before it is spent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlops_iac.blueprint.checks.environments import place
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part, Request, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import STACK_TAG, Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref, Setting
from mlops_iac.errors import Diagnostic


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    budget = scope.blueprint.budget
    if budget is None:
        return
    yield call(
        "budget",
        "budget:Budget",
        {
            "monthly_usd": Setting(budget.monthly_usd, "budget.monthly_usd"),
            "tag_key": STACK_TAG,
            "tag_value": scope.tags[STACK_TAG],
            "alert_percent": Setting(list(budget.alert_percent), "budget.alert_percent"),
            "topic_arn": Ref("alerts", "topic_arn"),
            "tags": scope.tags,
        },
        path="budget",
    )


def _check(scope: Scope) -> Iterator[Diagnostic]:
    region = scope.blueprint.region
    if scope.blueprint.budget is None:
        return
    if catalogue.is_region(region) and not catalogue.has_service("budgets", region):
        yield scope.wrong(
            "budget",
            f"{region} ({place(scope.resolved, 'region')}) is in '{scope.partition}', which"
            " has no AWS Budgets",
            "leave it out; what it costs is billed to the standard account that belongs to this one:"
            " set a budget there",
            at_key=True,
        )
    elif not scope.blueprint.alerts:
        yield scope.wrong(
            "budget",
            "there is nobody to tell when it is spent",
            "write `alerts: {oncall: {email: …}}`",
            at_key=True,
        )


def _requests(scope: Scope) -> Iterator[Request]:
    budget = scope.blueprint.budget
    if budget is not None:
        # The amount as the component writes it.
        amount = Setting(str(float(budget.monthly_usd)), "budget.monthly_usd")
        told: list[dict[str, Any]] = [
            *({"Notification": {"Threshold": percent}} for percent in budget.alert_percent),
            {"Notification": {"NotificationType": "FORECASTED"}},
        ]
        yield Request(
            "budgets.CreateBudget",
            {"Budget": {"BudgetLimit": {"Amount": amount}}, "NotificationsWithSubscribers": told},
            "budget",
            {"NotificationsWithSubscribers": ("budget.alert_percent",)},
        )


BUDGET = Part(
    there=lambda scope: scope.blueprint.budget,
    plan=_plan,
    planned=("budget.monthly_usd", "budget.alert_percent"),
    check=_check,
    names=lambda _: [("budget", "")],
    requests=_requests,
    tagged=("budgets.CreateBudget",),
    deployed=Deployed(
        actions={
            "Budget": prefixed(
                "budgets:",
                "ListTagsForResource ModifyBudget TagResource UntagResource ViewBudget",
            )
        },
        named={"budgets": ("budgets::${account}:budget/${stem}-*",)},
    ),
    publishers=("budgets",),
    by_hand=f"The budget counts by the tag `{STACK_TAG}`: activate it as a cost allocation tag in the"
    " billing console, else it sees no costs.",
)
