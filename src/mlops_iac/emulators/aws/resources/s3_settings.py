"""Settings of a bucket: each is one put, one get and mostly one delete. Their id is the bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value


class Setting(Handler):
    """One setting. `payload` is the request's member that holds it, `shape` that member's shape."""

    service = "s3"
    id, key = "{bucket}", {"Bucket": "bucket"}
    payload: ClassVar[str]
    shape: ClassVar[str]
    # The property that holds it all; "" where the properties are the members.
    wrapped: ClassVar[str] = ""
    # The member of the answer that holds it; "" where the answer is it.
    inside: ClassVar[str] = ""

    def body(self, api: Api, inputs: Properties) -> dict[str, Any]:
        """The payload for the put."""
        sent = self.sent(inputs, "bucket", "expectedBucketOwner", "skipDestroy")
        if self.wrapped:
            value = sent.pop(self.wrapped, None) or {}
            whole = api.part("s3", self.shape, value, self.renames, self.wrapped)
            if sent:  # raises with the property's name
                api.part("s3", self.shape, sent, self.renames)
            return whole
        return api.part("s3", self.shape, sent, self.renames)

    def put(self, api: Api, inputs: Properties, **more: Any) -> None:
        """Write the setting."""
        body = self.body(api, inputs)
        api.call("s3", self.create_op, Bucket=inputs["bucket"], **{self.payload: body}, **more)

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Put."""
        self.put(api, inputs)
        return str(inputs["bucket"])

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Put again."""
        self.put(api, new)

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Get; without the setting there is nothing."""
        answer = api.look("s3", self.read_op, Bucket=id_)
        if answer is None:
            return None
        data: Mapping[str, Any] | None = answer.get(self.inside) if self.inside else answer
        if not data:
            return None
        fields = self.schema.outputs
        if self.wrapped:
            inner = fields[self.wrapped]["fields"]
            value = api.properties("s3", self.shape, data, inner, self.renames, self.wrapped)
            return {"bucket": id_, self.wrapped: value} if value else None
        found = api.properties("s3", self.shape, data, fields, self.renames)
        return {**found, "bucket": id_}


class Versioning(Setting):
    """Versioning cannot be removed: deleting it suspends it."""

    type = "aws:s3/bucketVersioning:BucketVersioning"
    create_op, read_op = "PutBucketVersioning", "GetBucketVersioning"
    payload = shape = "VersioningConfiguration"
    wrapped = "versioningConfiguration"
    local = frozenset({"mfa"})
    not_kept = frozenset({"versioningConfiguration.mfaDelete"})

    def put(self, api: Api, inputs: Properties, **more: Any) -> None:
        """`Disabled` is the state of a bucket that never had versioning: nothing to put."""
        configuration = inputs.get("versioningConfiguration") or {}
        if configuration.get("status") != "Disabled":
            super().put(api, inputs, **({"MFA": inputs["mfa"]} if inputs.get("mfa") else {}))

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """A bucket without versioning reads as `Disabled`."""
        found = super().read(api, id_, known)
        disabled = (known.get("versioningConfiguration") or {}).get("status") == "Disabled"
        if found is None and disabled and api.look("s3", "HeadBucket", Bucket=id_) is not None:
            return {"bucket": id_, "versioningConfiguration": {"status": "Disabled"}}
        return found

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Suspend."""
        answer = api.look("s3", "GetBucketVersioning", Bucket=id_) or {}
        if answer.get("Status") == "Enabled":
            configuration = {"Status": "Suspended"}
            api.look("s3", self.create_op, Bucket=id_, VersioningConfiguration=configuration)


class Encryption(Setting):
    """Default encryption."""

    type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    create_op, read_op = "PutBucketEncryption", "GetBucketEncryption"
    delete_op = "DeleteBucketEncryption"
    payload = shape = inside = "ServerSideEncryptionConfiguration"
    renames = {"rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": "KMSMasterKeyID"}
    not_kept = frozenset({"rules.blockedEncryptionTypes"})


class PublicAccessBlock(Setting):
    """The four switches against public access."""

    type = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    create_op, read_op = "PutPublicAccessBlock", "GetPublicAccessBlock"
    delete_op = "DeletePublicAccessBlock"
    payload = shape = inside = "PublicAccessBlockConfiguration"
    local = frozenset({"skipDestroy"})
    defaults = {
        "blockPublicAcls": False,
        "blockPublicPolicy": False,
        "ignorePublicAcls": False,
        "restrictPublicBuckets": False,
    }


class OwnershipControls(Setting):
    """Who owns uploaded objects."""

    type = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    create_op, read_op = "PutBucketOwnershipControls", "GetBucketOwnershipControls"
    delete_op = "DeleteBucketOwnershipControls"
    payload = shape = inside = "OwnershipControls"
    renames = {"rule": "Rules"}


class Lifecycle(Setting):
    """Lifecycle rules."""

    type = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    create_op = "PutBucketLifecycleConfiguration"
    read_op = "GetBucketLifecycleConfiguration"
    delete_op = "DeleteBucketLifecycle"
    payload = "LifecycleConfiguration"
    shape = "BucketLifecycleConfiguration"
    renames = {"rules.id": "ID", "rules.filter.and.tags": "Tags"}
    local = frozenset({"transitionDefaultMinimumObjectSize"})
    not_kept = frozenset({"transitionDefaultMinimumObjectSize", "expectedBucketOwner"})
    defaults = {"transitionDefaultMinimumObjectSize": "all_storage_classes_128K"}

    def put(self, api: Api, inputs: Properties, **more: Any) -> None:
        """A rule for the whole bucket has an empty prefix in its filter."""
        body = self.body(api, inputs)
        for rule in body["Rules"]:
            if not rule.get("Filter") and "Prefix" not in rule:
                rule["Filter"] = {"Prefix": ""}
        api.call("s3", self.create_op, Bucket=inputs["bucket"], LifecycleConfiguration=body)

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """A filter of an empty prefix is no filter, however it was written."""
        found = super().read(api, id_, known)
        written = {rule.get("id"): rule.get("filter") for rule in known.get("rules") or []}
        for rule in (found or {}).get("rules", []):
            if rule.get("filter") in ({}, {"prefix": ""}):
                mine = written.get(rule.get("id"))
                rule["filter"] = mine if mine in ({}, {"prefix": ""}) else None
        return found


class Policy(Setting):
    """The bucket's policy."""

    type = "aws:s3/bucketPolicy:BucketPolicy"
    create_op, read_op, delete_op = "PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"
    payload = inside = shape = "Policy"

    def put(self, api: Api, inputs: Properties, **more: Any) -> None:
        """The payload is text."""
        policy = self.sent(inputs)["policy"]
        api.call("s3", "PutBucketPolicy", Bucket=inputs["bucket"], Policy=policy)

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """The payload is text."""
        answer = api.look("s3", "GetBucketPolicy", Bucket=id_)
        return None if not answer else {"bucket": id_, "policy": answer["Policy"]}


class Logging(Setting):
    """Access logs. An empty status removes them."""

    type = "aws:s3/bucketLogging:BucketLogging"
    create_op, read_op = "PutBucketLogging", "GetBucketLogging"
    payload, shape, inside = "BucketLoggingStatus", "LoggingEnabled", "LoggingEnabled"
    not_kept = frozenset({"targetObjectKeyFormat"})

    def body(self, api: Api, inputs: Properties) -> dict[str, Any]:
        """Wrapped once more."""
        return {"LoggingEnabled": super().body(api, inputs)}

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Put nothing."""
        api.look("s3", "PutBucketLogging", Bucket=id_, BucketLoggingStatus={})


class Notification(Setting):
    """Events of a bucket, to EventBridge, topics, queues and functions.

    moto stores that events go to EventBridge and does not say so when asked: a drift of
    `eventbridge` cannot be seen.
    """

    type = "aws:s3/bucketNotification:BucketNotification"
    create_op = "PutBucketNotificationConfiguration"
    read_op = "GetBucketNotificationConfiguration"
    payload = shape = "NotificationConfiguration"
    _lists: ClassVar[Mapping[str, str]] = {
        "topics": "TopicConfigurations",
        "queues": "QueueConfigurations",
        "lambdaFunctions": "LambdaFunctionConfigurations",
    }
    defaults = {"eventbridge": False}
    not_kept = frozenset({"eventbridge"})

    def body(self, api: Api, inputs: Properties) -> dict[str, Any]:
        """Prefix and suffix become filter rules."""
        sent = self.sent(inputs, "bucket")
        body: dict[str, Any] = {}
        if sent.pop("eventbridge", False):
            body["EventBridgeConfiguration"] = {}
        for property_, member in self._lists.items():
            entries = sent.pop(property_, None) or []
            if entries:
                body[member] = [self._entry(api, member, dict(entry)) for entry in entries]
        if sent:
            api.part("s3", self.shape, sent)
        return body

    def _entry(self, api: Api, member: str, entry: dict[str, Any]) -> dict[str, Any]:
        rules = [
            {"Name": name.lower(), "Value": entry.pop(property_)}
            for name, property_ in (("Prefix", "filterPrefix"), ("Suffix", "filterSuffix"))
            if entry.get(property_) is not None or entry.pop(property_, None)
        ]
        body = api.part("s3", member.removesuffix("s"), entry)
        return {**body, **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})}

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """A configuration without anything in it is gone."""
        answer = api.look("s3", self.read_op, Bucket=id_) or {}
        found: dict[str, Value] = {}
        if known.get("eventbridge") and api.look("s3", "HeadBucket", Bucket=id_) is not None:
            found["eventbridge"] = True
        for property_, member in self._lists.items():
            fields = self.schema.outputs[property_]["items"]["fields"]
            for entry in answer.get(member, []):
                item = api.properties("s3", member.removesuffix("s"), entry, fields)
                for rule in entry.get("Filter", {}).get("Key", {}).get("FilterRules", []):
                    item[f"filter{rule['Name'].capitalize()}"] = rule["Value"]
                found.setdefault(property_, []).append(item)
        return {"bucket": id_, **found} if found else None

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Put nothing."""
        api.look("s3", self.create_op, Bucket=id_, NotificationConfiguration={})


HANDLERS: list[Handler] = [
    Versioning(),
    Encryption(),
    PublicAccessBlock(),
    OwnershipControls(),
    Lifecycle(),
    Policy(),
    Logging(),
    Notification(),
]
