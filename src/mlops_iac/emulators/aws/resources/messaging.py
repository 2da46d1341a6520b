"""SNS topics and subscriptions, SQS queues. Both write their settings as text attributes."""

# ruff: noqa: RUF012  (the base class declares these tables as ClassVar)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties, Value


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _understood(text: str, spec: Mapping[str, Any]) -> Value:
    match spec["type"]:
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case _:
            return text


class Attributes(Handler):
    """A resource whose properties are attributes; `members` names those written differently."""

    members: ClassVar[Mapping[str, str]] = {}
    # Inputs that are parameters of their own.
    own: ClassVar[tuple[str, ...]] = ("name", "tags")
    # Attributes that the API knows, by its documentation (the model lists them as free text).
    known_attributes: ClassVar[frozenset[str]] = frozenset()

    def attributes(self, inputs: Properties) -> dict[str, str]:
        """Attributes by API name. Raises ProviderError for one the API does not know."""
        found = {}
        for name, value in self.sent(inputs, *self.own).items():
            member = self.members.get(name, _pascal(name))
            if member not in self.known_attributes:
                raise ProviderError(f"{name}: {self.service} has no attribute {member}")
            found[member] = _written(value)
        return found

    def understood(self, attributes: Mapping[str, str]) -> dict[str, Value]:
        """Properties from attributes."""
        return {
            name: _understood(attributes[member], spec)
            for name, spec in self.schema.outputs.items()
            if (member := self.members.get(name, _pascal(name))) in attributes
        }


class Topic(Attributes):
    """A topic. Its id is its ARN."""

    type = "aws:sns/topic:Topic"
    service = "sns"
    name = NameRule(limit=256, prefix="namePrefix", ending=("fifoTopic", ".fifo"))
    id = "{arn}"
    computed = {
        "arn": "arn:{partition}:sns:{region}:{account}:{name}",
        "owner": "{account}",
        "policy": "{}",
    }
    defaults = {
        "displayName": "",
        "fifoTopic": False,
        "contentBasedDeduplication": False,
        "signatureVersion": 0,
        "applicationSuccessFeedbackSampleRate": 0,
        "beginningArchiveTime": "",
    }
    members = {"arn": "TopicArn"}
    known_attributes = frozenset(
        {
            "DeliveryPolicy", "DisplayName", "FifoTopic", "Policy", "SignatureVersion",
            "TracingConfig", "KmsMasterKeyId", "ArchivePolicy", "ContentBasedDeduplication",
            "FifoThroughputScope",
        }
        | {
            f"{kind}{what}"
            for kind in ("Http", "Lambda", "Sqs", "Firehose", "Application")
            for what in (
                "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"
            )
        }
    )  # fmt: skip
    tag_style = "sns"
    not_kept = frozenset({"tracingConfig", "signatureVersion", "archivePolicy"})

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Create with attributes and tags; the answer has the ARN."""
        tags = self.sent(inputs).get("tags") or {}
        answer = api.call(
            "sns",
            "CreateTopic",
            Name=inputs["name"],
            Attributes=self.attributes(inputs),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        return str(answer["TopicArn"])

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Attributes and tags."""
        answer = api.look("sns", "GetTopicAttributes", TopicArn=id_)
        if answer is None:
            return None
        found = self.understood(answer["Attributes"])
        found.update(arn=id_, name=id_.rsplit(":", 1)[-1], owner=answer["Attributes"]["Owner"])
        found["tags"] = self.read_tags(api, found)
        return found

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """One attribute at a time."""
        before, after = self.attributes(old.inputs), self.attributes(new)
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                value = after.get(name, "")
                api.call(
                    "sns",
                    "SetTopicAttributes",
                    TopicArn=id_,
                    AttributeName=name,
                    AttributeValue=value,
                )
        self.settle_tags(api, old, new)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete."""
        api.look("sns", "DeleteTopic", TopicArn=id_)

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """By the ARN that the name gives."""
        place = api.place
        arn = f"arn:{place.partition}:sns:{place.region}:{place.account}:{inputs['name']}"
        return arn if self.read(api, arn, inputs) is not None else None


class TopicPolicy(Handler):
    """The policy of a topic. Its id is the topic's ARN; deleting it leaves the default policy."""

    type = "aws:sns/topicPolicy:TopicPolicy"
    service = "sns"
    id = "{arn}"
    computed = {"owner": "{account}"}

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Set the attribute."""
        sent = self.sent(inputs)
        api.call(
            "sns",
            "SetTopicAttributes",
            TopicArn=sent["arn"],
            AttributeName="Policy",
            AttributeValue=sent["policy"],
        )
        return str(sent["arn"])

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """The attribute."""
        answer = api.look("sns", "GetTopicAttributes", TopicArn=id_)
        if answer is None:
            return None
        attributes = answer["Attributes"]
        return {"arn": id_, "policy": attributes["Policy"], "owner": attributes["Owner"]}

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Set again."""
        self.create(api, new, "")

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Back to the policy that a new topic has (hashicorp/aws writes the same one)."""
        answer = api.look("sns", "GetTopicAttributes", TopicArn=id_)
        if answer is None:
            return
        owner = answer["Attributes"]["Owner"]
        default = (
            '{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":'
            '"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},"Action":['
            '"SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission",'
            '"SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe",'
            f'"SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"{id_}","Condition":'
            f'{{"StringEquals":{{"AWS:SourceOwner":"{owner}"}}}}}}]}}'
        )
        self.create(api, {"arn": id_, "policy": default}, "")


class TopicSubscription(Attributes):
    """A subscription. Its id is its ARN, which the server makes; `find` goes by topic and endpoint.

    One by e-mail stays pending until a person confirms it; moto confirms at once.
    """

    type = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    id = "{arn}"
    computed = {
        "arn": "{topic}:{}",
        "ownerId": "{account}",
        "confirmationWasAuthenticated": "",
        "pendingConfirmation": "",
    }
    defaults = {
        "confirmationTimeoutInMinutes": 1,
        "endpointAutoConfirms": False,
        "rawMessageDelivery": False,
        "confirmationWasAuthenticated": True,
        "pendingConfirmation": False,
    }
    local = frozenset({"confirmationTimeoutInMinutes", "endpointAutoConfirms"})
    own = ("topic", "protocol", "endpoint")
    members = {"arn": "SubscriptionArn", "topic": "TopicArn", "ownerId": "Owner"}
    known_attributes = frozenset(
        {
            "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery",
            "RedrivePolicy", "SubscriptionRoleArn", "ReplayPolicy",
        }
    )  # fmt: skip
    not_kept = frozenset({"replayPolicy"})

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Subscribe; the answer has the ARN."""
        sent = self.sent(inputs)
        answer = api.call(
            "sns",
            "Subscribe",
            TopicArn=sent["topic"],
            Protocol=sent["protocol"],
            Endpoint=sent["endpoint"],
            Attributes=self.attributes(inputs),
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Attributes."""
        answer = api.look("sns", "GetSubscriptionAttributes", SubscriptionArn=id_)
        return None if answer is None else self.understood(answer["Attributes"])

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """One attribute at a time."""
        before, after = self.attributes(old.inputs), self.attributes(new)
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                value = after.get(name, "")
                api.call(
                    "sns",
                    "SetSubscriptionAttributes",
                    SubscriptionArn=id_,
                    AttributeName=name,
                    AttributeValue=value,
                )

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Unsubscribe."""
        api.look("sns", "Unsubscribe", SubscriptionArn=id_)

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """A topic has one subscription per endpoint and protocol."""
        answer = api.look("sns", "ListSubscriptionsByTopic", TopicArn=inputs["topic"]) or {}
        for entry in answer.get("Subscriptions", []):
            if (entry["Protocol"], entry["Endpoint"]) == (inputs["protocol"], inputs["endpoint"]):
                return str(entry["SubscriptionArn"])
        return None


class Queue(Attributes):
    """A queue. Its id is its URL."""

    type = "aws:sqs/queue:Queue"
    service = "sqs"
    name = NameRule(limit=80, prefix="namePrefix", ending=("fifoQueue", ".fifo"))
    id = "{url}"
    computed = {
        "url": "https://sqs.{region}.{suffix}/{account}/{name}",
        "arn": "arn:{partition}:sqs:{region}:{account}:{name}",
    }
    defaults = {
        "delaySeconds": 0,
        "maxMessageSize": 262144,
        "messageRetentionSeconds": 345600,
        "receiveWaitTimeSeconds": 0,
        "visibilityTimeoutSeconds": 30,
        "fifoQueue": False,
        "contentBasedDeduplication": False,
        "kmsDataKeyReusePeriodSeconds": 300,
        "sqsManagedSseEnabled": True,
    }
    members = {
        "arn": "QueueArn",
        "visibilityTimeoutSeconds": "VisibilityTimeout",
        "messageRetentionSeconds": "MessageRetentionPeriod",
        "maxMessageSize": "MaximumMessageSize",
        "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    }
    known_attributes = frozenset(
        {
            "Policy", "VisibilityTimeout", "MaximumMessageSize", "MessageRetentionPeriod",
            "DelaySeconds", "ReceiveMessageWaitTimeSeconds", "RedrivePolicy", "FifoQueue",
            "ContentBasedDeduplication", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds",
            "DeduplicationScope", "FifoThroughputLimit", "RedriveAllowPolicy",
            "SqsManagedSseEnabled",
        }
    )  # fmt: skip
    tag_style = "sqs"

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Create with attributes and tags; the answer has the URL."""
        answer = api.call(
            "sqs",
            "CreateQueue",
            QueueName=inputs["name"],
            Attributes=self.attributes(inputs),
            tags=self.sent(inputs).get("tags") or {},
        )
        return str(answer["QueueUrl"])

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Attributes and tags."""
        answer = api.look("sqs", "GetQueueAttributes", QueueUrl=id_, AttributeNames=["All"])
        if answer is None:
            return None
        found = self.understood(answer["Attributes"])
        found.update(url=id_, name=id_.rsplit("/", 1)[-1])
        found["tags"] = self.read_tags(api, found)
        return found

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Attributes that differ; one that is gone goes back to its default."""
        before, after = self.attributes(old.inputs), self.attributes(new)
        reverse = {self.members.get(name, _pascal(name)): name for name in self.schema.inputs}
        fresh = {
            name: after.get(name, _written(self.defaults.get(reverse[name], "")))
            for name in {*before, *after}
            if before.get(name) != after.get(name)
        }
        if fresh:
            api.call("sqs", "SetQueueAttributes", QueueUrl=id_, Attributes=fresh)
        self.settle_tags(api, old, new)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete."""
        api.look("sqs", "DeleteQueue", QueueUrl=id_)

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """By name."""
        answer = api.look("sqs", "GetQueueUrl", QueueName=inputs["name"])
        return str(answer["QueueUrl"]) if answer else None


class QueuePolicy(Handler):
    """The policy of a queue. Its id is the queue's URL."""

    type = "aws:sqs/queuePolicy:QueuePolicy"
    service = "sqs"
    id = "{queueUrl}"

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Set the attribute."""
        sent = self.sent(inputs)
        policy = {"Policy": sent["policy"]}
        api.call("sqs", "SetQueueAttributes", QueueUrl=sent["queueUrl"], Attributes=policy)
        return str(sent["queueUrl"])

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """The attribute, or nothing."""
        names = ["Policy"]
        answer = api.look("sqs", "GetQueueAttributes", QueueUrl=id_, AttributeNames=names)
        policy = (answer or {}).get("Attributes", {}).get("Policy")
        return {"queueUrl": id_, "policy": policy} if policy else None

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Set again."""
        if changed(old.inputs, new, ["policy"]):
            self.create(api, new, "")

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Set nothing."""
        api.look("sqs", "SetQueueAttributes", QueueUrl=id_, Attributes={"Policy": ""})


HANDLERS: list[Handler] = [Topic(), TopicPolicy(), TopicSubscription(), Queue(), QueuePolicy()]
