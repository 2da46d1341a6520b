"""What a comment folds away: property diffs, unknown outputs, noise, suppressed findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from mlops_iac.graph.hidden import hidden
from mlops_iac.graph.plan import SIGNS
from mlops_iac.graph.shown import shown_value
from mlops_iac.policy.model import Finding
from mlops_iac.review.budget import Section
from mlops_iac.review.escape import Platform, code, fence, prose
from mlops_iac.review.model import ReviewedStep
from mlops_iac.review.shown import (
    difference,
    in_order_of_interest,
    is_followed,
    references,
    shown_redacted,
)

# Properties of one resource; more are counted.
_MOST: Final = 40


def folded(
    title: str, items: Sequence[Any], render: Callable[[Any], str], platform: Platform
) -> Section:
    """A section that is closed until it is opened. `title` is our own words, never a value."""
    if platform == "bitbucket":  # shows HTML as it is written
        return Section(f"**{title}**\n", items, render)
    # The empty line ends the HTML block, so that what follows is read as Markdown.
    return Section(f"<details><summary>{title}</summary>\n", items, render, tail="\n</details>")


def diff_block(reviewed: ReviewedStep, platform: Platform) -> str:
    """One resource: its address, what caused it, and a block of old and new values."""
    step = reviewed.step
    places = references(reviewed)
    tail = f" ← {', '.join(code(where, platform) for where in places)}" if places else ""
    head = f"**{SIGNS[step.op]} {step.op}** {code(reviewed.address, platform)}{tail}"
    return "\n".join([head, "", *fence(_diff_lines(reviewed), platform), ""])


def _diff_lines(reviewed: ReviewedStep) -> Iterator[str]:
    changes = in_order_of_interest(reviewed.step.changes)
    for change in changes[:_MOST]:
        note = ""
        if change.replaces:
            note = (
                f"  forces replacement ({change.source})"
                if change.source
                else "  forces replacement"
            )
        elif change.replaces is None:
            note = "  may replace: no fact tells"
        yield f"@@ {change.path}{note} @@"
        old, new = difference(reviewed.step, change)
        if is_followed(change):
            yield f"+ {new}  (that of the replacement)"
            continue
        if change.kind != "add":
            yield f"- {old}"
        if change.kind != "delete":
            yield f"+ {new}"
    if reviewed.step.op == "create" and not changes:
        inputs = reviewed.step.new_inputs
        for key in sorted(inputs)[:_MOST]:
            yield f"+ {key}: {shown_value(hidden(key, inputs[key], inputs))}"
        if len(inputs) > _MOST:
            yield f"@@ and {len(inputs) - _MOST} more properties @@"
    if len(changes) > _MOST:
        yield f"@@ and {len(changes) - _MOST} more properties @@"


def address_lines(reviewed: ReviewedStep, platform: Platform) -> str:
    """One line for a change that is noise: the resource and the properties."""
    paths = [code(change.path, platform, limit=80) for change in reviewed.step.changes[:3]]
    more = len(reviewed.step.changes) - len(paths)
    tail = f" and {more} more" if more > 0 else ""
    what = f": {', '.join(paths)}{tail}" if paths else ""
    op = "" if reviewed.step.op == "update" else f" ({reviewed.step.op})"
    return f"- {code(reviewed.address, platform)}{op}{what}"


def unknown_line(output: str, platform: Platform) -> str:
    """One stack output that is not known yet."""
    return f"- {code(output, platform)}"


def suppressed_line(finding: Finding, platform: Platform) -> str:
    """One finding that an exception lets pass, with the exception."""
    resource = f" · {code(finding.address, platform)}" if finding.address else ""
    reason = prose(shown_redacted(finding.suppressed_by), platform, limit=300)
    return f"- {code(finding.rule, platform)}{resource}: let pass by {reason}"
