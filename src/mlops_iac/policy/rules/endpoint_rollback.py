"""In production, a bad version is taken back by itself."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.policy.context import Context, at, is_set
from mlops_iac.policy.model import Rule, Violation
from mlops_iac.policy.serving import configurations
from mlops_iac.policy.types import ENDPOINT


def check(context: Context) -> Iterator[Violation]:
    """Find real-time endpoints whose deployments no alarm rolls back."""
    for endpoint in context.of_type(ENDPOINT):
        found = configurations(context, endpoint)
        if any(is_set(each.inputs.get("asyncInferenceConfig")) for each in found):
            continue  # nobody waits for its answers
        deployment = endpoint.inputs.get("deploymentConfig")
        if not is_set(at(deployment, "autoRollbackConfiguration", "alarms")):
            path = context.path_of(endpoint, "rollout")
            yield Violation("no alarm takes a bad version back", endpoint, path)


RULE = Rule(
    id="endpoint-rollback",
    title="Production endpoints roll back by themselves",
    severity="mandatory",
    why="A version that fails under real traffic is gone in minutes, also at night.",
    remediation="write `rollout: {…, limits: {error_rate_percent: {at_most: 1}}}`",
    source="SageMaker developer guide, auto-rollback, https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html",
    check=check,
    production=True,
    types=(ENDPOINT,),
)
