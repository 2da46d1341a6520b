"""Roles are passed to named services only."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.rules._documents import is_broad, statements
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find `iam:PassRole` on any role, or to any service."""
    for each in statements(context):
        if not each.allow or "iam:passrole" not in each.actions:
            continue
        if each.every_resource_but or any(is_broad(text) for text in each.resources):
            yield Violation(f"{each.called} passes any role", each.resource)
        elif not each.limited_by("iam:PassedToService"):
            yield Violation(f"{each.called} passes a role to any service", each.resource)


RULE = Rule(
    id="pass-role",
    title="Roles are passed to named services only",
    severity="mandatory",
    why="Who may pass any role to any service may do whatever the strongest role may.",
    remediation="name the role, and the service by the condition `iam:PassedToService`",
    source="IAM user guide, https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
    check=check,
)
