"""Other accounts are let in only where the project knows them."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.rules._documents import accounts, statements
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Parameter, Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find principals of accounts that are neither the project's nor listed."""
    known = context.accounts | frozenset(context.parameter("accounts"))
    if not known:
        return  # nobody said which accounts are ours
    for each in statements(context):
        if each.allow and (strangers := sorted(set(accounts(each.principals)) - known)):
            message = f"{each.called} trusts the account {', '.join(strangers)}"
            yield Violation(message, each.resource)


RULE = Rule(
    id="cross-account",
    title="Only accounts of the project are trusted",
    severity="mandatory",
    why=(
        "Promotion lets environments read from one another; every other account that may assume"
        " a role or read data is a door that somebody has to know of."
    ),
    remediation="remove the principal, or list its account in `policies.yaml`",
    source="IAM Access Analyzer, external access, https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html",
    check=check,
    parameters={
        "accounts": Parameter("texts", (), "Trusted beside those of the blueprint's environments.")
    },
)
