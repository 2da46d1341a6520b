"""Topics are encrypted."""

from __future__ import annotations

from mlops_iac.clouds.aws.types import TOPIC
from mlops_iac.policy.model import Rule
from mlops_iac.policy.rules._lacking import lacking

RULE = Rule(
    id="topic-encryption",
    title="Topics are encrypted at rest",
    severity="mandatory",
    why="Alerts carry names of systems and people; SNS encrypts only where it is given a key.",
    remediation="give the topic a `kmsMasterKeyId`",
    source="AWS Security Hub SNS.1, https://docs.aws.amazon.com/securityhub/latest/userguide/sns-controls.html#sns-1",
    check=lacking(TOPIC, "kmsMasterKeyId", message="the topic is not encrypted"),
)
