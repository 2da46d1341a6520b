"""Updates that AWS refuses because a variant scales by itself.

SageMaker developer guide, "Update endpoints that use auto scaling": an update that changes the
instance type of a variant which is a scalable target fails; it has to be deregistered first. No
program can order that: what scales depends on the endpoint, so it goes after the endpoint's update.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.clouds.aws.types import ENDPOINT, ENDPOINT_CONFIGURATION, SCALING_TARGET
from mlops_iac.graph.plan import Step


def refused(steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    """Each endpoint whose update will be refused, and what to do instead, in words."""
    configurations = [step for step in steps if step.type == ENDPOINT_CONFIGURATION]
    for endpoint in steps:
        if endpoint.type != ENDPOINT or endpoint.op != "update":
            continue
        changed = dict(_retyped(endpoint, configurations))
        for target in steps if changed else ():
            if target.type != SCALING_TARGET:
                continue
            old = target.old_inputs or (target.new_inputs if target.op == "same" else {})
            owner, _, variant = str(old.get("resourceId", "")).rpartition("/variant/")
            if variant in changed and _names(endpoint, owner.removeprefix("endpoint/")):
                yield endpoint, _words(variant, *changed[variant])


def _words(variant: str, before: str, after: str) -> str:
    return (
        f"AWS changes no instance type ({before} to {after}) while {variant} scales by itself: deploy"
        " first with `scaling.max` equal to `scaling.min`, then change the type, and put `max` back"
        " with that or afterwards"
    )


def _retyped(
    endpoint: Step, configurations: Sequence[Step]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Variants that stay and get another instance type: name → old and new.

    What the endpoint runs may be a configuration that an earlier deployment has replaced already.
    """
    runs = str(endpoint.old_inputs.get("endpointConfigName"))
    for old in [step for step in configurations if _names(step, runs)][:1]:
        before = _types(old.old_inputs or old.new_inputs)
        for new in configurations:
            if new.urn == old.urn and new.op not in ("delete", "delete-replaced"):
                after = _types(new.new_inputs)
                yield from (
                    (name, (before[name], after[name]))
                    for name in before.keys() & after.keys()
                    if before[name] != after[name]
                )


def _types(inputs: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(each.get("variantName")): str(each.get("instanceType")) for each in _variants(inputs)
    }


def _variants(inputs: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = inputs.get("productionVariants")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _names(step: Step, text: str) -> bool:
    """Whether a text is the resource's name, or refers to it as captures write it."""
    known = (step.id, step.old_outputs.get("name"), step.old_inputs.get("name"))
    return text in known or text.startswith(f"${{{step.address}.")
