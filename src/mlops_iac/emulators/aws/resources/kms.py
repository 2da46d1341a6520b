"""KMS: customer keys and their aliases."""

# ruff: noqa: RUF012  (the base class declares these tables as ClassVar)

from __future__ import annotations

from typing import Any

from mlops_iac.emulators.aws.api import OPERATION_TAG, Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.handler import changed, made
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value


class Key(Handler):
    """A key. The server names it (a UUID), so it carries an operation tag until it is known."""

    type = "aws:kms/key:Key"
    service = "kms"
    create_op, read_op = "CreateKey", "DescribeKey"
    key, answer = "KeyId", "KeyMetadata"
    renames = {"customerMasterKeySpec": "KeySpec"}
    id = "{keyId}"
    computed = {
        "keyId": "{}",
        "arn": "arn:{partition}:kms:{region}:{account}:key/{}",
        "policy": "{}",
    }
    defaults = {
        "description": "",
        "keyUsage": "ENCRYPT_DECRYPT",
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "isEnabled": True,
        "enableKeyRotation": False,
        "multiRegion": False,
        "bypassPolicyLockoutSafetyCheck": False,
    }
    local = frozenset(
        {"deletionWindowInDays", "enableKeyRotation", "rotationPeriodInDays", "isEnabled"}
    )
    not_kept = frozenset({"bypassPolicyLockoutSafetyCheck", "xksKeyId", "customKeyStoreId"})
    tag_style = "kms"
    server_named = True

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Create with the operation tag, then settle what create does not take."""
        sent = self.sent(inputs)
        sent["tags"] = {**(sent.get("tags") or {}), OPERATION_TAG: token}
        parameters = api.params("kms", "CreateKey", sent, self.renames)
        id_ = str(api.call("kms", "CreateKey", **parameters)["KeyMetadata"]["KeyId"])
        with made(id_):
            self._settle(api, id_, inputs)
        return id_

    def _settle(self, api: Api, id_: str, inputs: Properties) -> None:
        if inputs.get("enableKeyRotation"):
            more: dict[str, Any] = {}
            if inputs.get("rotationPeriodInDays") is not None:
                more["RotationPeriodInDays"] = inputs["rotationPeriodInDays"]
            api.call("kms", "EnableKeyRotation", KeyId=id_, **more)
        if inputs.get("isEnabled") is False:
            api.call("kms", "DisableKey", KeyId=id_)

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """A key that waits for its deletion counts as gone, as the real provider sees it."""
        answer = api.look("kms", "DescribeKey", KeyId=id_)
        if answer is None or answer["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return None
        data = answer["KeyMetadata"]
        found = self.from_answer(api, data)
        policy = api.look("kms", "GetKeyPolicy", KeyId=id_, PolicyName="default")
        rotation = api.look("kms", "GetKeyRotationStatus", KeyId=id_) or {}
        return {
            **found,
            "isEnabled": bool(data["Enabled"]),
            "enableKeyRotation": bool(rotation.get("KeyRotationEnabled")),
            **({"policy": policy["Policy"]} if policy else {}),
        }

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Each part has its own operation."""
        before, sent = old.inputs, self.sent(new)
        if changed(before, new, ["description"]):
            text = sent.get("description", "")
            api.call("kms", "UpdateKeyDescription", KeyId=id_, Description=text)
        if changed(before, new, ["policy"]) and sent.get("policy"):
            policy = sent["policy"]
            api.call("kms", "PutKeyPolicy", KeyId=id_, PolicyName="default", Policy=policy)
        if changed(before, new, ["isEnabled"]) and new.get("isEnabled") is not False:
            api.call("kms", "EnableKey", KeyId=id_)
        if changed(before, new, ["enableKeyRotation"]) and not new.get("enableKeyRotation"):
            api.call("kms", "DisableKeyRotation", KeyId=id_)
        if changed(before, new, ["enableKeyRotation", "rotationPeriodInDays", "isEnabled"]):
            self._settle(api, id_, new)
        self.settle_tags(api, old, new)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Schedule the deletion; one that is scheduled already is fine."""
        answer = api.look("kms", "DescribeKey", KeyId=id_)
        if answer is None or answer["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return
        days = state.inputs.get("deletionWindowInDays") or 30
        api.call("kms", "ScheduleKeyDeletion", KeyId=id_, PendingWindowInDays=days)

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """By the operation tag."""
        for entry in (api.look("kms", "ListKeys") or {}).get("Keys", []):
            tags = (api.look("kms", "ListResourceTags", KeyId=entry["KeyId"]) or {}).get("Tags", [])
            wanted = {"TagKey": OPERATION_TAG, "TagValue": token}
            if wanted in tags and self.read(api, entry["KeyId"], inputs) is not None:
                return str(entry["KeyId"])
        return None


class Alias(Handler):
    """A name for a key. Its id is its name, which starts with `alias/`."""

    type = "aws:kms/alias:Alias"
    service = "kms"
    create_op, update_op, delete_op = "CreateAlias", "UpdateAlias", "DeleteAlias"
    key = "AliasName"
    renames = {"name": "AliasName"}
    name = NameRule(limit=256, prefix="namePrefix", start="alias/")
    computed = {
        "arn": "arn:{partition}:kms:{region}:{account}:{name}",
        "targetKeyArn": "arn:{partition}:kms:{region}:{account}:key/{}",
    }
    volatile = frozenset({"targetKeyArn"})

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Listed, or gone. A target given as ARN stays an ARN."""
        place = api.place
        for entry in (api.look("kms", "ListAliases") or {}).get("Aliases", []):
            if entry["AliasName"] != id_ or "TargetKeyId" not in entry:
                continue
            key = entry["TargetKeyId"]
            arn = f"arn:{place.partition}:kms:{place.region}:{place.account}:key/{key}"
            as_arn = str(known.get("targetKeyId", "")).startswith("arn:")
            return {
                "name": id_,
                "arn": entry["AliasArn"],
                "targetKeyId": arn if as_arn else key,
                "targetKeyArn": arn,
            }
        return None


HANDLERS: list[Handler] = [Key(), Alias()]
