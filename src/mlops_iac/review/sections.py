"""The parts of a comment, each as rows or blocks that can be left out one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from mlops_iac.graph.hidden import hidden
from mlops_iac.graph.plan import SIGNS, Step
from mlops_iac.graph.whole import kinds, whole
from mlops_iac.policy.model import Finding
from mlops_iac.review.budget import Section
from mlops_iac.review.escape import SENTENCE, Platform, code, fence, prose
from mlops_iac.review.model import RISKS, Review, ReviewedStep, Risk
from mlops_iac.review.shown import (
    NOISES,
    Pen,
    cause_words,
    changed,
    component,
    in_order_of_interest,
    policies_title,
    property_lines,
    references,
)

_UNDOABLE: Final = ("replace", "delete")
_REASONS: Final = 3
# Properties of one resource; more are counted.
_MOST: Final = 40
TABLE: Final = "| | Component | Resource | Why |\n|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Parts:
    """Sections in the order of reading, which is that of weight: rows, then blocks to unfold."""

    rows: Sequence[Section]
    blocks: Sequence[Section]

    @property
    def all(self) -> list[Section]:
        """Every section in order."""
        return [*self.rows, *self.blocks]


def sections(review: Review, platform: Platform) -> Parts:
    """Every part of the comment that can be shortened."""
    steps = changed(review.steps)
    plain = [each for each in steps if not each.noise]
    tool = changed(review.tool_changes)
    findings = [each for each in review.policies if not each.suppressed_by]
    findings.sort(key=lambda finding: not finding.counts)
    risks = _risks(review, platform)
    table = _table(plain, platform, TABLE, whole([each.step for each in review.steps]))
    broken = _policies(findings, platform)
    notes = Section(
        "**Notes**\n",
        list(review.notes),
        lambda note: f"- Note: {_prose(note, platform)}",
    )
    apart = _table(
        tool,
        platform,
        f"**From another version of the tool, not from the blueprint ({len(tool)})**\n\n{TABLE}",
    )
    diffs = [each for each in [*plain, *tool] if each.step.changes and each.step.op != "delete"]
    diffs += [each for each in plain if each.step.op == "create" and each.step.new_inputs]
    details = [
        _folded(
            f"Property diff ({len(diffs)})",
            diffs,
            lambda each: _diff_block(each, platform),
            platform,
        ),
        _folded(
            f"Outputs · {len(review.outputs_unknown)} unknown until applied",
            list(review.outputs_unknown),
            lambda output: f"- {code(output, platform)}",
            platform,
        ),
        *(
            _folded(
                f"{title} ({len(noisy)})",
                noisy,
                lambda each: _address_lines(each, platform),
                platform,
            )
            for title, noise in NOISES
            for noisy in ([each for each in steps if each.noise == noise],)
        ),
        _folded(
            f"Suppressed policies ({sum(bool(each.suppressed_by) for each in review.policies)})",
            [each for each in review.policies if each.suppressed_by],
            lambda finding: _suppressed_line(finding, platform),
            platform,
        ),
    ]
    return Parts(rows=[risks, table, broken, apart, notes], blocks=details)


def _risks(review: Review, platform: Platform) -> Section:
    by_address: dict[str, ReviewedStep] = {}
    for each in [*review.steps, *review.tool_changes]:
        by_address.setdefault(each.address, each)

    def render(risk: Risk) -> str:
        title = RISKS.get(risk.kind, "Risk")
        words = _prose(risk.words, platform)
        reviewed = by_address.get(risk.address)
        places = [code(place, platform) for place in references(reviewed)] if reviewed else []
        tail = f" ← {', '.join(places)}" if places else ""
        return f"> **{title}** · {code(risk.address, platform)}: {words}{tail}"

    alert = "> [!CAUTION]" if platform in ("github", "gitlab") else "> **⚠ Caution**\n>"
    return Section(
        alert,
        list(review.risks),
        render,
        essential=len(review.risks),
        more=lambda number: f"> … and {number} more",
        between="\n>\n",
    )


def _table(
    steps: Sequence[ReviewedStep],
    platform: Platform,
    head: str,
    new: frozenset[str] = frozenset(),
) -> Section:
    """A row for each resource, and one for each of the components `new`, by URN."""
    rows: list[list[ReviewedStep]] = []
    folded: dict[str, list[ReviewedStep]] = {}
    for each in steps:
        if (known := folded.get(each.step.parent)) is not None:
            known.append(each)
            continue
        rows.append([each])
        if each.step.parent in new:
            folded[each.step.parent] = rows[-1]

    def render(members: Sequence[ReviewedStep]) -> str:
        first = members[0]
        parent = component(first.step)
        what, reason = code(first.address, platform), why(first, platform)
        if len(members) > 1:
            named = kinds((each.step for each in members), lambda kind: code(kind, platform))
            what = f"{len(members)} resources: {named}"
            reason = "; ".join(dict.fromkeys(why(each, platform) for each in members))
        return (
            f"| {SIGNS[first.step.op]} | {code(parent, platform) if parent else '–'}"
            f" | {what} | {reason} |"
        )

    return Section(
        head,
        rows,
        render,
        essential=sum(each.step.op in _UNDOABLE for each in steps),
        more=lambda number: f"| … | – | and {number} more | left out |",
    )


def why(reviewed: ReviewedStep, platform: Platform) -> str:
    """What forces or changes it, which line asks for it, and what it follows from."""
    step = reviewed.step
    parts = [f"in {prose(step.during, platform)}"] if step.during else []
    keys = list(step.replace_keys)
    if step.op == "replace":
        parts += [f"{_codes(keys, platform)} forces replacement"] if keys else ["replaced"]
        parts += ["deleted first"] if step.delete_before_replace else []
    elif step.op == "update" and step.changes:
        parts.append(_codes([each.path for each in in_order_of_interest(step.changes)], platform))
        if any(change.replaces is None for change in step.changes):
            parts.append("may be replaced")
    elif step.op == "delete":
        parts.append("deleted")
    if step.protect and step.op in _UNDOABLE:
        parts.append("**protected**")
    if step.retained and step.op == "delete":
        parts.append("kept in the cloud, no longer managed")
    elif step.reason and not reviewed.follows:
        parts.append(_prose(step.reason, platform, limit=200))
    if reviewed.follows:
        parts.append(f"follows {_codes(reviewed.follows, platform)}")
    text = "; ".join(parts) or ("new" if step.op == "create" else step.op)
    causes = [cause_words(cause, pen(platform)) for cause in reviewed.causes]
    told = [words for words in dict.fromkeys(causes) if words]
    more = f" and {len(told) - _REASONS} more" if len(told) > _REASONS else ""
    return text + (f" ← {', '.join(told[:_REASONS])}{more}" if told else "")


def _policies(findings: Sequence[Finding], platform: Platform) -> Section:
    def render(finding: Finding) -> str:
        fix = _prose(finding.remediation, platform, limit=300)
        text = _prose(finding.message, platform, limit=300)
        text += f" ← {code(finding.place, platform)}" if finding.place else ""
        text += f"; fix: {fix}" if fix else ""
        mark = "**mandatory**" if finding.counts else "advisory"
        resource = code(finding.address, platform) if finding.address else "–"
        return f"| {mark} | {code(finding.rule, platform)} | {resource} | {text} |"

    return Section(
        f"**{policies_title(findings)}**\n\n| | Policy | Resource | Finding |\n|---|---|---|---|",
        findings,
        render,
        essential=len(findings),
        more=lambda number: f"| … | – | – | and {number} more left out |",
    )


def pen(platform: Platform) -> Pen:
    """How a comment on a platform writes values and sentences."""
    return Pen(
        code=lambda text, limit: code(text, platform, limit=limit),
        prose=lambda text, limit: prose(text, platform, limit=limit),
    )


def _codes(paths: Sequence[str], platform: Platform) -> str:
    shown = [code(path, platform, limit=80) for path in list(dict.fromkeys(paths))[:_REASONS]]
    more = len(set(paths)) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _folded(
    title: str, items: Sequence[Any], render: Callable[[Any], str], platform: Platform
) -> Section:
    """A section that is closed until it is opened. `title` is our own words, never a value."""
    if platform == "bitbucket":  # shows HTML as it is written
        return Section(f"**{title}**\n", items, render)
    # The empty line ends the HTML block, so that what follows is read as Markdown.
    return Section(f"<details><summary>{title}</summary>\n", items, render, tail="\n</details>")


def _diff_block(reviewed: ReviewedStep, platform: Platform) -> str:
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


def _address_lines(reviewed: ReviewedStep, platform: Platform) -> str:
    """One line for a change that is noise: the resource and the properties."""
    paths = [code(change.path, platform, limit=80) for change in reviewed.step.changes[:3]]
    more = len(reviewed.step.changes) - len(paths)
    tail = f" and {more} more" if more > 0 else ""
    what = f": {', '.join(paths)}{tail}" if paths else ""
    op = "" if reviewed.step.op == "update" else f" ({reviewed.step.op})"
    return f"- {code(reviewed.address, platform)}{op}{what}"


def _suppressed_line(finding: Finding, platform: Platform) -> str:
    """One finding that an exception lets pass, with the exception."""
    resource = f" · {code(finding.address, platform)}" if finding.address else ""
    reason = _prose(finding.suppressed_by, platform, limit=300)
    return f"- {code(finding.rule, platform)}{resource}: let pass by {reason}"


def _prose(text: str, platform: Platform, *, limit: int = SENTENCE) -> str:
    """A sentence without what is secret by its form."""
    return prose(hidden("", text), platform, limit=limit)
