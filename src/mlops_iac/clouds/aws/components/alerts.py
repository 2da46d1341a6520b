"""One encrypted topic that alarms, events and budgets publish to, and who hears of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from ._alarms import undelivered_alarm
from ._context import Context
from ._events import admit_rules, dead_letters
from ._iam import Statement, policy_document, statement
from ._naming import sid
from .keys import AlertPublisher, publishing_conditions, unsourced


@dataclass(frozen=True)
class AlertsArgs:
    """`key_arn`: a customer key that admits `publishers` (`Keys.operations_key_arn`).

    `emails` by the name of the receiver in the blueprint; each confirms by a mail it gets.
    """

    key_arn: pulumi.Input[str] | None
    emails: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    publishers: Sequence[AlertPublisher] = ("cloudwatch", "events")
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Told:
    """Who hears of events: a topic, and the queue that keeps what did not reach it."""

    topic_arn: pulumi.Input[str]
    queue_arn: pulumi.Input[str]


class Alerts(pulumi.ComponentResource):
    """`topic_arn` and `topic_name`; `topic_arn` is ready once the publishers are admitted.

    `told` is what components take that send events.
    Raises ValueError without a customer key: alarms could not publish, and nobody would notice.
    """

    topic_arn: pulumi.Output[str]
    topic_name: pulumi.Output[str]
    told: Told

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
        queue_arn = self._undelivered(name, args, context)
        self.told = Told(topic_arn=self.topic_arn, queue_arn=queue_arn)
        self.register_outputs({"topicArn": self.topic_arn, "topicName": self.topic_name})

    def _undelivered(self, name: str, args: AlertsArgs, context: Context) -> pulumi.Output[str]:
        """Keep events that the topic did not take; an alarm comes by another way, and says so."""
        child = pulumi.ResourceOptions(parent=self)
        queue = dead_letters(f"{name}-undelivered", tags=args.tags, opts=child)
        admit_rules(
            f"{name}-undelivered-policy",
            queue,
            context,
            {"StringEquals": {"aws:SourceAccount": context.account}},
            opts=child,
        )
        undelivered_alarm(
            f"{name}-undelivered-alarm",
            queue,
            description=f"An event did not reach the topic of {name}; see the queue",
            topic_arn=self.topic_arn,
            tags=args.tags,
            opts=child,
        )
        return queue.arn


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
        reason=f"{service} of this account reports here{unsourced(service)}",
        principal={"Service": context.service(service)},
        conditions=publishing_conditions(context, service),
    )
