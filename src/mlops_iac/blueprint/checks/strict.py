"""`validate --strict`: what a production stack still lacks.

Production is every environment but `local` that is protected: what may be deleted without asking is
a place to try things.
"""

from __future__ import annotations

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.sections.serving import Batch


def check_strict(check: Check) -> None:
    """Warn of each serving entry and section that production should have."""
    blueprint = check.blueprint
    if check.resolved.environment == LOCAL or not blueprint.protect:
        return
    for name, entry in blueprint.serving.items():
        path = f"serving.{name}"
        if entry.monitor is None or not entry.monitor.limits:
            _lacks(
                check, path, "no-monitor", f"nothing watches {path}", "add 'monitor' with limits"
            )
        if isinstance(entry, Batch):
            continue
        if entry.rollout is None or not entry.rollout.limits:
            hint = (
                "add `rollout: {strategy: canary, …, limits: {error_rate_percent: {at_most: 1}}}`"
            )
            message = f"nothing takes a bad version of {path} back"
            _lacks(check, path, "no-rollback", message, hint)
    if blueprint.serving and not blueprint.alerts:
        _lacks(check, "serving", "no-alerts", "nobody is told of what breaks", "add 'alerts'")
    if blueprint.budget is None:
        _lacks(check, "", "no-budget", "nothing watches the costs", "add 'budget'")


def _lacks(check: Check, path: str, code: str, message: str, hint: str) -> None:
    check.report(path, code, message, hint, "warning", at_key=True)
