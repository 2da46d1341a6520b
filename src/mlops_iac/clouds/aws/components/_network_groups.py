"""Who reaches whom inside a private network: three security groups, and every rule between them.

Rules are resources of their own, each with its reason. Machines of one job talk to each other on
ports of their own choice (SageMaker developer guide, "Give SageMaker AI training jobs access to
resources in your Amazon VPC"); everything else is TLS to services of AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pulumi
import pulumi_aws as aws

_TLS = 443


class NetworkGroups:
    """`workload` for jobs and containers, `callers` for what calls them, `services` for the ways out."""

    def __init__(
        self,
        name: str,
        *,
        vpc_id: pulumi.Input[str],
        objects: pulumi.Input[str],
        tags: Mapping[str, pulumi.Input[str]],
        named: Callable[[str], dict[str, pulumi.Input[str]]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """`objects` is the prefix list of S3, `named` makes the tags of a group by its suffix."""
        self._name, self._tags, self._child = name, tags, opts
        self._vpc_id, self._named = vpc_id, named
        self.workload = self._group("workload", "Jobs and serving containers")
        self.callers = self._group("callers", "What calls the endpoints from this network")
        self.services = self._group("services", "Ways to services of AWS")
        self._lets_in("workload-members", self.workload, self.workload, "machines of one job")
        self._lets_out("workload-members", self.workload, "machines of one job", self.workload)
        self._lets_out("workload-s3", self.workload, "objects", prefix_list=objects)
        for suffix, group in (("workload", self.workload), ("callers", self.callers)):
            self._lets_out(f"{suffix}-services", group, "services of AWS", self.services)
            self._lets_in(f"services-{suffix}", self.services, group, f"from the group {suffix}")

    def _group(self, suffix: str, description: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            f"{self._name}-{suffix}",
            vpc_id=self._vpc_id,
            description=description,
            tags=self._named(suffix),
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
            tags=self._tags,
            opts=self._child,
        )

    def _lets_out(
        self,
        suffix: str,
        source: aws.ec2.SecurityGroup,
        description: str,
        group: aws.ec2.SecurityGroup | None = None,
        *,
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
            tags=self._tags,
            opts=self._child,
        )
