"""SNS topics and subscriptions, SQS queues. Both write their settings as text attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties, Value


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
    answer = "Attributes"

    def attributes(self, inputs: Properties) -> dict[str, str]:
        """Attributes by API name. Raises ProviderError for one the API does not know."""
        found = {}
        for name, value in self.sent(inputs, *self.own).items():
            member = self.member_of(name)
            if member not in self.known_attributes:
                raise ProviderError(f"{name}: {self.service} has no attribute {member}")
            found[member] = _written(value)
        return found

    def member_of(self, name: str) -> str:
        """What the API calls a property."""
        return self.members.get(name, name[:1].upper() + name[1:])

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """Attributes beside what has parameters of its own."""
        attributes = self.attributes(inputs)
        own = {name: inputs[name] for name in self.own if inputs.get(name) is not None}
        parameters = api.params(self.service, self.create_op, own, self.renames)
        return {**parameters, "Attributes": attributes}

    def from_answer(self, api: Api, data: Mapping[str, str]) -> dict[str, Value] | None:
        """Properties from attributes."""
        return {
            name: _understood(data[member], spec)
            for name, spec in self.schema.outputs.items()
            if (member := self.member_of(name)) in data
        }

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Attributes that differ; one that is gone goes back to its default."""
        before, after = self.attributes(old.inputs), self.attributes(new)
        unset = {self.member_of(name): _written(each) for name, each in self.defaults.items()}
        fresh = {
            name: after.get(name, unset.get(name, ""))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        }
        if fresh:
            self.write(api, id_, fresh)
        self.settle_tags(api, old, new)

    def write(self, api: Api, id_: str, attributes: Mapping[str, str]) -> None:
        """One attribute at a time."""
        where = self.where(self.update_op, id_, {})
        for name, value in attributes.items():
            api.call(
                self.service, self.update_op, **where, AttributeName=name, AttributeValue=value
            )


class Topic(Attributes):
    """A topic. Its id is its ARN."""

    type = "aws:sns/topic:Topic"
    service = "sns"
    create_op, read_op, delete_op = "CreateTopic", "GetTopicAttributes", "DeleteTopic"
    update_op = "SetTopicAttributes"
    key = {"TopicArn": "arn"}
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

    def from_answer(self, api: Api, data: Mapping[str, str]) -> dict[str, Value] | None:
        """Its name ends its ARN."""
        found = super().from_answer(api, data) or {}
        found["name"] = data["TopicArn"].rsplit(":", 1)[-1]
        return {**found, "tags": self.read_tags(api, found)}


class TopicPolicy(Handler):
    """The policy of a topic. Its id is the topic's ARN; deleting it leaves the default policy."""

    type = "aws:sns/topicPolicy:TopicPolicy"
    service = "sns"
    read_op, answer, key = "GetTopicAttributes", "Attributes", {"TopicArn": "arn"}
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

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """The attribute."""
        return {"policy": data["Policy"], "owner": data["Owner"]}

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Set again."""
        self.create(api, new, "")

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Back to the policy that a new topic has (hashicorp/aws writes the same one)."""
        found = self.read(api, id_, state.inputs)
        if found is None:
            return
        default = (
            '{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":'
            '"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},"Action":['
            '"SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission",'
            '"SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe",'
            f'"SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"{id_}","Condition":'
            f'{{"StringEquals":{{"AWS:SourceOwner":"{found["owner"]}"}}}}}}]}}'
        )
        self.create(api, {"arn": id_, "policy": default}, "")


class TopicSubscription(Attributes):
    """A subscription. Its id is its ARN, which the server makes; `find` goes by topic and endpoint.

    One by e-mail stays pending until a person confirms it; moto confirms at once.
    """

    type = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    create_op, read_op = "Subscribe", "GetSubscriptionAttributes"
    update_op, delete_op = "SetSubscriptionAttributes", "Unsubscribe"
    key, made_id = {"SubscriptionArn": "arn"}, "SubscriptionArn"
    renames = {"topic": "TopicArn"}
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

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """One that waits for its confirmation has an ARN, too."""
        return {**super().request(api, inputs, token), "ReturnSubscriptionArn": True}

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
    create_op, read_op, delete_op = "CreateQueue", "GetQueueAttributes", "DeleteQueue"
    update_op = "SetQueueAttributes"
    key, made_id = {"QueueUrl": "url"}, "QueueUrl"
    renames = {"name": "QueueName"}
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

    def where(self, operation: str, id_: str, known: Properties) -> dict[str, Any]:
        """Attributes are told that are asked for."""
        every = {"AttributeNames": ["All"]} if operation == self.read_op else {}
        return {**super().where(operation, id_, known), **every}

    def from_answer(self, api: Api, data: Mapping[str, str]) -> dict[str, Value] | None:
        """Its name ends its ARN, as its URL."""
        return {**(super().from_answer(api, data) or {}), "name": data["QueueArn"].split(":")[-1]}

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """With its tags, which are listed by its URL."""
        found = super().read(api, id_, known)
        return found and {**found, "tags": self.read_tags(api, found)}

    def write(self, api: Api, id_: str, attributes: Mapping[str, str]) -> None:
        """All at once."""
        api.call("sqs", self.update_op, QueueUrl=id_, Attributes=attributes)

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
