"""Everything says who pays."""

from __future__ import annotations

from mlops_iac.policy.model import Parameter, Rule
from mlops_iac.policy.rules._tagging import missing_tags

RULE = Rule(
    id="cost-tag",
    title="Everything says who pays",
    severity="advisory",
    why="Costs without a cost centre are shared by everybody and watched by nobody.",
    remediation="write `tags: {cost-centre: …}` in the blueprint",
    source="AWS cost allocation tags, https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html",
    check=missing_tags("tags"),
    parameters={"tags": Parameter("texts", ("cost-centre",), "Tags of which each is needed.")},
)
