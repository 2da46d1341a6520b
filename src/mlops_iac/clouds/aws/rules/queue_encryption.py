"""Queues are encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import QUEUE
from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find queues with neither the service's keys nor one of our own."""
    for queue in context.of_type(QUEUE):
        if not any(
            is_set(queue.inputs.get(key)) for key in ("sqsManagedSseEnabled", "kmsMasterKeyId")
        ):
            yield Violation("the queue is not encrypted", queue)


RULE = Rule(
    id="queue-encryption",
    title="Queues are encrypted at rest",
    severity="mandatory",
    why="What could not be delivered waits in queues for days, payload and all.",
    remediation="set `sqsManagedSseEnabled` or a `kmsMasterKeyId`",
    source="AWS Security Hub SQS.1, https://docs.aws.amazon.com/securityhub/latest/userguide/sqs-controls.html#sqs-1",
    check=check,
)
