"""Log groups are encrypted with a key of our own."""

from __future__ import annotations

from mlops_iac.clouds.aws.types import LOG_GROUP
from mlops_iac.policy.model import Rule
from mlops_iac.policy.rules._lacking import lacking

RULE = Rule(
    id="log-encryption",
    title="Log groups are encrypted with a key of your own",
    severity="advisory",
    why="CloudWatch always encrypts; with a key of your own, reading logs can be taken away.",
    remediation="write `security: {keys: customer}`, or give the group a `kmsKeyId`",
    source="CloudWatch Logs user guide, https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    check=lacking(
        LOG_GROUP,
        "kmsKeyId",
        message="the log group is not encrypted with a key of your own",
        path="security.keys",
    ),
)
