"""In production, somebody is told when an endpoint fails."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import ALARM, ENDPOINT
from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find endpoints without an alarm that tells somebody."""
    for endpoint in context.of_type(ENDPOINT):
        # By its dimensions, or by those of the metrics that it computes with.
        alarms = [
            alarm
            for key in ("dimensions", "metricQueries")
            for alarm in context.pointing((ALARM,), key, endpoint)
        ]
        path = context.path_of(endpoint, "monitor")
        if not alarms:
            yield Violation("nothing watches the endpoint", endpoint, path)
        elif not any(is_set(each.inputs.get("alarmActions")) for each in alarms):
            yield Violation("nobody is told when the endpoint fails", endpoint, path)


RULE = Rule(
    id="endpoint-monitor",
    title="Somebody is told when a production endpoint fails",
    severity="mandatory",
    why="Errors and slow answers that nobody hears of are found by customers.",
    remediation="write `monitor: {limits: …}` in the entry, and `alerts:`",
    source="AWS Well-Architected Machine Learning Lens, https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens/machine-learning-lens.html",
    check=check,
    production=True,
)
