"""Queues are encrypted."""

from __future__ import annotations

from mlops_iac.clouds.aws.types import QUEUE
from mlops_iac.policy.model import Rule
from mlops_iac.policy.rules._lacking import lacking

RULE = Rule(
    id="queue-encryption",
    title="Queues are encrypted at rest",
    severity="mandatory",
    why="What could not be delivered waits in queues for days, payload and all.",
    remediation="set `sqsManagedSseEnabled` or a `kmsMasterKeyId`",
    source="AWS Security Hub SQS.1, https://docs.aws.amazon.com/securityhub/latest/userguide/sqs-controls.html#sqs-1",
    check=lacking(
        QUEUE, "sqsManagedSseEnabled", "kmsMasterKeyId", message="the queue is not encrypted"
    ),
)
