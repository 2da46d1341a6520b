"""In production, one machine may fail."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.rules._serving import configurations, variants
from mlops_iac.clouds.aws.types import ENDPOINT, SCALING_TARGET
from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Parameter, Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find variants that may shrink to, or without scaling start with, fewer machines."""
    least = context.parameter("least")
    scaled = set()
    for target in context.of_type(SCALING_TARGET):
        lowest = target.inputs.get("minCapacity")
        if target.inputs.get("serviceNamespace") != "sagemaker":
            continue
        scaled.add(str(target.inputs.get("resourceId")).rpartition("/")[2])
        if isinstance(lowest, int | float) and lowest < least:
            path = context.path_of(target, "scaling", "min")
            message = f"the endpoint may shrink to {lowest:g} machine(s); {least} survive a failure"
            yield Violation(message, target, path)
    for endpoint in context.of_type(ENDPOINT):
        for configuration in configurations(context, endpoint):
            for variant in variants(configuration):
                name, count = variant.get("variantName"), variant.get("initialInstanceCount", 1)
                if name in scaled or is_set(variant.get("serverlessConfig")):
                    continue
                if isinstance(count, int | float) and count < least:
                    message = f"{name} runs on {count:g} machine(s); {least} survive a failure"
                    path = context.path_of(endpoint, "scaling", "min")
                    yield Violation(message, configuration, path)


RULE = Rule(
    id="single-instance",
    title="Production endpoints run on two machines",
    severity="advisory",
    why="SageMaker spreads machines over zones; with one, a zone's failure is the endpoint's.",
    remediation="write `scaling: {min: 2, …}`",
    source="AWS Security Hub SageMaker.4, https://docs.aws.amazon.com/securityhub/latest/userguide/sagemaker-controls.html#sagemaker-4",
    check=check,
    production=True,
    parameters={"least": Parameter("integer", 2, "The smallest number of machines.", 1)},
)
