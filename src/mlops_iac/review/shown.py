"""Values and resources as a reviewer reads them: one line, no secrets, cut to where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from mlops_iac.graph.hidden import LARGEST, hidden, like_document
from mlops_iac.graph.model import STACK_TYPE
from mlops_iac.graph.plan import HALVES, SIGNS, PropertyChange, Step
from mlops_iac.graph.shown import apart, around_difference, shown_value
from mlops_iac.review.model import ReviewedStep
from mlops_iac.values import Value

# The order of a table: what cannot be undone first, and last what may be cut.
ORDER: Final = ("replace", "delete", "create", "update", "read", "refresh")
# Characters of a value, and of those before the first difference of two.
_LONGEST: Final = 160
_CONTEXT: Final = 24


def counted(steps: Iterable[ReviewedStep]) -> dict[str, int]:
    """Steps by operation: a replacement once, components and the stack not at all."""
    counts: dict[str, int] = {}
    for reviewed in steps:
        if is_shown(reviewed.step):
            counts[reviewed.step.op] = counts.get(reviewed.step.op, 0) + 1
    return counts


def headline(counts: Mapping[str, int]) -> str:
    """`+4 create · ~2 update · ±1 replace · −0 delete`."""
    return " · ".join(
        f"{SIGNS[op]}{counts.get(op, 0)} {op}" for op in ("create", "update", "replace", "delete")
    )


def is_shown(step: Step) -> bool:
    """Whether a step is a resource's, and not a half of a replacement or a component's."""
    return step.op not in HALVES and step.custom and not step.type.startswith("pulumi:")


def changed(steps: Iterable[ReviewedStep]) -> list[ReviewedStep]:
    """What changes resources, pass by pass, in each what cannot be undone first."""
    found = [each for each in steps if is_shown(each.step) and each.step.op in ORDER]
    return sorted(found, key=lambda each: (each.step.during, ORDER.index(each.step.op)))


def component(step: Step) -> str:
    """`RealTimeEndpoint api` for the component a resource stands in; empty for none."""
    parts = step.parent.split("::")
    if len(parts) < 4 or parts[2].split("$")[-1] == STACK_TYPE:
        return ""
    return f"{parts[2].split('$')[-1].split(':')[-1]} {parts[-1]}"


def difference(step: Step, change: PropertyChange) -> tuple[str, str]:
    """Old and new value of a change, each on one line, cut to where they differ."""
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > LARGEST:
        begin = max(0, _same_beginning(old, new) - LARGEST // 2)
        if not (like_document(old) or like_document(new)):
            old, new = old[begin : begin + LARGEST], new[begin : begin + LARGEST]
    old, new = around_difference(
        shown_value(hidden(change.path, old, step.old_inputs)),
        shown_value(hidden(change.path, new, step.new_inputs)),
        _LONGEST,
        _CONTEXT,
    )
    return apart(old, new) if change.kind == "update" else (old, new)


def references(reviewed: ReviewedStep, most: int = 3) -> Sequence[str]:
    """The places of the blueprint that cause a step, as `blueprint.yaml:41 serving.api.compute`."""
    causes = [cause for cause in reviewed.causes if cause.kind == "blueprint" and cause.place]
    # Labels are the last thing that anybody asks about a replacement.
    causes.sort(key=lambda cause: cause.path.split(".")[0] in ("owner", "tags"))
    return list(dict.fromkeys(cause.place for cause in causes))[:most]


def in_order_of_interest(changes: Sequence[PropertyChange]) -> list[PropertyChange]:
    """What forces a replacement first, tags last."""
    return sorted(
        changes,
        key=lambda change: (change.replaces is not True, change.path.startswith("tags")),
    )


def is_followed(change: PropertyChange) -> bool:
    """Whether a value is written as before, and is another because what it refers to is replaced."""
    new = change.new
    return change.kind == "update" and isinstance(new, str) and "${" in new and change.old == new


def written(value: Value) -> str:
    """A text as it stands in the blueprint, everything else as JSON."""
    return value if isinstance(value, str) and value else shown_value(value)


def shown_redacted(value: Value, path: str = "") -> Value:
    """A sentence or a blueprint's value without what is secret by form or by name."""
    return hidden(path, value)


def _same_beginning(old: str, new: str) -> int:
    """How many first characters are equal, found by halving."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
