"""Nothing is open to the internet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlops_iac.policy.context import Context, at, items
from mlops_iac.policy.model import Rule, Violation

_GROUP = (
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
)
_INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
# (type, property, the value that opens it, what that means)
_OPEN = (
    ("aws:sagemaker/notebookInstance:NotebookInstance", "directInternetAccess", "Enabled",
     "the notebook has internet access of its own"),
    ("aws:sagemaker/domain:Domain", "appNetworkAccessType", "PublicInternetOnly",
     "apps of the domain are on the internet"),
    ("aws:rds/instance:Instance", "publiclyAccessible", True, "the database is on the internet"),
    ("aws:rds/clusterInstance:ClusterInstance", "publiclyAccessible", True,
     "the database is on the internet"),
    ("aws:ec2/subnet:Subnet", "mapPublicIpOnLaunch", True,
     "machines in the subnet get public addresses"),
    ("aws:mwaa/environment:Environment", "webserverAccessMode", "PUBLIC_ONLY",
     "the web server is on the internet"),
)  # fmt: skip
_EVERYWHERE = ("0.0.0.0/0", "::/0")


def check(context: Context) -> Iterator[Violation]:
    """Find ingress from everywhere, and settings that put something on the internet."""
    for group in context.of_type(*_GROUP):
        if any(_everywhere(rule) for rule in items(group.inputs.get("ingress"))):
            yield Violation("the security group lets the internet in", group)
    for rule in context.of_type(_RULE):
        if rule.inputs.get("type") == "ingress" and _everywhere(rule.inputs):
            yield Violation("the rule lets the internet in", rule)
    for rule in context.of_type(_INGRESS):
        if any(rule.inputs.get(key) in _EVERYWHERE for key in ("cidrIpv4", "cidrIpv6")):
            yield Violation("the rule lets the internet in", rule)
    for type_, key, value, meaning in _OPEN:
        for each in context.of_type(type_):
            found = each.inputs.get(key)
            if found == value:
                yield Violation(meaning, each)


def _everywhere(rule: Any) -> bool:
    blocks = [each for key in ("cidrBlocks", "ipv6CidrBlocks") for each in items(at(rule, key))]
    return any(each in _EVERYWHERE for each in blocks)


RULE = Rule(
    id="public-network",
    title="Nothing is open to the internet",
    severity="mandatory",
    why="Models and data are called by known networks; a port open to everybody is found in hours.",
    remediation="name the networks that may connect, and keep machines in private subnets",
    source="AWS Security Hub EC2.18, SageMaker.1, RDS.2, https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-18",
    check=check,
)
