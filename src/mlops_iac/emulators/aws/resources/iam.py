"""IAM: roles, their inline policies and attachments, managed policies."""

# ruff: noqa: RUF012  (the base class declares these tables as ClassVar)

from __future__ import annotations

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value


class Role(Handler):
    """A role. Its id is its name."""

    type = "aws:iam/role:Role"
    service = "iam"
    create_op, read_op, delete_op = "CreateRole", "GetRole", "DeleteRole"
    key, answer = "RoleName", "Role"
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

    def from_answer(self, api: Api, data: Properties) -> dict[str, Value]:
        """The boundary is described as an object."""
        found = super().from_answer(api, data)
        boundary = data.get("PermissionsBoundary")
        found.pop("permissionsBoundary", None)
        if boundary:
            found["permissionsBoundary"] = boundary["PermissionsBoundaryArn"]
        return found

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Each part has its own operation."""
        sent = self.sent(new)
        if changed(old.inputs, new, ["assumeRolePolicy"]):
            api.call(
                "iam",
                "UpdateAssumeRolePolicy",
                RoleName=id_,
                PolicyDocument=sent["assumeRolePolicy"],
            )
        if changed(old.inputs, new, ["description", "maxSessionDuration"]):
            api.call(
                "iam",
                "UpdateRole",
                RoleName=id_,
                Description=sent.get("description", ""),
                MaxSessionDuration=sent.get("maxSessionDuration", 3600),
            )
        if changed(old.inputs, new, ["permissionsBoundary"]):
            boundary = sent.get("permissionsBoundary")
            if boundary:
                api.call(
                    "iam",
                    "PutRolePermissionsBoundary",
                    RoleName=id_,
                    PermissionsBoundary=boundary,
                )
            else:
                api.call("iam", "DeleteRolePermissionsBoundary", RoleName=id_)
        self.settle_tags(api, old, new)

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
    read_op = "GetRolePolicy"
    renames = {"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"}
    name = NameRule(limit=128, prefix="namePrefix")
    id = "{role}:{name}"

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """The policy of a role."""
        role, name = id_.split(":", 1)
        answer = api.look("iam", "GetRolePolicy", RoleName=role, PolicyName=name)
        return None if answer is None else self.from_answer(api, answer)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete."""
        role, name = id_.split(":", 1)
        api.look("iam", "DeleteRolePolicy", RoleName=role, PolicyName=name)


class RolePolicyAttachment(Handler):
    """A managed policy on a role. Its id is `role/policy ARN` (hashicorp/aws 6)."""

    type = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service = "iam"
    create_op = "AttachRolePolicy"
    renames = {"role": "RoleName"}
    id = "{role}/{policyArn}"

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Listed among the role's attachments, or gone."""
        role, arn = id_.split("/", 1)
        answer = api.look("iam", "ListAttachedRolePolicies", RoleName=role) or {}
        attached = [policy["PolicyArn"] for policy in answer.get("AttachedPolicies", [])]
        return {"role": role, "policyArn": arn} if arn in attached else None

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Detach."""
        role, arn = id_.split("/", 1)
        api.look("iam", "DetachRolePolicy", RoleName=role, PolicyArn=arn)


class Policy(Handler):
    """A managed policy. Its id is its ARN."""

    type = "aws:iam/policy:Policy"
    service = "iam"
    create_op, read_op, delete_op = "CreatePolicy", "GetPolicy", "DeletePolicy"
    key, answer = "PolicyArn", "Policy"
    renames = {"name": "PolicyName", "policy": "PolicyDocument"}
    name = NameRule(limit=128, prefix="namePrefix")
    id = "{arn}"
    computed = {
        "arn": "arn:{partition}:iam::{account}:policy/{name}",
        "policyId": "ANPA{}",
        "attachmentCount": "",
    }
    defaults = {"path": "/", "attachmentCount": 0}
    local = frozenset({"delayAfterPolicyCreationInMs"})
    volatile = frozenset({"attachmentCount"})
    tag_style = "iam-policy"

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Create; the answer has the ARN."""
        parameters = api.params("iam", "CreatePolicy", self.sent(inputs), self.renames)
        return str(api.call("iam", "CreatePolicy", **parameters)["Policy"]["Arn"])

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """The policy with the document of its default version."""
        found = super().read(api, id_, known)
        answer = api.look("iam", "GetPolicy", PolicyArn=id_)
        if found is None or answer is None:
            return None
        version = answer["Policy"]["DefaultVersionId"]
        document = api.call("iam", "GetPolicyVersion", PolicyArn=id_, VersionId=version)
        text = document["PolicyVersion"]["Document"]
        from mlops_iac.emulators.aws.translation import as_text

        return {**found, "policy": as_text(text)}

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """A new default version; IAM keeps five, so the oldest goes first."""
        if changed(old.inputs, new, ["policy"]):
            if len(versions := self._others(api, id_)) >= 4:
                api.call("iam", "DeletePolicyVersion", PolicyArn=id_, VersionId=versions[-1])
            api.call(
                "iam",
                "CreatePolicyVersion",
                PolicyArn=id_,
                PolicyDocument=self.sent(new)["policy"],
                SetAsDefault=True,
            )
        self.settle_tags(api, old, new)

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

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """By the ARN that the name gives."""
        place = api.place
        path = inputs.get("path") or "/"
        arn = f"arn:{place.partition}:iam::{place.account}:policy{path}{inputs['name']}"
        return arn if self.read(api, arn, inputs) is not None else None


HANDLERS: list[Handler] = [Role(), RolePolicy(), RolePolicyAttachment(), Policy()]
