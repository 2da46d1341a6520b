"""EC2 networks: VPC, subnets, route tables, and what every EC2 type has in common.

EC2 names what it makes, so everything carries an operation tag until its id is known. Routes
besides the local one are refused: no stack makes any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from mlops_iac.emulators.aws.api import OPERATION_TAG, Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.aws.resources.tags import change_tags, pairs
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties, Value, reveal

_ARN = "arn:{partition}:ec2:{region}:{account}:"


class Ec2(Handler):
    """Created with tags, described by id, found by the operation tag."""

    service = "ec2"
    id = "{id}"
    server_named = True
    tag_style = "ec2"
    # As tags and ARNs call it (`vpc-endpoint`).
    kind: ClassVar[str] = ""

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """With the operation tag."""
        parameters = api.params("ec2", self.create_op, self.sent(inputs, "tags"), self.renames)
        if self.tag_style:
            parameters["TagSpecifications"] = self.tagged(inputs, token)
        return parameters

    def tagged(self, inputs: Properties, token: str) -> list[dict[str, Any]]:
        """The tags that a creation sends."""
        tags = {**(reveal(inputs.get("tags")) or {}), OPERATION_TAG: token}
        return [{"ResourceType": self.kind, "Tags": pairs(tags)}]

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """With its tags, and what the API does not say."""
        found = super().from_answer(api, data) or {}
        id_ = next(data[member] for member in self.key)
        tags = found.get("tags") or {}
        found["tags"] = {key: value for key, value in tags.items() if key != OPERATION_TAG}
        if "arn" in self.schema.outputs:
            found["arn"] = _ARN.format(**api.place.names()) + f"{self.kind}/{id_}"
        if "ownerId" in self.schema.outputs:
            found["ownerId"] = api.place.account
        return found

    def read_tags(self, api: Api, found: Properties) -> dict[str, str]:
        """They stand in every description; one without has none."""
        return {}

    def settle_tags(self, api: Api, old: ResourceState, new: Properties) -> None:
        """They stand in the description."""
        before = (self.read(api, old.id, old.outputs) or {}).get("tags") or {}
        wanted = reveal(new.get("tags")) or {}
        change_tags(api, self.tag_style, {"id": [old.id]}, before, wanted)

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """By the operation tag."""
        wanted = [{"Name": f"tag:{OPERATION_TAG}", "Values": [token]}]
        answer = api.look("ec2", self.read_op, Filters=wanted) or {}
        alive = (each for each in answer.get(self.answer, []) if self.from_answer(api, each))
        return next((str(each[key]) for each in alive for key in self.key), None)


def refuse(inputs: Properties, names: Sequence[str], instead: str) -> None:
    """Refuse what would be lost. Raises ProviderError."""
    for name in names:
        if inputs.get(name):
            raise ProviderError(f"{name} is not emulated: {instead}")


class Vpc(Ec2):
    """A network. Its main route table, security group and access list come with it."""

    type = "aws:ec2/vpc:Vpc"
    kind, key, made_id = "vpc", {"VpcId": "id"}, "Vpc.VpcId"
    create_op, delete_op = "CreateVpc", "DeleteVpc"
    read_op, answer = "DescribeVpcs", "Vpcs"
    computed = {
        "id": "vpc-{}",
        "arn": _ARN + "vpc/{id}",
        "mainRouteTableId": "rtb-{}",
        "defaultRouteTableId": "rtb-{}",
        "defaultSecurityGroupId": "sg-{}",
        "defaultNetworkAclId": "acl-{}",
        "dhcpOptionsId": "dopt-{}",
        "ownerId": "{account}",
    }
    defaults = {
        "enableDnsHostnames": False,
        "enableNetworkAddressUsageMetrics": False,
        "assignGeneratedIpv6CidrBlock": False,
    }
    _attributes = ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")
    local = frozenset(_attributes)

    def settle(self, api: Api, id_: str, old: Properties | None, new: Properties) -> None:
        """One attribute at a time, as the API wants it; one that is gone, back to its default."""
        plain = {"enableDnsSupport": True, **self.defaults}
        for name in self._attributes:
            if changed(old or {}, new, [name]):
                value = new.get(name, plain[name])
                member = name[0].upper() + name[1:]
                api.call("ec2", "ModifyVpcAttribute", VpcId=id_, **{member: {"Value": value}})

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """Attributes are asked for one by one."""
        found, id_ = super().from_answer(api, data) or {}, data["VpcId"]
        for name in self._attributes:
            answer = api.look("ec2", "DescribeVpcAttribute", VpcId=id_, Attribute=name) or {}
            found[name] = bool(answer[name[0].upper() + name[1:]]["Value"])
        mine = [{"Name": "vpc-id", "Values": [id_]}]
        tables = (api.look("ec2", "DescribeRouteTables", Filters=mine) or {})["RouteTables"]
        main = [t["RouteTableId"] for t in tables if any(a["Main"] for a in t["Associations"])]
        acls = (api.look("ec2", "DescribeNetworkAcls", Filters=mine) or {})["NetworkAcls"]
        group = default_group(api, id_)
        return {
            **found,
            "mainRouteTableId": main[0],
            "defaultRouteTableId": main[0],
            "defaultSecurityGroupId": group["GroupId"] if group else "",
            "defaultNetworkAclId": next(a["NetworkAclId"] for a in acls if a["IsDefault"]),
        }


class Subnet(Ec2):
    """A subnet in one availability zone."""

    type = "aws:ec2/subnet:Subnet"
    kind, key, made_id = "subnet", {"SubnetId": "id"}, "Subnet.SubnetId"
    create_op, delete_op = "CreateSubnet", "DeleteSubnet"
    read_op, answer = "DescribeSubnets", "Subnets"
    computed = {"id": "subnet-{}", "arn": _ARN + "subnet/{id}", "ownerId": "{account}"}
    local = frozenset({"mapPublicIpOnLaunch"})

    def settle(self, api: Api, id_: str, old: Properties | None, new: Properties) -> None:
        """Whether machines get public addresses."""
        if changed(old or {}, new, ["mapPublicIpOnLaunch"]):
            public = {"Value": bool(new.get("mapPublicIpOnLaunch"))}
            api.call("ec2", "ModifySubnetAttribute", SubnetId=id_, MapPublicIpOnLaunch=public)

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """The hostname's type stands one level deeper."""
        found = super().from_answer(api, data) or {}
        launch = data.get("PrivateDnsNameOptionsOnLaunch", {})
        return {**found, "privateDnsHostnameTypeOnLaunch": launch.get("HostnameType", "ip-name")}


class RouteTable(Ec2):
    """A route table with its local route; gateway endpoints add theirs."""

    type = "aws:ec2/routeTable:RouteTable"
    kind, key, made_id = "route-table", {"RouteTableId": "id"}, "RouteTable.RouteTableId"
    create_op, delete_op = "CreateRouteTable", "DeleteRouteTable"
    read_op, answer = "DescribeRouteTables", "RouteTables"
    computed = {"id": "rtb-{}", "arn": _ARN + "route-table/{id}", "ownerId": "{account}"}
    _refused = ("routes", "propagatingVgws")

    def sent(self, inputs: Properties, *more: str) -> dict[str, Value]:
        """Nothing but the network."""
        refuse(inputs, self._refused, "the emulated network has no way out")
        return super().sent(inputs, *more, *self._refused)

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """The local route and those of endpoints are not the table's own."""
        found = super().from_answer(api, data) or {}
        return {key: value for key, value in found.items() if key not in self._refused}


class RouteTableAssociation(Ec2):
    """A subnet that goes by a route table. It takes no tags."""

    type = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    create_op, update_op = "AssociateRouteTable", "ReplaceRouteTableAssociation"
    read_op, delete_op = "DescribeRouteTables", "DisassociateRouteTable"
    made_id = "AssociationId"
    computed = {"id": "rtbassoc-{}"}
    tag_style = ""

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """By its subnet, which has one: another table gives the association another id."""
        found = self._of(api, known)
        if found is None:
            return None
        return {"routeTableId": found["RouteTableId"], "subnetId": found["SubnetId"]}

    def _of(self, api: Api, known: Properties) -> Mapping[str, Any] | None:
        subnet = str(known.get("subnetId"))
        wanted = [{"Name": "association.subnet-id", "Values": [subnet]}]
        answer = api.look("ec2", self.read_op, Filters=wanted) or {}
        for table in answer.get("RouteTables", []):
            for each in table["Associations"]:
                if each.get("SubnetId") == subnet:
                    return {"RouteTableId": table["RouteTableId"], **each}
        return None

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Another table."""
        found = self._of(api, new)
        current = found["RouteTableAssociationId"] if found else id_
        table = self.sent(new)["routeTableId"]
        api.call("ec2", self.update_op, AssociationId=current, RouteTableId=table)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Disassociate."""
        found = self._of(api, state.inputs)
        if found is not None:
            api.look("ec2", self.delete_op, AssociationId=found["RouteTableAssociationId"])

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """A subnet has one table."""
        found = self._of(api, inputs)
        return None if found is None else str(found["RouteTableAssociationId"])


def default_group(api: Api, vpc_id: str) -> Mapping[str, Any] | None:
    """The security group that a network brings along."""
    mine = [
        {"Name": "vpc-id", "Values": [vpc_id]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    answer = api.look("ec2", "DescribeSecurityGroups", Filters=mine) or {}
    for group in answer.get("SecurityGroups", []):
        result: Mapping[str, Any] = group
        return result
    return None


HANDLERS: list[Handler] = [Vpc(), Subnet(), RouteTable(), RouteTableAssociation()]
