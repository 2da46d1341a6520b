"""The log of what a network carries."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from ._context import Context
from ._iam import policy_document, statement, trust

_AGGREGATION_SECONDS = 600


def log_traffic(
    name: str,
    *,
    context: Context,
    vpc_id: pulumi.Input[str],
    key_arn: pulumi.Input[str] | None,
    retention_days: int,
    permissions_boundary: pulumi.Input[str] | None,
    tags: Mapping[str, pulumi.Input[str]],
) -> None:
    """Write down all traffic of a network, refused or not, with a role that can do only that.

    Source: VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs".
    """
    parent = context.parent
    child = pulumi.ResourceOptions(parent=parent)
    log = aws.cloudwatch.LogGroup(
        f"{name}-traffic",
        retention_in_days=retention_days,
        kms_key_id=key_arn,
        tags=tags,
        opts=child,
    )
    role = aws.iam.Role(
        f"{name}-traffic-role",
        description="Writes the log of the network's traffic",
        assume_role_policy=trust(
            context, "vpc-flow-logs", source_arn=context.arn("ec2", "vpc-flow-log/*")
        ),
        permissions_boundary=permissions_boundary,
        tags=tags,
        opts=child,
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
        opts=child,
    )
    aws.ec2.FlowLog(
        f"{name}-traffic-flow",
        vpc_id=vpc_id,
        traffic_type="ALL",
        log_destination_type="cloud-watch-logs",
        log_destination=log.arn,
        iam_role_arn=role.arn,
        max_aggregation_interval=_AGGREGATION_SECONDS,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[policy]),
    )
