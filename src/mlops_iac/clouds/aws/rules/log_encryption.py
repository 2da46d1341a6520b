"""Log groups are encrypted with a key of our own."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import LOG_GROUP
from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find log groups without a key."""
    for group in context.of_type(LOG_GROUP):
        if not is_set(group.inputs.get("kmsKeyId")):
            message = "the log group is not encrypted with a key of your own"
            yield Violation(message, group, "security.keys")


RULE = Rule(
    id="log-encryption",
    title="Log groups are encrypted with a key of your own",
    severity="advisory",
    why="CloudWatch always encrypts; with a key of your own, reading logs can be taken away.",
    remediation="write `security: {keys: customer}`, or give the group a `kmsKeyId`",
    source="CloudWatch Logs user guide, https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    check=check,
)
