"""Who is told of alerts, and what a stack may cost in a month."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.azure.ml.parts import Part
from mlops_iac.clouds.azure.ml.scope import FOUNDATION, Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref, Refusal, Setting
from mlops_iac.errors import Diagnostic

_MOST = 4  # components.budget.MOST_PERCENTAGES, which imports Pulumi
STARTED = "budget.started"


def _alerts(scope: Scope) -> Iterator[ComponentCall]:
    emails = {
        name: Setting(alert.email, f"alerts.{name}.email")
        for name, alert in scope.blueprint.alerts.items()
    }
    yield call(
        "alerts",
        "alerts:Alerts",
        {"group": Ref(FOUNDATION, "group"), "emails": emails, "tags": scope.tags},
        path="alerts",
    )


def _budget(scope: Scope) -> Iterator[ComponentCall]:
    budget = scope.blueprint.budget
    if budget is None:
        return
    yield call(
        "budget",
        "budget:Budget",
        {
            "group_id": Ref(FOUNDATION, "group_id"),
            "amount": Setting(budget.monthly_usd, "budget.monthly_usd"),
            "created": Ref("observability", "created"),
            "started": Setting(None, STARTED, optional=True),
            "emails": Ref("alerts", "emails"),
            "action_group_id": Ref("alerts", "action_group_id"),
            "alert_percent": Setting(list(budget.alert_percent), "budget.alert_percent"),
        },
        path="budget",
    )


def _check(scope: Scope) -> Iterator[Diagnostic]:
    budget = scope.blueprint.budget
    if budget is None:
        return
    if not scope.blueprint.alerts:
        yield scope.wrong(
            "budget",
            "there is nobody to tell when it is spent",
            "write `alerts: {oncall: {email: …}}`",
            at_key=True,
        )
    if len(budget.alert_percent) > _MOST:
        yield scope.wrong(
            "budget.alert_percent",
            f"a budget on Azure tells at {_MOST} shares and once by its forecast",
            f"leave {len(budget.alert_percent) - _MOST} out",
        )


ALERTS = Part(
    there=lambda scope: scope.blueprint.alerts,
    plan=_alerts,
    planned=("alerts.*.email",),
    refused=(
        Refusal("alerts.*.webhook", "Azure keeps the URL of a webhook in clear", "write `email:`"),
    ),
    names=lambda _: [("alerts", "")],
    namespaces=("Microsoft.Insights",),
)
BUDGET = Part(
    there=lambda scope: scope.blueprint.budget,
    plan=_budget,
    planned=("budget.monthly_usd", "budget.alert_percent"),
    check=_check,
    names=lambda _: [("budget", "")],
    namespaces=("Microsoft.Consumption",),
    by_hand=(
        "The budget is in the currency of the billing account, whatever the blueprint calls it. Where it is"
        " added in a later month than the stack, Azure wants that month: say it once, in"
        f" `Pulumi.<stack>.yaml`, as `{STARTED}` (`2027-03-01`)."
    ),
)
