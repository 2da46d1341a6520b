"""A plan in words: resources under their components, properties under their resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from mlops_iac.graph.hidden import hidden
from mlops_iac.graph.model import STACK_TYPE
from mlops_iac.graph.plan import HALVES, Plan, PropertyChange, Step, count
from mlops_iac.graph.plan import SIGNS as OPERATION_SIGNS
from mlops_iac.graph.redact import parse_document, redact
from mlops_iac.graph.shown import apart, around_difference, cut, shown_value
from mlops_iac.graph.whole import kinds, whole

Style = Callable[..., str]

_COLORS = {
    "create": "green",
    "update": "yellow",
    "replace": "magenta",
    "delete": "red",
    "same": "bright_black",
}
SIGNS = {op: (sign, _COLORS.get(op, "cyan")) for op, sign in OPERATION_SIGNS.items()}
_LONGEST = 100
# Characters before the first difference of two long texts.
_CONTEXT = 30


def summary_line(plan: Plan, style: Style) -> str:
    """Return `+4 create · ~2 update · ±1 replace · −0 delete · 12 unchanged`."""
    counts = count(plan.steps)
    parts = [
        style(
            f"{SIGNS[op][0]}{counts.get(op, 0)} {op}", fg=SIGNS[op][1] if counts.get(op) else None
        )
        for op in ("create", "update", "replace", "delete")
    ]
    return " · ".join([*parts, f"{counts.get('same', 0)} unchanged"])


def plan_lines(
    plan: Plan,
    style: Style,
    *,
    unchanged: bool,
    detail: bool,
    fold: Sequence[str] = ("create",),
) -> Iterator[str]:
    """Yield the plan's lines; `unchanged` shows what stays too, `detail` every property.

    A component all of whose resources have the same one of the operations `fold` is one line,
    without `detail`.
    """
    folded = frozenset() if detail else whole(plan.steps, fold)
    shown = [
        step
        for step in plan.steps
        if step.op not in HALVES and step.in_cloud and (unchanged or step.op != "same")
    ]
    yield from grouped_lines(shown, style, folded, detail=detail)
    if shown:
        yield ""
    yield summary_line(plan, style)


def grouped_lines(
    steps: Iterable[Step],
    style: Style,
    folded: Collection[str],
    *,
    detail: bool,
    causes: Callable[[Step], Sequence[str]] = lambda _: (),
) -> Iterator[str]:
    """Yield steps by pass and component, in order of first appearance, each with its causes.

    A component that is `folded` is one line.
    """
    groups: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        groups.setdefault((step.during, step.parent), []).append(step)
    heading = ""

    def told(*of: Step) -> Iterator[str]:
        for words in dict.fromkeys(words for step in of for words in causes(step)):
            yield "      " + style(f"← {words}", fg="cyan")

    for (during, parent), members in groups.items():
        if during not in ("", heading):
            heading = during
            yield style(heading, bold=True, underline=True)
        if parent in folded:
            yield folded_line(parent, members, style)
            yield from told(*members)
            continue
        yield style(component_title(parent), bold=True)
        for step in members:
            first, *rest = step_lines(step, style, detail=detail)
            yield first
            yield from told(step)
            yield from rest
    if any(parent in folded for _, parent in groups):
        yield style("(--diff lists every resource)", fg="bright_black")


def component_title(urn: str) -> str:
    """Return `DataStore data` for a component's URN; `stack` for the stack itself."""
    if not urn:
        return "stack"
    type_, name = urn.split("::")[2].split("$")[-1], urn.split("::")[-1]
    return "stack" if type_ == STACK_TYPE else f"{type_.split(':')[-1]} {name}"


def folded_line(parent: str, steps: Sequence[Step], style: Style) -> str:
    """Return the one line of a component that comes or goes as a whole."""
    sign, color = SIGNS[steps[0].op]
    told = Counter(note for step in steps for note in _notes(step) if note)
    notes = [f"{number} {note}" for note, number in told.most_common()]
    tail = f"  {style('[' + '; '.join(notes) + ']', fg='bright_black')}" if notes else ""
    head = f"{style(sign, fg=color)} {style(component_title(parent), fg=color, bold=True)}"
    what = kinds(steps) if len(steps) == 1 else f"{len(steps)} ({kinds(steps)})"
    return f"{head}: {what}{tail}"


def step_lines(step: Step, style: Style, *, detail: bool) -> Iterator[str]:
    """Yield one resource's lines: operation, address, notes, and the properties that differ."""
    sign, color = SIGNS[step.op]
    notes = [note for note in _notes(step) if note]
    tail = f"  {style('[' + ', '.join(notes) + ']', fg='bright_black')}" if notes else ""
    yield f"  {style(sign, fg=color)} {style(step.address, fg=color)}{tail}"
    if step.op in ("update", "replace", "refresh") or detail:
        for change in step.changes:
            for inner in inner_changes(change):
                yield "      " + change_line(inner, style, step)
    if step.op == "create" and detail and not step.changes:
        for key in sorted(step.new_inputs):
            value = cut(shown_value(hidden(key, step.new_inputs[key])), 0, _LONGEST)
            yield f"      {style('+', fg='green')} {key}: {value}"


def _notes(step: Step) -> Iterator[str]:
    if step.op == "replace":
        yield "delete first" if step.delete_before_replace else ""
    if step.protect:
        yield "protected"
    if step.retained and step.op == "delete":
        yield "kept in the cloud (retainOnDelete)"
    if step.recorded:
        yield "recorded, not emulated"
    yield step.reason


def inner_changes(change: PropertyChange) -> list[PropertyChange]:
    """Return what differs inside a JSON document (a policy, a pipeline), without its secrets.

    The change itself where it is of no document, or where nothing but layout or a secret differs.
    """
    if not (isinstance(change.old, str) and isinstance(change.new, str)):
        return [change]
    if parse_document(change.old) is None or parse_document(change.new) is None:
        return [change]
    from mlops_iac.graph.canonical import canonical_value
    from mlops_iac.graph.changes import property_changes

    old, new = (canonical_value(redact(text)) for text in (change.old, change.new))
    found = property_changes(old, new, lambda _path: (change.replaces, change.source))
    return [
        replace(item, path=f"{change.path}{'' if item.path[:1] in ('', '[') else '.'}{item.path}")
        for item in found
    ] or [change]


def change_line(change: PropertyChange, style: Style, step: Step) -> str:
    """Return `~ desired_count: 1 → 2`, with what forces a replacement and how that is known."""
    sign, color = {"add": ("+", "green"), "delete": ("−", "red"), "update": ("~", "yellow")}[
        change.kind
    ]
    old = shown_value(hidden(change.path, change.old, step.old_inputs))
    new = shown_value(hidden(change.path, change.new, step.new_inputs))
    if change.kind == "update":
        old, new = apart(*around_difference(old, new, _LONGEST, _CONTEXT))
        # The same words on both sides: a reference to what is made anew.
        values = f"{old} → (known after up)" if old == new else f"{old} → {new}"
    else:
        values = cut(new if change.kind == "add" else old, 0, _LONGEST)
    tail = ""
    if change.replaces:
        tail = style(f"  ← forces replacement ({change.source})", fg="magenta")
    elif change.replaces is None:
        tail = style("  ← may replace (no fact)", fg="magenta")
    return f"{style(sign, fg=color)} {change.path}: {values}{tail}"
