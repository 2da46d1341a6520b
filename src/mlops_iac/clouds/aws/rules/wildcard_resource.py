"""What a policy allows, it allows on named resources."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from mlops_iac.clouds.aws.rules._documents import Statement, is_broad, statements
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Parameter, Rule, Violation

# Actions that cannot be limited to a resource.
# Source: Service Authorization Reference, rows without a resource type.
_UNSCOPED = (
    "application-autoscaling:describe*", "cloudwatch:getmetricdata",
    "cloudwatch:getmetricstatistics", "cloudwatch:listmetrics", "cloudwatch:putmetricdata",
    "ec2:describe*", "ecr:getauthorizationtoken", "logs:createlogdelivery",
    "logs:describeresourcepolicies", "logs:listlogdeliveries", "s3:listallmybuckets",
    "sagemaker:list*", "sagemaker:search", "sts:getcalleridentity", "sts:getsessiontoken",
    "xray:getsamplingrules", "xray:getsamplingtargets", "xray:puttelemetryrecords",
    "xray:puttracesegments",
)  # fmt: skip
_LIMITS = (
    "aws:PrincipalOrgID", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceTag/*",
    "aws:SourceArn", "aws:SourceVpce", "cloudwatch:namespace", "ec2:Vpc", "ec2:Subnet",
    "iam:ResourceTag/*", "kms:CallerAccount", "kms:EncryptionContext*", "kms:ViaService",
    "sagemaker:ResourceTag/*", "secretsmanager:ResourceTag/*",
)  # fmt: skip
# Of what an action makes there is nothing yet but the tags that it is made with.
_MAKES, _MADE_WITH = ("sagemaker:create*", "sagemaker:addtags"), "aws:RequestTag/*"


def check(context: Context) -> Iterator[Violation]:
    """Find statements over `*`, every bucket, every key … that no condition narrows."""
    unscoped = (*_UNSCOPED, *(each.lower() for each in context.parameter("unscoped_actions")))
    for each in statements(context):
        if not each.allow or each.kind != "identity" or each.limited_by(*_LIMITS):
            continue
        if each.limited_by(_MADE_WITH) and all(_matches(action, _MAKES) for action in each.actions):
            continue
        broad = [text for text in each.resources if is_broad(text) and not _is_new(text, each)]
        wide = [action for action in each.actions if not _matches(action, unscoped)]
        if wide and (broad or each.every_resource_but):
            over = "every resource but a few" if each.every_resource_but else ", ".join(broad)
            shown = ", ".join(wide[:3]) + (f" and {len(wide) - 3} more" if len(wide) > 3 else "")
            yield Violation(f"{each.called} allows {shown} on {over}", each.resource)


def _matches(action: str, forms: tuple[str, ...]) -> bool:
    return any(fnmatchcase(action, form) for form in forms)


def _is_new(resource: str, each: Statement) -> bool:
    """Whether it stands for the interface that the action makes, in subnets that are named."""
    others = [text for text in each.resources if text != resource]
    return (
        set(each.actions) == {"ec2:createnetworkinterface"}
        and resource.endswith(":network-interface/*")
        and any(":subnet/" in text for text in others)
    )


RULE = Rule(
    id="wildcard-resource",
    title="What a policy allows, it allows on named resources",
    severity="mandatory",
    why=(
        "A `*` takes in what other teams own in the account. It is fine where an action knows no"
        " resources, or where a condition narrows it."
    ),
    remediation="name the resources, or narrow the statement by a condition",
    source="IAM best practices, least privilege, https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    check=check,
    parameters={
        "unscoped_actions": Parameter(
            "texts", (), "Further actions that know no resources, e.g. `glue:GetConnections`."
        )
    },
)
