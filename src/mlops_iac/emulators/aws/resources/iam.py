"""IAM: roles, their inline policies and attachments, managed policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler, Part
from mlops_iac.emulators.aws.translation import as_text
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value


class Role(Handler):
    """A role. Its id is its name."""

    type = "aws:iam/role:Role"
    service = "iam"
    create_op, read_op, delete_op = "CreateRole", "GetRole", "DeleteRole"
    key, answer = {"RoleName": "name"}, "Role"
    renames = {
        "name": "RoleName",
        "assumeRolePolicy": "AssumeRolePolicyDocument",
        "uniqueId": "RoleId",
    }
    name = NameRule(limit=64, prefix="namePrefix")
    computed = {
        "arn": "arn:{partition}:iam::{account}:role/{name}",
        "createDate": "{}",
        "uniqueId": "AROA{}",
    }
    defaults = {
        "description": "",
        "path": "/",
        "maxSessionDuration": 3600,
        "forceDetachPolicies": False,
    }
    local = frozenset({"forceDetachPolicies"})
    tag_style = "iam-role"
    parts = (
        Part(
            ["assumeRolePolicy"],
            "UpdateAssumeRolePolicy",
            renames={"assumeRolePolicy": "PolicyDocument"},
        ),
        Part(["description", "maxSessionDuration"], "UpdateRole"),
        Part(
            ["permissionsBoundary"], "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"
        ),
    )

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """The boundary is described as an object."""
        found = super().from_answer(api, data) or {}
        boundary = data.get("PermissionsBoundary")
        found.pop("permissionsBoundary", None)
        if boundary:
            found["permissionsBoundary"] = boundary["PermissionsBoundaryArn"]
        return found

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """IAM refuses while policies are attached, unless `forceDetachPolicies` says to detach."""
        if state.inputs.get("forceDetachPolicies") is True:
            attached = api.look("iam", "ListAttachedRolePolicies", RoleName=id_) or {}
            for policy in attached.get("AttachedPolicies", []):
                arn = policy["PolicyArn"]
                api.look("iam", "DetachRolePolicy", RoleName=id_, PolicyArn=arn)
            inline = api.look("iam", "ListRolePolicies", RoleName=id_) or {}
            for policy_name in inline.get("PolicyNames", []):
                api.look("iam", "DeleteRolePolicy", RoleName=id_, PolicyName=policy_name)
        super().delete(api, id_, state)


class RolePolicy(Handler):
    """An inline policy. Its id is `role:policy`."""

    type = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    create_op = update_op = "PutRolePolicy"
    read_op, delete_op = "GetRolePolicy", "DeleteRolePolicy"
    key = {"RoleName": "role", "PolicyName": "name"}
    renames = {"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"}
    name = NameRule(limit=128, prefix="namePrefix")
    id = "{role}:{name}"


class RolePolicyAttachment(Handler):
    """A managed policy on a role. Its id is `role/policy ARN` (hashicorp/aws 6)."""

    type = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service = "iam"
    create_op, delete_op = "AttachRolePolicy", "DetachRolePolicy"
    read_op, answer = "ListAttachedRolePolicies", "AttachedPolicies"
    key = {"RoleName": "role", "PolicyArn": "policyArn"}
    renames = {"role": "RoleName"}
    id = "{role}/{policyArn}"


class Policy(Handler):
    """A managed policy. Its id is its ARN."""

    type = "aws:iam/policy:Policy"
    service = "iam"
    create_op, read_op, delete_op = "CreatePolicy", "GetPolicy", "DeletePolicy"
    key, answer = {"PolicyArn": "arn"}, "Policy"
    renames = {"name": "PolicyName", "policy": "PolicyDocument"}
    name = NameRule(limit=128, prefix="namePrefix")
    id = "{arn}"
    computed = {
        "arn": "arn:{partition}:iam::{account}:policy{path}{name}",
        "policyId": "ANPA{}",
        "attachmentCount": "",
    }
    defaults = {"path": "/", "attachmentCount": 0}
    local = frozenset({"delayAfterPolicyCreationInMs"})
    volatile = frozenset({"attachmentCount"})
    tag_style = "iam-policy"

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """With the document of its default version."""
        arn, version = data["Arn"], data["DefaultVersionId"]
        answer = api.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
        text = as_text(answer["PolicyVersion"]["Document"])
        return {**(super().from_answer(api, data) or {}), "policy": text}

    def settle(self, api: Api, id_: str, old: Properties | None, new: Properties) -> None:
        """A new default version; IAM keeps five, so the oldest goes first."""
        if old is None or not changed(old, new, ["policy"]):
            return
        if len(versions := self._others(api, id_)) >= 4:
            api.call("iam", "DeletePolicyVersion", PolicyArn=id_, VersionId=versions[-1])
        document = self.sent(new)["policy"]
        api.call(
            "iam", "CreatePolicyVersion", PolicyArn=id_, PolicyDocument=document, SetAsDefault=True
        )

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Versions that are not the default go first."""
        for version in self._others(api, id_):
            api.look("iam", "DeletePolicyVersion", PolicyArn=id_, VersionId=version)
        super().delete(api, id_, state)

    def _others(self, api: Api, arn: str) -> list[str]:
        """Versions that are not the default, newest first."""
        answer = api.look("iam", "ListPolicyVersions", PolicyArn=arn) or {}
        rest = [v["VersionId"] for v in answer.get("Versions", []) if not v["IsDefaultVersion"]]
        return sorted(rest, key=lambda text: int(text[1:]), reverse=True)


HANDLERS: list[Handler] = [Role(), RolePolicy(), RolePolicyAttachment(), Policy()]
