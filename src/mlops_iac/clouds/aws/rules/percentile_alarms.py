"""An alarm on a percentile does not judge single calls."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import ALARM
from mlops_iac.policy.context import Context, is_known
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find alarms on percentiles that are evaluated however few samples there are."""
    for alarm in context.of_type(ALARM):
        statistic = alarm.inputs.get("extendedStatistic")
        few = alarm.inputs.get("evaluateLowSampleCountPercentiles")
        if str(statistic).startswith("p") and is_known(few) and few != "ignore":
            yield Violation(f"one slow call at night is its {statistic}", alarm)


RULE = Rule(
    id="percentile-alarms",
    title="Alarms on percentiles wait for enough calls",
    severity="advisory",
    why="Pages about single calls teach people to ignore pages.",
    remediation="set `evaluateLowSampleCountPercentiles: ignore`, and watch errors besides",
    source="CloudWatch user guide, https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html",
    check=check,
)
