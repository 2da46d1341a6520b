"""In production, models come from the registry."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import MODEL
from mlops_iac.policy.context import Context, at, is_set, items
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find models made of files rather than of a registered version."""
    for model in context.of_type(MODEL):
        primary = items(model.inputs.get("primaryContainer"))
        containers = [*primary, *items(model.inputs.get("containers"))]
        if containers and not any(is_set(at(each, "modelPackageName")) for each in containers):
            message = "the model is no registered version: nobody approved it"
            yield Violation(message, model, context.path_of(model, "model"))


RULE = Rule(
    id="model-provenance",
    title="Production serves registered versions",
    severity="advisory",
    why="A registered version says what it was trained on, how well it does and who approved it.",
    remediation="train the model here, or `promote_from` an environment that does",
    source="SageMaker developer guide, model registry, https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html",
    check=check,
    production=True,
)
