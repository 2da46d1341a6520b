"""Events that could not be delivered are kept."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import EVENT_TARGET, FUNCTION, PERMISSION
from mlops_iac.graph.model import Resource
from mlops_iac.policy.context import Context, at, is_set, texts
from mlops_iac.policy.model import Rule, Violation

_WHERE = {
    EVENT_TARGET: ("deadLetterConfig", "arn"),
    "aws:scheduler/schedule:Schedule": ("target", "deadLetterConfig", "arn"),
    FUNCTION: ("deadLetterConfig", "targetArn"),
}


def check(context: Context) -> Iterator[Violation]:
    """Find targets, schedules and functions without a queue for what fails."""
    for type_, path in _WHERE.items():
        for each in context.of_type(type_):
            if not is_set(at(each.inputs, *path)) and not _is_waited_for(context, each):
                yield Violation("what it cannot deliver is lost", each)


def _is_waited_for(context: Context, each: Resource) -> bool:
    """A function that no service calls answers its caller, who sees what failed."""
    services = (
        text
        for permission in context.pointing((PERMISSION,), "function", each)
        for text in texts(permission.inputs.get("principal"))
        if text.endswith(".amazonaws.com")
    )
    return each.type == FUNCTION and not any(services)


RULE = Rule(
    id="undelivered",
    title="What could not be delivered is kept",
    severity="advisory",
    why="A training that should have started and did not is found out when the model is stale.",
    remediation="give it a dead-letter queue, and an alarm on that",
    source="EventBridge user guide, https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html",
    check=check,
)
