"""The graph of a review: what stands after the change, and what it takes away."""

from __future__ import annotations

from mlops_iac.graph.model import STACK_TYPE, Resource, ResourceGraph
from mlops_iac.graph.plan import HALVES, Step
from mlops_iac.review.escape import visible
from mlops_iac.review.model import Review
from mlops_iac.review.shown import changed

# More boxes than that make no picture that anyone reads, and cost seconds to lay out.
_MOST_BOXES = 80
# What no picture has room for anyway; and what does not show must not get into one.
_NAME = 120


def graph_of(review: Review) -> ResourceGraph | None:
    """Every resource that the review knows, as a graph; None where it is too large for a picture."""
    steps: dict[str, Step] = {}
    for each in [*review.tool_changes, *review.steps]:
        if each.step.op not in HALVES:
            steps[each.step.urn] = each.step
    # A component that no step tells of (its children do) still has its box.
    missing = {step.parent for step in steps.values() if step.parent} - steps.keys()
    resources = [_parent(urn) for urn in sorted(missing)]
    resources += [
        Resource(
            urn=step.urn,
            type=visible(step.type, _NAME),
            name=visible(step.name, _NAME),
            custom=step.custom,
            parent=step.parent,
            dependencies=tuple(step.dependencies),
            recorded=step.recorded,
        )
        for step in steps.values()
    ]
    stacks = {resource.urn for resource in resources if resource.type == STACK_TYPE}
    boxes = sum(not resource.parent or resource.parent in stacks for resource in resources)
    if boxes - len(stacks) > _MOST_BOXES:
        return None
    project, stack = visible(review.project, _NAME), visible(review.stack, _NAME)
    return ResourceGraph(project, stack, tuple(resources))


def marks_of(review: Review) -> dict[str, str]:
    """URN → operation of what changes, noise left out."""
    found = [each for each in changed([*review.tool_changes, *review.steps]) if not each.noise]
    return {each.step.urn: each.step.op for each in found}


def _parent(urn: str) -> Resource:
    parts = urn.split("::")
    type_ = parts[2].split("$")[-1] if len(parts) > 3 else ""
    known = type_.count(":") >= 2
    type_ = visible(type_, _NAME) if known else "component:index:Component"
    return Resource(urn, type_, visible(parts[-1], _NAME), custom=False)
