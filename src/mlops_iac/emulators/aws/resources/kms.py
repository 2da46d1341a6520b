"""KMS: customer keys and their aliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.aws.api import OPERATION_TAG, Api
from mlops_iac.emulators.aws.resources.base import Handler, Part
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value, reveal


class Key(Handler):
    """A key. The server names it (a UUID), so it carries an operation tag until it is known."""

    type = "aws:kms/key:Key"
    service = "kms"
    create_op, read_op = "CreateKey", "DescribeKey"
    key, answer = {"KeyId": "keyId"}, "KeyMetadata"
    made_id = "KeyMetadata.KeyId"
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
    parts = (Part(["description"], "UpdateKeyDescription"),)

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """With the operation tag."""
        tags = {**(reveal(inputs.get("tags")) or {}), OPERATION_TAG: token}
        return super().request(api, {**inputs, "tags": tags}, token)

    def settle(self, api: Api, id_: str, old: Properties | None, new: Properties) -> None:
        """What is not given is left as it is, but for the rotation."""
        super().settle(api, id_, old, new)
        before, sent = new if old is None else old, self.sent(new)
        if changed(before, new, ["policy"]) and sent.get("policy"):
            policy = sent["policy"]
            api.call("kms", "PutKeyPolicy", KeyId=id_, PolicyName="default", Policy=policy)
        if changed(before, new, ["isEnabled"]) and new.get("isEnabled") is not False:
            api.call("kms", "EnableKey", KeyId=id_)
        if changed(before, new, ["enableKeyRotation"]) and not new.get("enableKeyRotation"):
            api.call("kms", "DisableKeyRotation", KeyId=id_)
        if not changed(old or {}, new, ["enableKeyRotation", "rotationPeriodInDays", "isEnabled"]):
            return
        if new.get("enableKeyRotation"):
            period = new.get("rotationPeriodInDays")
            more = {} if period is None else {"RotationPeriodInDays": period}
            api.call("kms", "EnableKeyRotation", KeyId=id_, **more)
        if new.get("isEnabled") is False:
            api.call("kms", "DisableKey", KeyId=id_)

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """A key that waits for its deletion counts as gone, as the real provider sees it."""
        if data["KeyState"] == "PendingDeletion":
            return None
        id_ = data["KeyId"]
        policy = api.look("kms", "GetKeyPolicy", KeyId=id_, PolicyName="default")
        rotation = api.look("kms", "GetKeyRotationStatus", KeyId=id_) or {}
        return {
            **(super().from_answer(api, data) or {}),
            "isEnabled": bool(data["Enabled"]),
            "enableKeyRotation": bool(rotation.get("KeyRotationEnabled")),
            **({"policy": policy["Policy"]} if policy else {}),
        }

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Schedule the deletion; one that is scheduled already is fine."""
        if self.read(api, id_, state.inputs) is None:
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
    read_op, answer, key = "ListAliases", "Aliases", {"AliasName": "name"}
    renames = {"name": "AliasName", "arn": "AliasArn"}
    name = NameRule(limit=256, prefix="namePrefix", start="alias/")
    computed = {
        "arn": "arn:{partition}:kms:{region}:{account}:{name}",
        "targetKeyArn": "arn:{partition}:kms:{region}:{account}:key/{}",
    }
    volatile = frozenset({"targetKeyArn"})

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """A target given as ARN stays an ARN."""
        found = super().read(api, id_, known)
        if found is None:
            return None
        key = found["targetKeyId"]
        found["targetKeyArn"] = arn = self.computed["targetKeyArn"].format(key, **api.place.names())
        as_arn = str(known.get("targetKeyId", "")).startswith("arn:")
        return {**found, "targetKeyId": arn if as_arn else key}


HANDLERS: list[Handler] = [Key(), Alias()]
