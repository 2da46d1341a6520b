"""No policy allows every action of a service."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.rules._documents import Statement, statements
from mlops_iac.clouds.aws.types import KEY
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find `*`, `service:*` and NotAction in statements that allow."""
    for each in statements(context):
        if not each.allow or _owns_key(each):
            continue
        wild = [action for action in each.actions if action == "*" or action.endswith(":*")]
        if each.every_action_but:
            yield Violation(f"{each.called} allows every action but a few", each.resource)
        elif wild:
            yield Violation(f"{each.called} allows {', '.join(wild)}", each.resource)


def _owns_key(each: Statement) -> bool:
    """A key that its own account cannot administer is lost: KMS asks for this statement.

    Source: KMS developer guide, "Default key policy".
    """
    return (
        each.resource.type == KEY
        and bool(each.principals)
        and all(principal.endswith(":root") for principal in each.principals)
    )


RULE = Rule(
    id="wildcard-action",
    title="No policy allows every action of a service",
    severity="mandatory",
    why="Who may do everything may also do what nobody thought of, and what is added next year.",
    remediation="name the actions that are needed",
    source="AWS Security Hub IAM.1 and IAM.21, https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-21",
    check=check,
)
