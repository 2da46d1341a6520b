"""In production, a bad version is taken back by itself."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.rules._serving import configurations
from mlops_iac.clouds.aws.types import ALARM, ENDPOINT
from mlops_iac.policy.context import Context, at, is_set, texts
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find real-time endpoints whose deployments no alarm rolls back."""
    for endpoint in context.of_type(ENDPOINT):
        found = configurations(context, endpoint)
        if any(is_set(each.inputs.get("asyncInferenceConfig")) for each in found):
            continue  # nobody waits for its answers
        deployment = endpoint.inputs.get("deploymentConfig")
        path = context.path_of(endpoint, "rollout")
        if not is_set(at(deployment, "autoRollbackConfiguration", "alarms")):
            yield Violation("no alarm takes a bad version back", endpoint, path)
            continue
        named = list(texts(at(deployment, "autoRollbackConfiguration", "alarms")))
        for alarm in context.of_type(ALARM):
            if any(context.is_name_of(name, alarm) for name in named) and not is_set(
                alarm.inputs.get("alarmActions")
            ):
                yield Violation("nobody is told when it takes a version back", alarm, path)


RULE = Rule(
    id="endpoint-rollback",
    title="Production endpoints roll back by themselves",
    severity="mandatory",
    why="A version that fails under real traffic is gone in minutes, also at night.",
    remediation="write `rollout: {…, limits: {error_rate_percent: {at_most: 1}}}` and `alerts:`",
    source="SageMaker developer guide, auto-rollback, https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html",
    check=check,
    production=True,
)
