"""One encrypted topic that alarms, events and budgets publish to, and who hears of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from ._context import Context
from ._iam import Statement, policy_document, statement
from ._naming import sid
from .keys import AlertPublisher


@dataclass(frozen=True)
class AlertsArgs:
    """`key_arn`: a customer key that admits `publishers` (`Keys.alerts_key_arn`).

    `emails` by the name of the receiver in the blueprint; each confirms by a mail it gets.
    """

    key_arn: pulumi.Input[str] | None
    emails: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    publishers: Sequence[AlertPublisher] = ("cloudwatch",)
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Alerts(pulumi.ComponentResource):
    """`topic_arn` and `topic_name`; `topic_arn` is ready once the publishers are admitted.

    Raises ValueError without a customer key: alarms could not publish, and nobody would notice.
    """

    topic_arn: pulumi.Output[str]
    topic_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Alerts", name, None, opts)
        if args.key_arn is None:
            raise ValueError(f"{name}: a topic that alarms publish to needs a customer key")
        context = Context(self)
        child = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(
            f"{name}-topic", kms_master_key_id=args.key_arn, tags=args.tags, opts=child
        )
        policy = aws.sns.TopicPolicy(
            f"{name}-topic-policy",
            arn=topic.arn,
            policy=policy_document(
                _owner(context, topic.arn),
                *(_publisher(context, topic.arn, each) for each in args.publishers),
            ),
            opts=child,
        )
        for receiver, address in args.emails.items():
            aws.sns.TopicSubscription(
                f"{name}-{receiver}",
                topic=topic.arn,
                protocol="email",
                endpoint=address,
                opts=child,
            )
        # Who publishes here needs the permission too, not only the topic.
        self.topic_arn = pulumi.Output.all(topic.arn, policy.id).apply(lambda known: str(known[0]))
        self.topic_name = topic.name
        self.register_outputs({"topicArn": self.topic_arn, "topicName": self.topic_name})


def _owner(context: Context, topic: pulumi.Input[str]) -> Statement:
    return statement(
        "Owner",
        [
            "sns:AddPermission",
            "sns:DeleteTopic",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:Publish",
            "sns:RemovePermission",
            "sns:SetTopicAttributes",
            "sns:Subscribe",
        ],
        [topic],
        reason="a topic's policy replaces the default one, which lets its owner manage it",
        principal={"AWS": context.root()},
    )


def _publisher(context: Context, topic: pulumi.Input[str], service: str) -> Statement:
    return statement(
        sid(f"{service} publishes"),
        ["sns:Publish"],
        [topic],
        reason=f"{service} of this account reports here",
        principal={"Service": context.service(service)},
        conditions={"StringEquals": {"aws:SourceAccount": context.account}},
    )
