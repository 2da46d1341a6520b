"""Values and resources as a reviewer reads them: one line, no secrets, cut to where they differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

from mlops_iac.graph.model import STACK_TYPE
from mlops_iac.graph.plan import PropertyChange, Step
from mlops_iac.graph.redact import REDACTED, is_secret_name, parse_document, redact
from mlops_iac.graph.shown import around_difference, shown_value
from mlops_iac.review.model import ReviewedStep
from mlops_iac.values import Properties, Value

SIGNS: Final[Mapping[str, str]] = {
    "create": "+",
    "update": "~",
    "replace": "±",
    "delete": "−",
    "read": ">",
    "refresh": "↻",
    "same": " ",
}
# The order of a table: what cannot be undone first, and last what may be cut.
ORDER: Final = ("replace", "delete", "create", "update", "read", "refresh")
_HALVES: Final = ("create-replacement", "delete-replaced")
# Characters of a value, and of those before the first difference of two.
_LONGEST: Final = 160
_CONTEXT: Final = 24
_LABELS: Final = ("name", "Name", "key", "Key")
_SEGMENT = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')
# Reading more than that of one value helps nobody: characters, entries, levels.
_LARGEST: Final = 4000
_MOST_ENTRIES: Final = 200
_DEEPEST: Final = 24


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
    return step.op not in _HALVES and step.custom and not step.type.startswith("pulumi:")


def changed(steps: Iterable[ReviewedStep]) -> list[ReviewedStep]:
    """What changes resources, what cannot be undone first, else in the order of deployment."""
    found = [each for each in steps if is_shown(each.step) and each.step.op in ORDER]
    return sorted(found, key=lambda each: ORDER.index(each.step.op))


def component(step: Step) -> str:
    """`RealTimeEndpoint api` for the component a resource stands in; empty for none."""
    parts = step.parent.split("::")
    if len(parts) < 4 or parts[2].split("$")[-1] == STACK_TYPE:
        return ""
    return f"{parts[2].split('$')[-1].split(':')[-1]} {parts[-1]}"


def difference(step: Step, change: PropertyChange) -> tuple[str, str]:
    """Old and new value of a change, each on one line, cut to where they differ."""
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _LARGEST:
        begin = max(0, _same_beginning(old, new) - _LARGEST // 2)
        if not (_like_document(old) or _like_document(new)):
            old, new = old[begin : begin + _LARGEST], new[begin : begin + _LARGEST]
    return around_difference(
        shown_value(hidden(change.path, old, step.old_inputs)),
        shown_value(hidden(change.path, new, step.new_inputs)),
        _LONGEST,
        _CONTEXT,
    )


def hidden(path: str, value: Value, inputs: Properties | None = None) -> Value:
    """`value` without secrets, those included that only a name on its path tells.

    `inputs` are the properties that `path` leads through: of a list of names and values, as
    containers write their environment, the name stands beside the value.
    """
    if len(path) > _LARGEST:  # too long to be looked through for a name
        return REDACTED
    steps = [quoted or index or plain for quoted, index, plain in _SEGMENT.findall(path)]
    names = [step for step in steps if not step.isdigit()]
    if steps and steps[-1] in ("value", "Value"):
        names.append(_name_beside(steps[:-1], inputs))
    nested = _bounded(value)
    for name in reversed([name for name in names if name]):
        nested = {name: nested}
    clean: Value = redact(nested)
    for name in names:
        if name and isinstance(clean, Mapping):
            clean = clean[name]
    return clean


def _name_beside(steps: Sequence[str], inputs: Properties | None) -> str:
    """The `name` in the mapping that the steps lead to; empty where there is none."""
    here: Value = inputs
    for step in steps:
        if isinstance(here, str):
            here = parse_document(here)
        if isinstance(here, Mapping):
            here = here.get(step)
        elif isinstance(here, list | tuple) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        else:
            return ""
    if not isinstance(here, Mapping):
        return ""
    label = next((here[key] for key in _LABELS if key in here), "")
    return label if isinstance(label, str) and is_secret_name(label) else ""


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


def _bounded(value: Value, depth: int = 0) -> Value:
    """A copy of `value` that is small enough to be looked through for secrets, and to be shown.

    A document that is too long for that is not shown at all: cut, it could not be looked through.
    """
    match value:
        case str() if len(value) > _LARGEST:
            if _like_document(value):
                return f"(a document of {len(value)} characters)"
            return value[:_LARGEST]
        case Mapping() | list() | tuple() if depth >= _DEEPEST:
            return "…"
        case Mapping():
            entries = list(islice(value.items(), _MOST_ENTRIES))
            return {str(key)[:_LARGEST]: _bounded(item, depth + 1) for key, item in entries}
        case list() | tuple():
            return [_bounded(item, depth + 1) for item in value[:_MOST_ENTRIES]]
        case _:
            return value


def _like_document(text: str) -> bool:
    return text[:_LARGEST].lstrip()[:1] in ("", "{", "[")


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
