"""The parts of a comment, each as rows or blocks that can be left out one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mlops_iac.graph.plan import SIGNS
from mlops_iac.graph.whole import kinds, whole
from mlops_iac.policy.model import Finding
from mlops_iac.review.budget import Section
from mlops_iac.review.details import (
    address_lines,
    diff_block,
    folded,
    suppressed_line,
    unknown_line,
)
from mlops_iac.review.escape import Platform, code, prose
from mlops_iac.review.model import RISKS, Cause, Review, ReviewedStep, Risk
from mlops_iac.review.shown import (
    changed,
    component,
    in_order_of_interest,
    references,
    shown_redacted,
    written,
)

_UNDOABLE: Final = ("replace", "delete")
_REASONS: Final = 3
TABLE: Final = "| | Component | Resource | Why |\n|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Parts:
    """Sections in the order of reading, and in that of weight."""

    in_order: Sequence[Section]
    by_weight: Sequence[Section]
    rows: Sequence[Section]
    blocks: Sequence[Section]


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
        lambda note: f"- Note: {prose(shown_redacted(note), platform)}",
    )
    apart = _table(
        tool,
        platform,
        f"**From another version of the tool, not from the blueprint ({len(tool)})**\n\n{TABLE}",
    )
    diffs = [each for each in [*plain, *tool] if each.step.changes and each.step.op != "delete"]
    diffs += [each for each in plain if each.step.op == "create" and each.step.new_inputs]
    details = [
        folded(
            f"Property diff ({len(diffs)})",
            diffs,
            lambda each: diff_block(each, platform),
            platform,
        ),
        folded(
            f"Outputs · {len(review.outputs_unknown)} unknown until applied",
            list(review.outputs_unknown),
            lambda output: unknown_line(output, platform),
            platform,
        ),
        *(
            folded(
                f"{title} ({len(noisy)})",
                noisy,
                lambda each: address_lines(each, platform),
                platform,
            )
            for title, noisy in (
                ("Tag-only changes", [each for each in steps if each.noise == "tags"]),
                ("Same content, other digest", [each for each in steps if each.noise == "hash"]),
            )
        ),
        folded(
            f"Suppressed policies ({sum(bool(each.suppressed_by) for each in review.policies)})",
            [each for each in review.policies if each.suppressed_by],
            lambda finding: suppressed_line(finding, platform),
            platform,
        ),
    ]
    rows = [risks, table, broken, apart, notes]
    return Parts(
        in_order=[risks, table, broken, apart, notes, *details],
        by_weight=[*rows, *details],
        rows=rows,
        blocks=details,
    )


def place(cause: Cause | Finding, platform: Platform) -> str:
    """`blueprint.yaml:41 serving.api.compute`, as code; empty where nothing is known."""
    where = f"{cause.file}:{cause.line}" if cause.line else cause.file
    text = f"{where} {cause.path}".strip()
    return code(text, platform) if text else ""


def _risks(review: Review, platform: Platform) -> Section:
    by_address: dict[str, ReviewedStep] = {}
    for each in [*review.steps, *review.tool_changes]:
        by_address.setdefault(each.address, each)

    def render(risk: Risk) -> str:
        title = RISKS.get(risk.kind, "Risk")
        words = prose(shown_redacted(risk.words), platform)
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
        parts.append(prose(shown_redacted(step.reason), platform, limit=200))
    if reviewed.follows:
        parts.append(f"follows {_codes(reviewed.follows, platform)}")
    text = "; ".join(parts) or ("new" if step.op == "create" else step.op)
    causes = [_cause(cause, platform) for cause in reviewed.causes if cause.kind != "follows"]
    told = [words for words in dict.fromkeys(causes) if words]
    more = f" and {len(told) - _REASONS} more" if len(told) > _REASONS else ""
    return text + (f" ← {', '.join(told[:_REASONS])}{more}" if told else "")


def _cause(cause: Cause, platform: Platform) -> str:
    match cause.kind:
        case "blueprint":
            where = place(cause, platform)
            if cause.old is None and cause.new is None:
                return f"{where} (other content)" if where else ""
            old, new = (
                code(written(shown_redacted(value, cause.path)), platform, limit=60)
                for value in (cause.old, cause.new)
            )
            if cause.old is None:
                return f"{where} (now {new})"
            return f"{where} (was {old})" if cause.new is None else f"{where} ({old} → {new})"
        case "tool":
            old, new = (str(each or "unknown") for each in (cause.old, cause.new))
            return code(f"{cause.path} {old} → {new}", platform)
        case "follows":
            return ""
        case _:
            return prose(cause.path, platform, limit=200) if cause.path else "cause not known"


def _policies(findings: Sequence[Finding], platform: Platform) -> Section:
    mandatory = sum(finding.counts for finding in findings)

    def render(finding: Finding) -> str:
        where = place(finding, platform)
        fix = prose(shown_redacted(finding.remediation), platform, limit=300)
        text = prose(shown_redacted(finding.message), platform, limit=300)
        text += f" ← {where}" if where else ""
        text += f"; fix: {fix}" if fix else ""
        mark = "**mandatory**" if finding.counts else "advisory"
        resource = code(finding.address, platform) if finding.address else "–"
        return f"| {mark} | {code(finding.rule, platform)} | {resource} | {text} |"

    return Section(
        f"**Policies · {mandatory} mandatory · {len(findings) - mandatory} advisory**\n\n"
        "| | Policy | Resource | Finding |\n|---|---|---|---|",
        findings,
        render,
        essential=len(findings),
        more=lambda number: f"| … | – | – | and {number} more left out |",
    )


def _codes(paths: Sequence[str], platform: Platform) -> str:
    shown = [code(path, platform, limit=80) for path in list(dict.fromkeys(paths))[:_REASONS]]
    more = len(set(paths)) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
