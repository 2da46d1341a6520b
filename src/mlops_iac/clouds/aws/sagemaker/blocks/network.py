"""The network that jobs and endpoints run in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_iac.clouds.aws.components._services import PRIVATE_SERVICES
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.blocks.data_store import buckets, captures
from mlops_iac.clouds.aws.sagemaker.blocks.datasets import read_here, uris
from mlops_iac.clouds.aws.sagemaker.blocks.network_checks import check_network
from mlops_iac.clouds.aws.sagemaker.blocks.promotion import (
    ORIGIN_STACKS,
    ORIGINS,
    promotes,
    promoting,
)
from mlops_iac.clouds.aws.sagemaker.deployer_actions import LOG_GROUPS, ROLES
from mlops_iac.clouds.aws.sagemaker.modes import needs
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import NETWORK, Scope, call
from mlops_iac.clouds.base import ComponentCall, Setting

IN_NETWORK = "security.private_network"


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    needed = needs(scope)
    accounts, stacks = promoting(scope)
    yield call(
        NETWORK,
        "network:Network",
        {
            # Where callers may come from anywhere, it is nobody's condition.
            "vpc_id": scope.existing("network") if scope.is_private else None,
            "subnets": scope.existing("subnets"),
            "security_groups": scope.existing("security_groups"),
            "endpoints": needed.endpoints or None,
            "bucket_arns": buckets(),
            "captures_bucket_arn": captures(scope),
            "uris": [*uris(scope, read_here(scope)), *machines.model_uris(scope)] or None,
            "origin_accounts": Setting(accounts, ORIGINS) if promotes(scope) else None,
            "origin_stacks": Setting(stacks, ORIGIN_STACKS) if promotes(scope) else None,
            "images": Setting(machines.repositories(scope), "images"),
            "key_arn": scope.data_key,
            "log_key_arn": scope.log_key,
            "permissions_boundary": scope.permissions_boundary,
            "tags": scope.tags,
        },
        path="security.network",
        flag=IN_NETWORK,
        exports={"network": "vpc_id"}
        | (
            {
                "callers_policy": "callers_policy_arn",
                "callers_security_group": "callers_group_id",
            }
            if needed.endpoints
            else {}
        ),
    )


def in_network(scope: Scope) -> Setting | bool:
    """Not configured where no environment has a network."""
    if not any(each.in_network for each in scope.siblings):
        return False
    return Setting(scope.in_network, IN_NETWORK)


def _names(scope: Scope) -> list[tuple[str, str]]:
    return [(NETWORK, "")] if any(each.places for each in scope.siblings) else []


def _guide(every: Sequence[Scope]) -> list[str]:
    scopes = [scope for scope in every if scope.is_private]
    if not scopes:
        return []
    lines = ["## The private network", ""]
    if any(needs(scope).endpoints for scope in scopes):
        lines += [
            (
                "Endpoints have no policies of their own: who may call is said by the callers'. Give"
                " every caller's role the policy of the output `callers_policy`. It allows calls that"
                " come through the network, and denies all others, whatever else allows them; an"
                " identity without it that may `sagemaker:InvokeEndpoint` calls from anywhere, so"
                " grant that to nobody, or deny it in a service control policy unless"
                " `aws:SourceVpc` is the output `network`."
            ),
            "",
        ]
    if any(scope.makes_network for scope in scopes):
        lines += [
            (
                "The stack's own network has no way in or out but to services of AWS. Callers run in"
                " its subnets with the security group of the output `callers_security_group`, or in"
                " a network that you connect to it, whose addresses you let into the group of the"
                " endpoints."
            ),
            (
                "What runs in it reaches the buckets of this stack and the data named in the"
                " blueprint, and no package index: images bring what code needs."
            ),
            "",
        ]
    if any(not scope.makes_network for scope in scopes):
        services = ", ".join(f"`{each}`" for each in PRIVATE_SERVICES)
        lines += [
            (
                "Of an existing network nothing is made or changed. Without a way to the internet it"
                f" needs a gateway endpoint for `s3` and interface endpoints for {services}, with"
                " private DNS; its security groups let their own members in on all ports and out to"
                " these endpoints on 443. Callers reach the endpoints through `sagemaker.runtime`."
            ),
            "",
        ]
    lines.append(
        "Closed networks are enforced by AWS, and were checked here against schemas and emulators."
    )
    return lines


PRIVATE_NETWORK = Part(
    there=lambda scope: scope.places,
    plan=_plan,
    planned=(
        "security.network",
        "security.egress",
        "existing.network",
        "existing.subnets",
        "existing.security_groups",
    ),
    check=check_network,
    names=_names,
    deployed=Deployed(
        actions={
            "Network": (
                *prefixed(
                    "ec2:",
                    "AssociateRouteTable AuthorizeSecurityGroupEgress "
                    "AuthorizeSecurityGroupIngress CreateFlowLogs CreateRouteTable "
                    "CreateSecurityGroup CreateSubnet CreateTags CreateVpc CreateVpcEndpoint "
                    "DeleteFlowLogs DeleteRouteTable DeleteSecurityGroup DeleteSubnet DeleteTags "
                    "DeleteVpc DeleteVpcEndpoints DescribeAvailabilityZones DescribeFlowLogs "
                    "DescribeNetworkAcls DescribeNetworkInterfaces DescribePrefixLists "
                    "DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups "
                    "DescribeSubnets DescribeVpcAttribute DescribeVpcEndpoints DescribeVpcs "
                    "DisassociateRouteTable ModifySecurityGroupRules ModifySubnetAttribute "
                    "ModifyVpcAttribute ModifyVpcEndpoint ReplaceRouteTableAssociation "
                    "RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
                ),
                # Private names of interface endpoints are a hosted zone of the network's.
                "route53:AssociateVPCWithHostedZone",
                *prefixed(
                    "iam:",
                    "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy "
                    "GetPolicyVersion ListPolicyVersions PassRole TagPolicy UntagPolicy",
                ),
                *ROLES,
                *LOG_GROUPS,
            )
        },
        named={"iam": ("iam::${account}:policy/${stem}-*",)},
        unnamed={
            "ec2": "networks have ids that EC2 makes, and a network's default group no tag before it"
            " is ours: give a private stack an account of its own",
            "route53": "private names of endpoints lie in zones of the service's",
        },
        passed_to=("vpc-flow-logs",),
    ),
    settings={
        IN_NETWORK: "whether jobs and containers run in a network, the stack's own or an existing"
        " one",
    },
    guide=_guide,
)
