"""A private network for jobs and endpoints: no way in or out but to the services that are needed.

Two subnets in two availability zones, without an internet gateway, a NAT or a peering; a gateway
endpoint for S3 and interface endpoints for everything else, each with a policy of its own. Or an
existing network, of which nothing is made or changed. SageMaker endpoints have no policies of
resources, so that they are called from the network alone is said by the callers' policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from ._context import Context, physical
from ._endpoint_policies import EndpointPolicies
from ._iam import Statement, policy_document
from ._naming import ENDPOINT_LIMIT
from ._network_groups import NetworkGroups
from ._services import PRIVATE_SERVICES
from ._traffic_log import log_traffic

_ZONES = 2
# Sixteen blocks, so that subnets of other uses find room beside these.
_SUBNET_BITS = 4
# Zones in which services have no endpoints or instances. Source: EKS user guide, "Subnet
# requirements and considerations".
_POOR_ZONES = ["use1-az3", "usw1-az2", "cac1-az3"]
# EC2 API reference, CreateTags: 256 characters.
_TAG_LIMIT = 256


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What reaches what.

    `subnets` and `security_groups` are those of an existing network, `vpc_id` its own id where
    callers come from it alone. Otherwise a network is made with addresses of `cidr`. `endpoints` are the names of the endpoints, as
    `RealTimeEndpoint` takes them. Everything else says what may pass the network's ways out: the
    stack's buckets (`bucket_arns`, `captures_bucket_arn` where there is one), data and models elsewhere (`uris`, `s3://…`), accounts that
    trained what is served (`origin_accounts`; `origin_stacks` is what
    the names of their stacks begin with), ECR repositories (`images`, `<account>/<repository>`)
    and the key of the data. `log_key_arn` encrypts the log of the traffic.
    """

    vpc_id: pulumi.Input[str] | None = None
    subnets: Sequence[pulumi.Input[str]] | None = None
    security_groups: Sequence[pulumi.Input[str]] | None = None
    cidr: str = "10.0.0.0/16"
    endpoints: Sequence[str] = ()
    bucket_arns: Sequence[pulumi.Input[str]] = ()
    captures_bucket_arn: pulumi.Input[str] | None = None
    uris: Sequence[pulumi.Input[str]] = ()
    origin_accounts: Sequence[str] = ()
    origin_stacks: Sequence[str] = ()
    images: Sequence[str] = ()
    key_arn: pulumi.Input[str] | None = None
    log_key_arn: pulumi.Input[str] | None = None
    log_retention_days: int = 365
    permissions_boundary: pulumi.Input[str] | None = None
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Network(pulumi.ComponentResource):
    """Where jobs and containers are put: `subnet_ids` and `security_group_ids`, in `vpc_id`.

    `callers_policy_arn` is the policy that callers of the endpoints take on, None where nothing is
    served; `callers_group_id` the security group of what calls them, None in an existing network.
    """

    vpc_id: pulumi.Output[str] | None
    subnet_ids: list[pulumi.Input[str]]
    security_group_ids: list[pulumi.Input[str]]
    callers_policy_arn: pulumi.Output[str] | None = None
    callers_group_id: pulumi.Output[str] | None = None

    def __init__(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Network", name, None, opts)
        self._name, self._args = name, args
        self._context = Context(self)
        self._child = pulumi.ResourceOptions(parent=self)
        self._policies = EndpointPolicies(
            self._context,
            key_arn=args.key_arn,
            images=args.images,
            endpoint_names=[physical(each, ENDPOINT_LIMIT) for each in args.endpoints],
        )
        if args.subnets and args.security_groups:
            self.vpc_id = pulumi.Output.from_input(args.vpc_id) if args.vpc_id else None
            self.subnet_ids = list(args.subnets)
            self.security_group_ids = list(args.security_groups)
        elif args.subnets or args.security_groups or args.vpc_id:
            raise ValueError(f"{name}: an existing network takes its subnets and security groups")
        else:
            self._make()
        if args.endpoints and self.vpc_id is not None:
            self.callers_policy_arn = self._callers(self.vpc_id)
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "subnetIds": self.subnet_ids,
                "securityGroupIds": self.security_group_ids,
                "callersPolicyArn": self.callers_policy_arn,
                "callersGroupId": self.callers_group_id,
            }
        )

    def _make(self) -> None:
        vpc = aws.ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=self._args.cidr,
            # Private names of interface endpoints need both.
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._tags("vpc"),
            opts=self._child,
        )
        self.vpc_id = vpc.id
        # Every network brings a group whose members reach each other and the world: nothing uses
        # it, and nothing passes it.
        aws.ec2.DefaultSecurityGroup(
            f"{self._name}-default", vpc_id=vpc.id, tags=self._tags("default"), opts=self._child
        )
        routes = aws.ec2.RouteTable(
            f"{self._name}-routes", vpc_id=vpc.id, tags=self._tags("routes"), opts=self._child
        )
        self.subnet_ids = self._subnets(vpc, routes)
        self._endpoints(vpc, routes)
        log_traffic(
            self._name,
            context=self._context,
            vpc_id=vpc.id,
            key_arn=self._args.log_key_arn,
            retention_days=self._args.log_retention_days,
            permissions_boundary=self._args.permissions_boundary,
            tags=self._args.tags,
        )

    def _subnets(self, vpc: aws.ec2.Vpc, routes: aws.ec2.RouteTable) -> list[pulumi.Input[str]]:
        zones = aws.get_availability_zones_output(
            state="available",
            exclude_zone_ids=_POOR_ZONES,
            # Local zones and wavelengths have to be opted into.
            filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}],
            opts=pulumi.InvokeOptions(parent=self),
        )
        network = IPv4Network(self._args.cidr)
        blocks = [*network.subnets(prefixlen_diff=_SUBNET_BITS)][:_ZONES]
        made: list[pulumi.Input[str]] = []
        for index, block in enumerate(blocks):
            suffix = f"private-{'ab'[index]}"
            subnet = aws.ec2.Subnet(
                f"{self._name}-{suffix}",
                vpc_id=vpc.id,
                cidr_block=str(block),
                availability_zone=zones.names[index],
                map_public_ip_on_launch=False,
                tags=self._tags(suffix),
                # A zone that is new, or out of order for a day, must not replace the network.
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["availabilityZone"]),
            )
            aws.ec2.RouteTableAssociation(
                f"{self._name}-{suffix}-routes",
                subnet_id=subnet.id,
                route_table_id=routes.id,
                opts=self._child,
            )
            made.append(subnet.id)
        return made

    def _endpoints(self, vpc: aws.ec2.Vpc, routes: aws.ec2.RouteTable) -> None:
        args, policies = self._args, self._policies
        captures = args.captures_bucket_arn
        buckets = [*args.bucket_arns, *([] if captures is None else [captures])]
        storage = self._endpoint(
            "s3",
            vpc,
            policies.s3(
                bucket_arns=buckets,
                uris=args.uris,
                accounts=args.origin_accounts,
                stacks=args.origin_stacks,
                vpc_id=vpc.id,
            ),
            vpc_endpoint_type="Gateway",
            route_table_ids=[routes.id],
        )
        groups = NetworkGroups(
            self._name,
            vpc_id=vpc.id,
            objects=storage.prefix_list_id,
            tags=args.tags,
            named=self._tags,
            opts=self._child,
        )
        self.security_group_ids = [groups.workload.id]
        self.callers_group_id = groups.callers.id
        for service in PRIVATE_SERVICES:
            statements = policies.of(service)
            # Where nothing is to be reached there is no way.
            if not statements:
                continue
            self._endpoint(
                service,
                vpc,
                statements,
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=self.subnet_ids,
                security_group_ids=[groups.services.id],
            )

    def _endpoint(
        self,
        service: str,
        vpc: aws.ec2.Vpc,
        statements: Sequence[Statement],
        *,
        vpc_endpoint_type: str,
        route_table_ids: Sequence[pulumi.Input[str]] | None = None,
        private_dns_enabled: bool | None = None,
        subnet_ids: Sequence[pulumi.Input[str]] | None = None,
        security_group_ids: Sequence[pulumi.Input[str]] | None = None,
    ) -> aws.ec2.VpcEndpoint:
        suffix = service.replace(".", "-")
        return aws.ec2.VpcEndpoint(
            f"{self._name}-{suffix}",
            vpc_id=vpc.id,
            service_name=pulumi.Output.concat(
                "com.amazonaws.", self._context.region, f".{service}"
            ),
            vpc_endpoint_type=vpc_endpoint_type,
            route_table_ids=route_table_ids,
            private_dns_enabled=private_dns_enabled,
            subnet_ids=subnet_ids,
            security_group_ids=security_group_ids,
            policy=policy_document(*statements),
            tags=self._tags(suffix),
            opts=self._child,
        )

    def _callers(self, vpc_id: pulumi.Output[str]) -> pulumi.Output[str]:
        policy = aws.iam.Policy(
            f"{self._name}-callers-policy",
            description="Calls the endpoints of this stack, from its network only",
            policy=policy_document(*self._policies.callers(vpc_id)),
            tags=self._args.tags,
            opts=self._child,
        )
        return policy.arn

    def _tags(self, suffix: str) -> dict[str, pulumi.Input[str]]:
        """EC2 shows nothing but ids where no tag says the name."""
        return {**self._args.tags, "Name": physical(f"{self._name}-{suffix}", _TAG_LIMIT)}
