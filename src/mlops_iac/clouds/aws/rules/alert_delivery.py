"""What EventBridge tells a topic arrives there."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.rules._documents import statements
from mlops_iac.clouds.aws.types import EVENT_TARGET, KEY, TOPIC, TOPIC_POLICY
from mlops_iac.graph.model import Resource
from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Rule, Violation

_SOURCES = ("aws:SourceAccount", "aws:SourceArn")


def check(context: Context) -> Iterator[Violation]:
    """Find conditions and roles with which EventBridge cannot publish to a topic."""
    for each in statements(context):
        events = any(name.startswith("events.") for name in each.services)
        if (
            each.allow
            and events
            and each.limited_by(*_SOURCES)
            and _of_topic(context, each.resource)
        ):
            message = f"{each.called} asks EventBridge for a source, which it does not send here"
            yield Violation(message, each.resource)
    for topic in context.of_type(TOPIC):
        for target in context.pointing((EVENT_TARGET,), "arn", topic):
            if is_set(target.inputs.get("roleArn")):
                yield Violation("a rule with a role cannot publish to an encrypted topic", target)


def _of_topic(context: Context, resource: Resource) -> bool:
    if resource.type == KEY:
        return bool(context.pointing((TOPIC,), "kmsMasterKeyId", resource))
    return resource.type in (TOPIC, TOPIC_POLICY)


RULE = Rule(
    id="alert-delivery",
    title="What EventBridge tells a topic arrives",
    severity="mandatory",
    why="The rule fires, the topic refuses, and nobody hears of the failed training.",
    remediation="let EventBridge in without a condition, and give the target no role",
    source="SNS developer guide, https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html; EventBridge user guide, https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html",
    check=check,
)
