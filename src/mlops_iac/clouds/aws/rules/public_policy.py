"""No policy lets everybody in."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.rules._documents import statements
from mlops_iac.clouds.aws.types import PERMISSION
from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Rule, Violation

_FUNCTION_URL = "aws:lambda/functionUrl:FunctionUrl"
# Source: S3 user guide, "The meaning of public".
_LIMITS = (
    "aws:SourceArn", "aws:SourceAccount", "aws:SourceOwner", "aws:SourceVpc", "aws:SourceVpce",
    "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalAccount", "aws:PrincipalArn",
    "kms:CallerAccount",
)  # fmt: skip


def check(context: Context) -> Iterator[Violation]:
    """Find policies that allow the principal `*`, functions that anybody may call."""
    for each in statements(context):
        if each.allow and "*" in each.principals and not each.limited_by(*_LIMITS):
            yield Violation(f"{each.called} lets everybody in", each.resource)
    for permission in context.of_type(PERMISSION):
        given = permission.inputs
        limits = ("sourceArn", "sourceAccount", "principalOrgId")
        if given.get("principal") == "*" and not any(is_set(given.get(key)) for key in limits):
            yield Violation("everybody may call the function", permission)
    for address in context.of_type(_FUNCTION_URL):
        if address.inputs.get("authorizationType") == "NONE":
            yield Violation("the function's address asks nobody who they are", address)


RULE = Rule(
    id="public-policy",
    title="No policy lets everybody in",
    severity="mandatory",
    why="A principal `*` without a condition is every AWS account there is.",
    remediation="name the principals, or limit the statement by account, organisation or source",
    source="AWS Security Hub SNS.4, SQS.3, Lambda.1, https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    check=check,
)
