"""Services act on behalf of this account alone."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.rules._documents import statements
from mlops_iac.clouds.aws.types import KEY, TOPIC, TOPIC_POLICY
from mlops_iac.graph.model import Resource
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Rule, Violation

_LIMITS = (
    "aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "sts:ExternalId",
    "kms:EncryptionContext*", "kms:ViaService",
)  # fmt: skip
# Sends neither key when it assumes a role. Source: Lambda developer guide, execution role.
_SILENT = ("lambda.",)
# Nor does EventBridge when it publishes to a topic, or encrypts for one (see `alert_delivery`).
_SILENT_FOR = {"events.": (TOPIC, TOPIC_POLICY, KEY)}


def check(context: Context) -> Iterator[Violation]:
    """Find services that are let in without saying on whose behalf."""
    for each in statements(context):
        services = [name for name in each.services if not _is_silent(name, each.resource)]
        if each.allow and services and not each.limited_by(*_LIMITS):
            message = f"{each.called} lets {', '.join(services)} in on anybody's behalf"
            yield Violation(message, each.resource)


def _is_silent(service: str, resource: Resource) -> bool:
    return service.startswith(_SILENT) or any(
        service.startswith(name) and resource.type in types for name, types in _SILENT_FOR.items()
    )


RULE = Rule(
    id="confused-deputy",
    title="Services act on behalf of this account alone",
    severity="mandatory",
    why="A service that is trusted without a source can be asked by another account to act here.",
    remediation="add the condition `aws:SourceAccount` or `aws:SourceArn`",
    source="IAM user guide, https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
    check=check,
)
