"""A review in words: risks first, then what changes and why, noise folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_iac.api.compare.reviews import Reviewed
from mlops_iac.cli._plan import Style, grouped_lines, plan_lines, summary_line
from mlops_iac.graph.hidden import hidden
from mlops_iac.graph.model import STACK_TYPE
from mlops_iac.graph.plan import HALVES
from mlops_iac.graph.shown import cut
from mlops_iac.graph.whole import whole
from mlops_iac.review.model import Cause, ReviewedStep
from mlops_iac.review.shown import written

RISK_WORDS = {
    "own-rules": ("changes what judges it", "red"),
    "refused": ("is refused", "red"),
    "data-loss": ("data loss", "red"),
    "downtime": ("downtime", "red"),
    "network-opening": ("opens the network", "red"),
    "wider-permission": ("wider permission", "yellow"),
    "protection-removed": ("protection removed", "yellow"),
    "cost": ("costs more", "yellow"),
}
_NOISE_WORDS = {"tags": "change nothing but tags", "hash": "differ in digests of the same content"}


def review_lines(
    reviewed: Reviewed, style: Style, *, unchanged: bool, detail: bool
) -> Iterator[str]:
    """Yield a review's lines; `unchanged` shows what stays too, `detail` every property and noise."""
    review = reviewed.review
    for risk in review.risks:
        words, color = RISK_WORDS[risk.kind]
        yield f"{style('! ' + words, fg=color, bold=True)}: {risk.address}: {risk.words}"
    if review.risks:
        yield ""
    if unchanged:
        yield from plan_lines(reviewed.plan, style, unchanged=True, detail=detail)
        return
    folded = frozenset() if detail else whole([item.step for item in review.steps])
    yield from _steps(review.changes, style, folded, detail=detail)
    if review.tool_changes:
        yield style("from another version of the tool, not from the blueprint", bold=True)
        yield from _steps(review.tool_changes, style, frozenset(), detail=detail)
    yield summary_line(reviewed.plan, style)


def _steps(
    steps: Sequence[ReviewedStep], style: Style, folded: frozenset[str], *, detail: bool
) -> Iterator[str]:
    told = [
        item
        for item in steps
        if item.step.custom and item.step.type != STACK_TYPE and item.step.op not in HALVES
    ]
    loud = [item for item in told if detail or not item.noise]
    words = {id(item.step): [cause_words(cause) for cause in item.causes] for item in loud}
    members = [item.step for item in loud]
    yield from grouped_lines(
        members, style, folded, detail=detail, causes=lambda step: words[id(step)]
    )
    for kind, why in _NOISE_WORDS.items():
        count = sum(1 for item in told if item.noise == kind and not detail)
        if count:
            yield style(f"{count} more {why} (--diff shows them)", fg="bright_black")
    if told:
        yield ""


def cause_words(cause: Cause) -> str:
    """Return `blueprint.yaml:41 serving.api.compute.size: medium → large`."""
    match cause.kind:
        case "follows":
            return f"follows from {cause.path}"
        case "unknown":
            return cause.path or "no single line of the blueprint"
        case "tool":
            return f"{cause.path} {cause.old or 'unknown'} → {cause.new or 'unknown'}"
    old, new = (
        None if each is None else _short(written(hidden(cause.path, each)))
        for each in (cause.old, cause.new)
    )
    match old, new:
        case None, None:
            words = "other content"
        case None, _:
            words = "added"
        case _, None:
            words = "removed"
        case _:
            words = f"{old} → {new}"
    return f"{cause.place}: {words}"


def _short(text: str) -> str:
    return cut(" ".join(text.split()), 0, 60)
