"""Budgets: they begin in the month that they are made in, and tell at most five times."""

from __future__ import annotations

from mlops_iac.emulators.azure import kinds
from mlops_iac.emulators.azure.arm import ArmError
from mlops_iac.emulators.azure.puts import Put

_MOST = 5  # azure-docs, cost-management-billing, "Budgets - Create Or Update": notifications


def _budget(put: Put) -> None:
    start = str(put.said.get("timePeriod", {}).get("startDate", ""))
    if put.old is None and not start.startswith(put.now.strftime("%Y-%m-01")):
        raise ArmError(
            400,
            "400",
            f"Invalid budget configuration: start date {start} is not in the current period",
        )
    if len(put.said.get("notifications") or {}) > _MOST:
        raise ArmError(400, "400", f"Invalid budget configuration: at most {_MOST} notifications")


RULES = {kinds.BUDGETS: (_budget,)}
