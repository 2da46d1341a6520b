"""Topics are encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import TOPIC
from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find topics without a key."""
    for topic in context.of_type(TOPIC):
        if not is_set(topic.inputs.get("kmsMasterKeyId")):
            yield Violation("the topic is not encrypted", topic)


RULE = Rule(
    id="topic-encryption",
    title="Topics are encrypted at rest",
    severity="mandatory",
    why="Alerts carry names of systems and people; SNS encrypts only where it is given a key.",
    remediation="give the topic a `kmsMasterKeyId`",
    source="AWS Security Hub SNS.1, https://docs.aws.amazon.com/securityhub/latest/userguide/sns-controls.html#sns-1",
    check=check,
)
