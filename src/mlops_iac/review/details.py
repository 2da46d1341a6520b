"""What a comment folds away: property diffs, unknown outputs, noise, suppressed findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from mlops_iac.graph.plan import SIGNS, Step
from mlops_iac.policy.model import Finding
from mlops_iac.review.budget import Section
from mlops_iac.review.escape import Platform, code, fence, prose
from mlops_iac.review.model import ReviewedStep
from mlops_iac.review.shown import property_lines, references, shown_redacted

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
    return "\n".join([head, "", *fence(_diff_lines(step), platform), ""])


def _diff_lines(step: Step) -> Iterator[str]:
    for line in islice(property_lines(step), _MOST):
        if line.path:
            yield f"@@ {line.path}{f'  {line.note}' if line.note else ''} @@"
        if line.old is not None:
            yield f"- {line.old}"
        if line.new is not None:
            yield f"+ {line.new}"
    more = (len(step.changes) or len(step.new_inputs)) - _MOST
    if more > 0:
        yield f"@@ and {more} more properties @@"


def address_lines(reviewed: ReviewedStep, platform: Platform) -> str:
    """One line for a change that is noise: the resource and the properties."""
    paths = [code(change.path, platform, limit=80) for change in reviewed.step.changes[:3]]
    more = len(reviewed.step.changes) - len(paths)
    tail = f" and {more} more" if more > 0 else ""
    what = f": {', '.join(paths)}{tail}" if paths else ""
    op = "" if reviewed.step.op == "update" else f" ({reviewed.step.op})"
    return f"- {code(reviewed.address, platform)}{op}{what}"


def suppressed_line(finding: Finding, platform: Platform) -> str:
    """One finding that an exception lets pass, with the exception."""
    resource = f" · {code(finding.address, platform)}" if finding.address else ""
    reason = prose(shown_redacted(finding.suppressed_by), platform, limit=300)
    return f"- {code(finding.rule, platform)}{resource}: let pass by {reason}"
