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
from ._endpoint_policies import INVOKE, SERVICES, EndpointPolicies
from ._iam import Statement, policy_document, statement, trust
from ._naming import ENDPOINT_LIMIT

_ZONES = 2
# Sixteen blocks, so that subnets of other uses find room beside these.
_SUBNET_BITS = 4
# Zones in which services have no endpoints or instances. Source: EKS user guide, "Subnet
# requirements and considerations".
_POOR_ZONES = ["use1-az3", "usw1-az2", "cac1-az3"]
_TLS = 443
# EC2 API reference, CreateTags: 256 characters.
_TAG_LIMIT = 256


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What reaches what.

    `subnets` and `security_groups` are those of an existing network, `vpc_id` its own id where
    callers come from it alone. Otherwise a network is made with addresses of `cidr`. `endpoints` are the names of the endpoints, as
    `RealTimeEndpoint` takes them. Everything else says what may pass the network's ways out: the
    stack's buckets (`bucket_arns`), data and models elsewhere (`uris`, `s3://…`), accounts that
    trained what is served (`origin_accounts`), ECR repositories (`images`, `<account>/<repository>`)
    and the key of the data. `log_key_arn` encrypts the log of the traffic.
    """

    vpc_id: pulumi.Input[str] | None = None
    subnets: Sequence[pulumi.Input[str]] | None = None
    security_groups: Sequence[pulumi.Input[str]] | None = None
    cidr: str = "10.0.0.0/16"
    endpoints: Sequence[str] = ()
    bucket_arns: Sequence[pulumi.Input[str]] = ()
    uris: Sequence[pulumi.Input[str]] = ()
    origin_accounts: Sequence[str] = ()
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
        given = (args.vpc_id, args.subnets, args.security_groups)
        if any(given) and not args.subnets:
            raise ValueError(f"{name}: an existing network takes its subnets and security groups")
        if args.subnets:
            if not args.security_groups:
                raise ValueError(f"{name}: existing subnets take security groups")
            self.vpc_id = pulumi.Output.from_input(args.vpc_id) if args.vpc_id else None
            self.subnet_ids = list(args.subnets)
            self.security_group_ids = list(args.security_groups)
        else:
            self._make()
        if args.endpoints and self.vpc_id is not None:
            self.callers_policy_arn = self._callers_policy(self.vpc_id)
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
        self._flow_log(vpc)

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
        args = self._args
        names = [physical(each, ENDPOINT_LIMIT) for each in args.endpoints]
        policies = EndpointPolicies(
            self._context, key_arn=args.key_arn, images=args.images, endpoint_names=names
        )
        storage = self._endpoint(
            "s3",
            vpc,
            policies.s3(
                bucket_arns=args.bucket_arns,
                uris=args.uris,
                accounts=args.origin_accounts,
                vpc_id=vpc.id,
            ),
            vpc_endpoint_type="Gateway",
            route_table_ids=[routes.id],
        )
        workload = self._group("workload", vpc, "Jobs and serving containers")
        callers = self._group("callers", vpc, "What calls the endpoints from this network")
        services = self._group("services", vpc, "Ways to services of AWS")
        self.security_group_ids = [workload.id]
        self.callers_group_id = callers.id
        # The machines of one job talk to each other on ports of their own choice.
        self._lets_in("workload-members", workload, workload, "machines of one job")
        self._lets_out("workload-members", workload, "machines of one job", group=workload)
        self._lets_out("workload-s3", workload, "objects", prefix_list=storage.prefix_list_id)
        for suffix, group in (("workload", workload), ("callers", callers)):
            self._lets_out(f"{suffix}-services", group, "services of AWS", group=services)
            self._lets_in(f"services-{suffix}", services, group, f"from the group {suffix}")
        for service in SERVICES:
            # Without anything to call there is nothing to reach, and a policy needs a resource.
            if service == "sagemaker.runtime" and not names:
                continue
            self._endpoint(
                service,
                vpc,
                policies.of(service),
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=self.subnet_ids,
                security_group_ids=[services.id],
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

    def _group(self, suffix: str, vpc: aws.ec2.Vpc, description: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            f"{self._name}-{suffix}",
            vpc_id=vpc.id,
            description=description,
            tags=self._tags(suffix),
            opts=self._child,
        )

    def _lets_in(
        self,
        suffix: str,
        into: aws.ec2.SecurityGroup,
        source: aws.ec2.SecurityGroup,
        description: str,
    ) -> None:
        own = into is source
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-{suffix}-in",
            security_group_id=into.id,
            description=description,
            ip_protocol="-1" if own else "tcp",
            from_port=None if own else _TLS,
            to_port=None if own else _TLS,
            referenced_security_group_id=source.id,
            tags=self._args.tags,
            opts=self._child,
        )

    def _lets_out(
        self,
        suffix: str,
        source: aws.ec2.SecurityGroup,
        description: str,
        *,
        group: aws.ec2.SecurityGroup | None = None,
        prefix_list: pulumi.Input[str] | None = None,
    ) -> None:
        own = group is source
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-{suffix}-out",
            security_group_id=source.id,
            description=description,
            ip_protocol="-1" if own else "tcp",
            from_port=None if own else _TLS,
            to_port=None if own else _TLS,
            referenced_security_group_id=group.id if group is not None else None,
            prefix_list_id=prefix_list,
            tags=self._args.tags,
            opts=self._child,
        )

    def _flow_log(self, vpc: aws.ec2.Vpc) -> None:
        args, name = self._args, self._name
        log = aws.cloudwatch.LogGroup(
            f"{name}-traffic",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.log_key_arn,
            tags=args.tags,
            opts=self._child,
        )
        role = aws.iam.Role(
            f"{name}-traffic-role",
            description="Writes the log of the network's traffic",
            assume_role_policy=trust(
                self._context,
                "vpc-flow-logs",
                source_arn=self._context.arn("ec2", "vpc-flow-log/*"),
            ),
            permissions_boundary=args.permissions_boundary,
            tags=args.tags,
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-traffic-policy",
            role=role.name,
            policy=policy_document(
                statement(
                    "WriteTraffic",
                    ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    [log.arn, pulumi.Output.concat(log.arn, ":*")],
                    reason="what the network carries is written down",
                    wildcard="the streams of its own log group, one per network interface",
                ),
            ),
            opts=self._child,
        )
        aws.ec2.FlowLog(
            f"{name}-traffic-flow",
            vpc_id=vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=log.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=600,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _callers_policy(self, vpc_id: pulumi.Output[str]) -> pulumi.Output[str]:
        """Calls from the network, and none from elsewhere, whatever else allows them."""
        endpoints = [
            self._context.arn("sagemaker", f"endpoint/{physical(each, ENDPOINT_LIMIT)}")
            for each in self._args.endpoints
        ]
        policy = aws.iam.Policy(
            f"{self._name}-callers-policy",
            description="Calls the endpoints of this stack, from its network only",
            policy=policy_document(
                statement(
                    "Invoke",
                    INVOKE,
                    endpoints,
                    reason="callers reach the endpoints through the network's own way",
                    conditions={"StringEquals": {"aws:SourceVpc": vpc_id}},
                ),
                statement(
                    "NotFromElsewhere",
                    INVOKE,
                    endpoints,
                    reason="what allows a caller more must not let it call over the internet",
                    effect="Deny",
                    conditions={"StringNotEquals": {"aws:SourceVpc": vpc_id}},
                ),
            ),
            tags=self._args.tags,
            opts=self._child,
        )
        return policy.arn

    def _tags(self, suffix: str) -> dict[str, pulumi.Input[str]]:
        """EC2 shows nothing but ids where no tag says the name."""
        return {**self._args.tags, "Name": physical(f"{self._name}-{suffix}", _TAG_LIMIT)}
