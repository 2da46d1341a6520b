"""Events of SageMaker that people are told of, and queues for what cannot be delivered.

Sources: SageMaker developer guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge", for
the names and fields of events; EventBridge user guide, "Using resource-based policies": a rule with
a topic or a queue as its target takes no role.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from ._context import Context, physical
from ._iam import Statement, policy_document, statement
from ._naming import RULE_LIMIT

_EVENT_AGE_SECONDS = 3600
_RETRIES = 3
_KEEP_FAILED_SECONDS = 14 * 24 * 3600


def tell(
    name: str,
    known_as: str,
    *,
    topic_arn: pulumi.Input[str],
    queue_arn: pulumi.Input[str],
    description: str,
    pattern: Mapping[str, Any],
    message: str,
    values: Mapping[str, str],
    tags: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> aws.cloudwatch.EventRule:
    """A rule that tells people `message`, in which `<key>` is the event's value at `values[key]`.

    `queue_arn` keeps what does not reach `topic_arn`.
    `known_as` ends the rule's name in the cloud.
    """
    rule = aws.cloudwatch.EventRule(
        name,
        name=physical(known_as, RULE_LIMIT),
        description=description,
        event_pattern=pulumi.Output.json_dumps(pattern),
        tags=tags,
        opts=opts,
    )
    aws.cloudwatch.EventTarget(
        f"{name}-target",
        rule=rule.name,
        arn=topic_arn,
        # A text in quotes is a text to EventBridge; anything else has to be an object.
        input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
            input_paths=dict(values), input_template=json.dumps(message)
        ),
        retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
            maximum_event_age_in_seconds=_EVENT_AGE_SECONDS, maximum_retry_attempts=_RETRIES
        ),
        dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(arn=queue_arn),
        opts=opts,
    )
    return rule


def dead_letters(
    name: str,
    *,
    tags: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
    called: str | None = None,
) -> aws.sqs.Queue:
    """A queue that keeps for two weeks what could not be delivered; `called` is a literal name."""
    return aws.sqs.Queue(
        name,
        name=called,
        message_retention_seconds=_KEEP_FAILED_SECONDS,
        sqs_managed_sse_enabled=True,
        tags=tags,
        opts=opts,
    )


def admit_rules(
    name: str,
    queue: aws.sqs.Queue,
    context: Context,
    conditions: Mapping[str, Mapping[str, Any]] | None,
    *,
    opts: pulumi.ResourceOptions,
) -> None:
    """The policy of a queue: TLS alone, and the rules that `conditions` let in, if any."""
    statements: list[Statement] = [
        statement(
            "DenyPlainText",
            ["sqs:SendMessage", "sqs:ReceiveMessage"],
            [queue.arn],
            reason="nobody reads or writes without TLS",
            effect="Deny",
            principal="*",
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        )
    ]
    if conditions is not None:
        statements.append(
            statement(
                "RulesSend",
                ["sqs:SendMessage"],
                [queue.arn],
                reason="a rule's undelivered events come by the queue's policy, not by a role",
                principal={"Service": context.service("events")},
                conditions=conditions,
            )
        )
    aws.sqs.QueuePolicy(name, queue_url=queue.url, policy=policy_document(*statements), opts=opts)


def of_rules(rules: Sequence[aws.cloudwatch.EventRule]) -> dict[str, dict[str, Any]]:
    """The conditions under which these rules send."""
    return {"ArnEquals": {"aws:SourceArn": [rule.arn for rule in rules]}}
