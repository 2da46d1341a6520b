"""Where a stack lives: account, region and partition, and the names that follow from the stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pulumi
import pulumi_aws as aws

from ._naming import (
    catalogue_name,
    catalogue_stem,
    long_name,
    name_prefix,
    physical_name,
    stem,
)
from ._services import PRINCIPAL_SUFFIX

# Services whose principal carries the partition's DNS suffix; every other principal ends in
# amazonaws.com in all partitions. Source: ServicePrincipalNameForPartition of
# HashiCorp's AWS provider libraries (China; the isolated partitions are not offered here).
_SUFFIXED = frozenset({"logs", "codedeploy", "elasticmapreduce"})


def physical(name: str, limit: int) -> str:
    """`<project>-<stack>-<name>` of the running program, at most `limit` characters."""
    return physical_name(pulumi.get_project(), pulumi.get_stack(), name, limit)


def prefix(name: str, limit: int) -> str:
    """`<project>-<stack>-<name>-`, at most `limit` characters, for the provider to finish."""
    return name_prefix(pulumi.get_project(), pulumi.get_stack(), name, limit)


def if_long(name: str, limit: int) -> str | None:
    """The literal name where the one that Pulumi would make of `name` exceeds `limit`."""
    return long_name(pulumi.get_project(), pulumi.get_stack(), name, limit)


def catalogued(name: str) -> str:
    """What the running stack calls a database of the catalogue."""
    start = catalogue_stem(pulumi.get_project(), pulumi.get_stack())
    return catalogue_name(name, start)


def stack_stem() -> str:
    """What every name of the running stack begins with."""
    return stem(pulumi.get_project(), pulumi.get_stack())


@dataclass(frozen=True)
class Context:
    """The account, region and partition that `parent`'s provider works in, as outputs."""

    parent: pulumi.Resource

    @cached_property
    def account(self) -> pulumi.Output[str]:
        """The twelve-digit account."""
        return aws.get_caller_identity_output(opts=self._options).account_id

    @cached_property
    def region(self) -> pulumi.Output[str]:
        """The region's name, `eu-west-1`."""
        return aws.get_region_output(opts=self._options).region

    @cached_property
    def partition(self) -> pulumi.Output[str]:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return aws.get_partition_output(opts=self._options).partition

    @cached_property
    def dns_suffix(self) -> pulumi.Output[str]:
        """`amazonaws.com`, or `amazonaws.com.cn` in China."""
        return aws.get_partition_output(opts=self._options).dns_suffix

    @cached_property
    def _here(self) -> pulumi.Output[Sequence[str]]:
        return pulumi.Output.all(self.partition, self.region, self.account)

    @property
    def _options(self) -> pulumi.InvokeOptions:
        return pulumi.InvokeOptions(parent=self.parent)

    def arn(
        self,
        service: str,
        resource: pulumi.Input[str],
        *,
        region: bool = True,
        account: pulumi.Input[str] | None = None,
    ) -> pulumi.Output[str]:
        """The ARN of `resource` in this account (or `account`) and region."""

        def written(known: Sequence[Any]) -> str:
            (partition, here, own), other, name = known
            owner = own if other is None else other
            return f"arn:{partition}:{service}:{here if region else ''}:{owner}:{name}"

        return pulumi.Output.all(self._here, account, resource).apply(written)

    def root(self, account: pulumi.Input[str] | None = None) -> pulumi.Output[str]:
        """The principal that stands for a whole account: whom its IAM policies allow."""
        return self.arn("iam", "root", region=False, account=account)

    def endpoint(self, service: str) -> pulumi.Output[str]:
        """The name under which `service` uses a key for its caller, `kms:ViaService`."""
        return pulumi.Output.concat(f"{service}.", self.region, ".", self.dns_suffix)

    def service(self, service: str) -> pulumi.Output[str]:
        """The principal of an AWS service in this partition (`logs` has one per region)."""
        if service == "logs":
            return pulumi.Output.concat("logs.", self.region, ".", self.dns_suffix)
        if service in _SUFFIXED:
            return pulumi.Output.concat(service, ".", self.dns_suffix)
        return pulumi.Output.from_input(f"{service}.{PRINCIPAL_SUFFIX}")
