"""Logs are kept for a time that somebody chose."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import ENDPOINT, LOG_GROUP
from mlops_iac.policy.context import Context, is_known
from mlops_iac.policy.model import Parameter, Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find logs that are kept for ever, or for less than `least_days`."""
    least = context.parameter("least_days")
    for group in context.of_type(LOG_GROUP):
        days = group.inputs.get("retentionInDays")
        if not is_known(days):
            continue
        if not days:
            yield Violation("the log group keeps what it gets for ever", group)
        elif days < least:
            yield Violation(f"the log group keeps {days:g} days, less than {least}", group)
    # SageMaker makes the group itself where there is none, and keeps it for ever.
    groups = {group.inputs.get("name") for group in context.of_type(LOG_GROUP)}
    for endpoint in context.of_type(ENDPOINT):
        name = endpoint.inputs.get("name")
        if isinstance(name, str) and f"/aws/sagemaker/Endpoints/{name}" not in groups:
            yield Violation("its log is kept for ever", endpoint)


RULE = Rule(
    id="log-retention",
    title="Logs are kept long enough, and not for ever",
    severity="advisory",
    why="Without a retention, logs and their costs grow for ever; too short, nobody can look back.",
    remediation="give the log group a `retentionInDays`",
    source="AWS Security Hub CloudWatch.16, https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-16",
    check=check,
    parameters={"least_days": Parameter("integer", 30, "The shortest retention, in days.", 1)},
)
