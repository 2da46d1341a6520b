"""In production, what holds data or answers callers cannot be deleted by accident."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds import registry
from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find what is not protected, and what may be deleted although it is full."""
    for each in context.resources:
        facts = registry.facts_of(each.type)
        if facts.endpoint and not each.protect:
            yield Violation("it answers callers and can be deleted", each, "protect")
        if not facts.precious:
            continue
        if not each.protect and not each.retain_on_delete:
            yield Violation("it holds data and can be deleted", each, "protect")
        if any(is_set(each.inputs.get(key)) for key in ("forceDestroy", "forceDelete")):
            yield Violation("it is deleted with all that is in it", each)


RULE = Rule(
    id="protection",
    title="What holds data or answers callers is protected in production",
    severity="mandatory",
    why="A renamed entry or a wrong merge must not delete data, keys, registered models or an endpoint.",
    remediation="leave `protect` at true in the environment",
    source="Pulumi resource option protect, https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
    check=check,
    production=True,
)
