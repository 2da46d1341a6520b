"""Who reaches whom in an EC2 network: security groups and their rules, endpoints, flow logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.aws.resources.ec2 import Ec2, default_group, refuse
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties, Value, reveal

_ARN = "arn:{partition}:ec2:{region}:{account}:"
# Who is at the other end → where a permission has it, and what a rule calls it.
_ENDS = {
    "cidrIpv4": ("IpRanges", "CidrIp", "CidrIpv4"),
    "cidrIpv6": ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    "prefixListId": ("PrefixListIds", "PrefixListId", "PrefixListId"),
    "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId", "ReferencedGroupId"),
}


class SecurityGroup(Ec2):
    """A security group without rules; those are resources of their own."""

    type = "aws:ec2/securityGroup:SecurityGroup"
    kind, key, made_id = "security-group", {"GroupId": "id"}, "GroupId"
    create_op, delete_op = "CreateSecurityGroup", "DeleteSecurityGroup"
    read_op, answer = "DescribeSecurityGroups", "SecurityGroups"
    renames = {"name": "GroupName"}
    name: ClassVar[NameRule | None] = NameRule(limit=255, prefix="namePrefix")
    computed = {"id": "sg-{}", "arn": _ARN + "security-group/{id}", "ownerId": "{account}"}
    local = frozenset({"revokeRulesOnDelete"})
    _rules = ("ingress", "egress")

    def sent(self, inputs: Properties, *more: str) -> dict[str, Value]:
        """Rules are refused here."""
        refuse(inputs, self._rules, "write SecurityGroupIngressRule and SecurityGroupEgressRule")
        return super().sent(inputs, *more, *self._rules)

    def settle(self, api: Api, id_: str, old: Properties | None, new: Properties) -> None:
        """Take the rule away that lets everything out, as the real provider does."""
        if old is not None:
            return
        groups = api.call("ec2", "DescribeSecurityGroups", GroupIds=[id_])["SecurityGroups"]
        close(api, groups[0])


def close(api: Api, group: Mapping[str, Any]) -> None:
    """Revoke every rule of a described group."""
    for direction, member in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
        rules = [{k: v for k, v in rule.items() if v not in ([], None)} for rule in group[member]]
        if rules:
            api.call(
                "ec2",
                f"RevokeSecurityGroup{direction}",
                GroupId=group["GroupId"],
                IpPermissions=rules,
            )


class DefaultSecurityGroup(SecurityGroup):
    """The group that a network brings along: taken over and closed, never created or deleted."""

    type = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    name = None
    computed = {
        **SecurityGroup.computed,
        "name": "default",
        "description": "default VPC security group",
    }

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Take over, close, and tag."""
        self.sent(inputs)
        group = default_group(api, str(inputs.get("vpcId")))
        if group is None:
            raise ProviderError(f"network {inputs.get('vpcId')} has no default security group")
        close(api, group)
        id_ = str(group["GroupId"])
        self.settle_tags(api, ResourceState(id_, inputs, {}), inputs)
        return id_

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """It is there as long as the network is."""
        group = default_group(api, str(inputs.get("vpcId")))
        return None if group is None else str(group["GroupId"])

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """It goes with its network."""


class _Rule(Ec2):
    kind, key = "security-group-rule", {"SecurityGroupRuleId": "id"}
    made_id = "SecurityGroupRules.0.SecurityGroupRuleId"
    read_op, answer = "DescribeSecurityGroupRules", "SecurityGroupRules"
    renames = {"securityGroupId": "GroupId"}
    computed = {
        "id": "sgr-{}",
        "securityGroupRuleId": "{id}",
        "arn": _ARN + "security-group-rule/{id}",
    }
    # moto keeps no descriptions of rules.
    not_kept = frozenset({"description"})

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """One permission of a group."""
        return {
            "GroupId": inputs["securityGroupId"],
            "IpPermissions": [self._permission(inputs)],
            "TagSpecifications": self.tagged(inputs, token),
        }

    @staticmethod
    def _permission(inputs: Properties) -> dict[str, Any]:
        plain = reveal(dict(inputs))
        permission: dict[str, Any] = {"IpProtocol": str(plain["ipProtocol"])}
        for member in ("fromPort", "toPort"):
            if plain.get(member) is not None:
                permission[member[0].upper() + member[1:]] = int(plain[member])
        for name, (outer, inner, _) in _ENDS.items():
            if plain.get(name) is not None:
                end = {inner: plain[name]}
                if plain.get("description"):
                    end["Description"] = plain["description"]
                permission[outer] = [end]
        return permission

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """Ports of `-1` mean all of them, and are not written."""
        if bool(data["IsEgress"]) != ("Egress" in self.create_op):
            return None
        found = super().from_answer(api, data) or {}
        if str(data["IpProtocol"]) == "-1":
            found = {k: v for k, v in found.items() if k not in ("fromPort", "toPort")}
        other = data.get("ReferencedGroupInfo")
        if other:
            found["referencedSecurityGroupId"] = other["GroupId"]
        return found

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Change the rule, and its tags."""
        plain = reveal(dict(new))
        names = ("ipProtocol", "fromPort", "toPort", *_ENDS, "description")
        if changed(old.inputs, new, names):
            rule: dict[str, Any] = {
                "IpProtocol": str(plain["ipProtocol"]),
                "FromPort": int(plain.get("fromPort", -1)),
                "ToPort": int(plain.get("toPort", -1)),
            }
            rule |= {
                member: plain[name]
                for name, (_, _, member) in _ENDS.items()
                if plain.get(name) is not None
            }
            if plain.get("description"):
                rule["Description"] = plain["description"]
            api.call(
                "ec2",
                "ModifySecurityGroupRules",
                GroupId=plain["securityGroupId"],
                SecurityGroupRules=[{"SecurityGroupRuleId": id_, "SecurityGroupRule": rule}],
            )
        self.settle_tags(api, old, new)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Revoke what the rule says; moto ignores a revocation by id."""
        if self.read(api, id_, state.inputs) is None:
            return
        group, permission = state.inputs["securityGroupId"], self._permission(state.inputs)
        api.look("ec2", self.delete_op, GroupId=group, IpPermissions=[permission])


class SecurityGroupIngressRule(_Rule):
    """One thing that may come in."""

    type = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    create_op, delete_op = "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"


class SecurityGroupEgressRule(_Rule):
    """One thing that may go out."""

    type = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    create_op, delete_op = "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress"


class VpcEndpoint(Ec2):
    """A way from the network to one service of AWS. moto keeps deleted ones and says so."""

    type = "aws:ec2/vpcEndpoint:VpcEndpoint"
    kind, key = "vpc-endpoint", {"VpcEndpointId": "id"}
    create_op, made_id = "CreateVpcEndpoint", "VpcEndpoint.VpcEndpointId"
    delete_op = "DeleteVpcEndpoints"
    read_op, answer = "DescribeVpcEndpoints", "VpcEndpoints"
    renames = {"policy": "PolicyDocument"}
    computed = {
        "id": "vpce-{}",
        "arn": _ARN + "vpc-endpoint/{id}",
        "prefixListId": "pl-{}",
        "ownerId": "{account}",
        "state": "available",
    }
    _lists = ("subnetIds", "securityGroupIds", "routeTableIds")

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """Groups stand in structures; a gateway goes by the service's prefix list."""
        if str(data["State"]).lower() in ("deleted", "deleting"):
            return None
        found = super().from_answer(api, data) or {}
        found["securityGroupIds"] = [group["GroupId"] for group in data.get("Groups", [])]
        if data["VpcEndpointType"] == "Gateway":
            found["privateDnsEnabled"] = False
            lists = (api.look("ec2", "DescribePrefixLists") or {}).get("PrefixLists", [])
            names = {each["PrefixListName"]: each["PrefixListId"] for each in lists}
            found["prefixListId"] = names.get(data["ServiceName"], "")
        return found

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Policy, and what it is attached to."""
        if changed(old.inputs, new, ["privateDnsEnabled", "ipAddressType", "dnsOptions"]):
            raise ProviderError("moto does not change the DNS of an endpoint: replace it")
        request: dict[str, Any] = {}
        if changed(old.inputs, new, ["policy"]):
            policy = self.sent(new).get("policy")
            request |= {"PolicyDocument": policy} if policy else {"ResetPolicy": True}
        for name in self._lists:
            member = name[0].upper() + name[1:]
            before, wanted = (set(reveal(each.get(name)) or ()) for each in (old.inputs, new))
            if before != wanted:
                request[f"Add{member}"] = sorted(wanted - before)
                request[f"Remove{member}"] = sorted(before - wanted)
        if request:
            filled = {key: value for key, value in request.items() if value}
            api.call("ec2", "ModifyVpcEndpoint", VpcEndpointId=id_, **filled)
        self.settle_tags(api, old, new)


class FlowLog(Ec2):
    """A record of what a network carries. Immutable but for its tags."""

    type = "aws:ec2/flowLog:FlowLog"
    kind, key, made_id = "vpc-flow-log", {"FlowLogId": "id"}, "FlowLogIds.0"
    create_op, delete_op = "CreateFlowLogs", "DeleteFlowLogs"
    read_op, answer = "DescribeFlowLogs", "FlowLogs"
    renames = {"iamRoleArn": "DeliverLogsPermissionArn"}
    computed = {"id": "fl-{}", "arn": _ARN + "vpc-flow-log/{id}"}
    _others = ("eniId", "subnetId", "transitGatewayId", "transitGatewayAttachmentId")

    def sent(self, inputs: Properties, *more: str) -> dict[str, Value]:
        """The network stands among the resources."""
        refuse(inputs, self._others, "flow logs are those of whole networks")
        found = super().sent(inputs, *more, *self._others)
        network = found.pop("vpcId")
        return {**found, "resourceIds": [network], "resourceType": "VPC"}

    def id_made(self, answer: Any) -> str:
        """The API makes several at once, and reports failures beside them."""
        if answer.get("Unsuccessful"):
            raise ProviderError(f"ec2:CreateFlowLogs: {answer['Unsuccessful'][0]['Error']}")
        return super().id_made(answer)

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """What it watches is the network."""
        found = super().from_answer(api, data) or {}
        return {**found, "vpcId": data["ResourceId"]}


HANDLERS: list[Handler] = [
    SecurityGroup(),
    DefaultSecurityGroup(),
    SecurityGroupIngressRule(),
    SecurityGroupEgressRule(),
    VpcEndpoint(),
    FlowLog(),
]
