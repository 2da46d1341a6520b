"""Values and resources as a reviewer reads them: one line, no secrets, cut to where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mlops_iac.graph.hidden import LARGEST, hidden, like_document
from mlops_iac.graph.model import STACK_TYPE
from mlops_iac.graph.plan import SIGNS, PropertyChange, Step, count, is_shown
from mlops_iac.graph.shown import apart, around_difference, shown_value
from mlops_iac.policy.model import Finding
from mlops_iac.review.escape import SHORT
from mlops_iac.review.model import Cause, Review, ReviewedStep
from mlops_iac.values import Value

# The order of a table: what cannot be undone first, and last what may be cut.
ORDER: Final = ("replace", "delete", "create", "update", "read", "refresh")
NOISES: Final = (("Tag-only changes", "tags"), ("Same content, other digest", "hash"))
# Characters of a value, and of those before the first difference of two.
_LONGEST: Final = 160
_CONTEXT: Final = 24


@dataclass(frozen=True, slots=True)
class Pen:
    """How a page writes a value and a sentence, each of at most so many characters."""

    code: Callable[[str, int], str]
    prose: Callable[[str, int], str]


@dataclass(frozen=True, slots=True)
class Line:
    """One property before and after; None where it was not, or is not any more."""

    path: str
    note: str
    old: str | None
    new: str | None


def counted(steps: Iterable[ReviewedStep]) -> Mapping[str, int]:
    """Steps by operation: a replacement once, components and the stack not at all."""
    return count([each.step for each in steps])


def headline(counts: Mapping[str, int]) -> str:
    """`+4 create · ~2 update · ±1 replace · −0 delete`."""
    return " · ".join(
        f"{SIGNS[op]}{counts.get(op, 0)} {op}" for op in ("create", "update", "replace", "delete")
    )


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


def told_about(review: Review, pen: Pen) -> list[str]:
    """What was compared with, the commit and the plan, as far as each is known."""
    told = [f"compared with {pen.prose(review.against, 200)}"] if review.against else []
    if review.sha:
        told.append(f"commit {pen.code(review.sha[:12], 80)}")
    if review.plan_hash:
        told.append(f"plan {pen.code(review.plan_hash.removeprefix('sha256:')[:12], 80)}")
    return told


def cause_words(cause: Cause, pen: Pen) -> str:
    """`blueprint.yaml:41 serving.api.compute (small → large)`; empty where nothing is to be said."""
    if cause.kind == "follows":
        return ""
    if cause.kind == "tool":
        old, new = (str(each or "unknown") for each in (cause.old, cause.new))
        return pen.code(f"{cause.path} {old} → {new}", SHORT)
    if cause.kind != "blueprint":
        return pen.prose(cause.path, 200) if cause.path else "cause not known"
    where = pen.code(cause.place, SHORT) if cause.place else ""
    if cause.old is None and cause.new is None:
        return f"{where} (other content)" if where else ""
    old, new = (pen.code(written(hidden(cause.path, each)), 60) for each in (cause.old, cause.new))
    if cause.old is None:
        return f"{where} (now {new})"
    return f"{where} (was {old})" if cause.new is None else f"{where} ({old} → {new})"


def policies_title(findings: Sequence[Finding]) -> str:
    """`Policies · 1 mandatory · 2 advisory`."""
    mandatory = sum(finding.counts for finding in findings)
    return f"Policies · {mandatory} mandatory · {len(findings) - mandatory} advisory"


def property_lines(step: Step) -> Iterator[Line]:
    """What a step changes, what forces a replacement first; all that a new resource is given."""
    if step.op == "delete":
        return
    for change in in_order_of_interest(step.changes):
        note = "may replace: no fact tells" if change.replaces is None else ""
        if change.replaces:
            note = f"forces replacement{f' ({change.source})' if change.source else ''}"
        old, new = difference(step, change)
        if is_followed(change):
            yield Line(change.path, note, None, f"{new}  (that of the replacement)")
            continue
        before, after = change.kind != "add", change.kind != "delete"
        yield Line(change.path, note, old if before else None, new if after else None)
    if step.op == "create" and not step.changes:
        for key, value in sorted(step.new_inputs.items()):
            shown = shown_value(hidden(key, value, step.new_inputs))
            yield Line("", "", None, f"{key}: {shown}")


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
