"""Everything says whose it is."""

from __future__ import annotations

from mlops_iac.policy.model import Parameter, Rule
from mlops_iac.policy.rules._tagging import missing_tags

RULE = Rule(
    id="owner-tag",
    title="Everything says whose it is",
    severity="mandatory",
    why="What nobody owns is never turned off, and nobody is called when it breaks.",
    remediation="write `owner:` in the blueprint",
    source="AWS tagging best practices, https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html",
    check=missing_tags("owner"),
    parameters={"tags": Parameter("texts", ("owner",), "Tags of which each is needed.")},
)
