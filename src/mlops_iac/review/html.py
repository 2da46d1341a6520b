"""A review as one HTML page: everything in it, nothing left out, readable on a phone.

The page asks nothing of anyone: no script, no font, no picture from elsewhere, and a content security
policy that would refuse them, should a value ever get past the escaping.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from mlops_iac.graph.hidden import hidden
from mlops_iac.graph.plan import SIGNS
from mlops_iac.policy.model import Finding
from mlops_iac.review.escape import LINE, SENTENCE, page
from mlops_iac.review.model import RISKS, Review, ReviewedStep
from mlops_iac.review.picture import graph_of, marks_of
from mlops_iac.review.shown import (
    NOISES,
    Pen,
    cause_words,
    changed,
    component,
    counted,
    policies_title,
    property_lines,
    references,
    told_about,
)
from mlops_iac.runtime import pages

_STYLE: Final = (
    pages.STYLE
    + """
  .op-create { color: var(--create); } .op-update { color: var(--update); }
  .op-replace { color: var(--replace); } .op-delete { color: var(--delete); }
  .caution { border-left: 4px solid var(--delete); background: var(--panel); padding: 8px 14px;
    border-radius: 0 8px 8px 0; }
  .caution h2 { margin: 0 0 4px; color: var(--delete); }
  summary .sign { font-weight: 700; display: inline-block; width: 1.1em; }
  .scroll svg { display: block; min-width: 760px; width: 100%; height: auto; }
  .path { margin: 10px 0 2px; }
  .value { display: block; padding: 3px 8px; border-radius: 4px; margin: 2px 0;
    white-space: pre-wrap; }
  .old { background: var(--old); } .new { background: var(--new); }
  .old::before { content: "\\2212  "; } .new::before { content: "+ "; }
"""
)
_UNDOABLE: Final = ("replace", "delete")
_STYLES = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def to_html(review: Review) -> str:
    """The page's text. Nothing of the review is left out; long values are cut to a line."""
    body = "\n".join(_body(review))
    title = f"{page(review.project)} → {page(review.stack)} · mlops-iac preview"
    return pages.document(title, body, [_STYLE, *_STYLES.findall(body)])


def _body(review: Review) -> Iterator[str]:
    steps = changed(review.steps)
    tool = changed(review.tool_changes)
    yield from _head(review)
    yield from _caution(review)
    yield from _policies([each for each in review.policies if not each.suppressed_by])
    yield from _picture(review)
    loud = [each for each in steps if not each.noise]
    if loud:
        yield f"<section><h2>Changes ({len(loud)})</h2>"
        for each in loud:
            yield from _step(each)
        yield "</section>"
    if tool:
        title = f"From another version of the tool, not from the blueprint ({len(tool)})"
        yield f"<section><h2>{title}</h2>"
        for each in tool:
            yield from _step(each)
        yield "</section>"
    for title, noise in NOISES:
        noisy = [each for each in steps if each.noise == noise]
        if noisy:
            yield f'<details class="card"><summary>{title} ({len(noisy)})</summary>'
            for each in noisy:
                yield from _step(each)
            yield "</details>"
    yield from _suppressed([each for each in review.policies if each.suppressed_by])
    if review.outputs_unknown:
        number = len(review.outputs_unknown)
        yield f'<details class="card"><summary>Outputs · {number} unknown until applied</summary>'
        yield from _list(_code(output) for output in review.outputs_unknown)
        yield "</details>"
    if review.notes:
        yield "<section><h2>Notes</h2>"
        yield from _list(_text(note) for note in review.notes)
        yield "</section>"
    if steps or tool:
        yield f"<p>To apply: {_code(f'mlops-iac up -s {review.stack} --plan plan.json')}</p>"


def _head(review: Review) -> Iterator[str]:
    counts = counted([*review.steps, *review.tool_changes])
    yield f"<header><h1>{page(review.project)} → {page(review.stack)}</h1>"
    told = [*([page(review.platform)] if review.platform else []), *told_about(review, _PEN)]
    yield f'<p class="quiet">{" · ".join(told)}</p>'
    chips = "".join(
        f'<li class="{f"op-{op}" if counts.get(op) else "zero"}">'
        f"{SIGNS[op]}{counts.get(op, 0)} {op}</li>"
        for op in ("create", "update", "replace", "delete")
    )
    unchanged = counts.get("same", 0)
    chips += f'<li class="zero">{unchanged} unchanged</li>' if unchanged else ""
    yield f'<ul class="counts">{chips}</ul></header>'
    if not changed([*review.steps, *review.tool_changes]):
        yield "<p>Nothing changes.</p>"


def _caution(review: Review) -> Iterator[str]:
    if not review.risks:
        return
    places = {each.address: references(each) for each in [*review.tool_changes, *review.steps]}
    yield '<section class="caution"><h2>Caution</h2>'
    for risk in review.risks:
        where = [_code(place) for place in places.get(risk.address, ())]
        tail = f" ← {', '.join(where)}" if where else ""
        title = RISKS.get(risk.kind, "Risk")
        yield f"<p><strong>{title}</strong> · {_code(risk.address)}: {_text(risk.words)}{tail}</p>"
    yield "</section>"


def _policies(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield f"<section><h2>{policies_title(findings)}</h2>"
    for finding in sorted(findings, key=lambda each: not each.counts):
        mark = "<strong>mandatory</strong>" if finding.counts else "advisory"
        resource = f" · {_code(finding.address)}" if finding.address else ""
        where = f" ← {_code(finding.place)}" if finding.place else ""
        yield f'<div class="card"><p>{mark} · {_code(finding.rule)}{resource}</p>'
        yield f"<p>{_text(finding.message)}{where}</p>"
        if finding.remediation:
            yield f'<p class="quiet">Fix: {_text(finding.remediation)}</p>'
        yield "</div>"
    yield "</section>"


def _suppressed(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield f'<details class="card"><summary>Suppressed policies ({len(findings)})</summary>'
    yield from _list(
        f"{_code(each.rule)}{f' · {_code(each.address)}' if each.address else ''}:"
        f" let pass by {_text(each.suppressed_by)}"
        for each in findings
    )
    yield "</details>"


def _picture(review: Review) -> Iterator[str]:
    from mlops_iac.graph.svg import to_svg

    marks = marks_of(review)
    if not marks:
        return
    graph = graph_of(review)
    yield "<section><h2>Picture</h2>"
    if graph is None:
        yield '<p class="quiet">The stack has too many components for a picture.</p></section>'
        return
    yield f'<div class="scroll" tabindex="0">{to_svg(graph, marks).strip()}</div></section>'


def _step(reviewed: ReviewedStep) -> Iterator[str]:
    step = reviewed.step
    parent = component(step)
    opened = " open" if step.op in _UNDOABLE else ""
    yield f'<details class="card"{opened}><summary><span class="op-{step.op}">'
    yield f'<span class="sign">{SIGNS[step.op]}</span>{step.op}</span> {_code(reviewed.address)}'
    yield f' <span class="quiet">{page(parent)}</span></summary>'
    yield from _list(_why(reviewed))
    for line in property_lines(step):
        if line.path:
            note = f' <span class="op-replace">{page(line.note)}</span>' if line.note else ""
            yield f'<p class="path">{_code(line.path)}{note}</p>'
        for side, value in (("old", line.old), ("new", line.new)):
            if value is not None:
                yield f'<code class="value {side}">{page(value, limit=LINE)}</code>'
    yield "</details>"


def _why(reviewed: ReviewedStep) -> Iterator[str]:
    step = reviewed.step
    if step.during:
        yield f"in {_text(step.during)}"
    if step.protect and step.op in _UNDOABLE:
        yield "<strong>protected</strong>: the deployment refuses to delete it"
    if step.retained and step.op == "delete":
        yield "kept in the cloud, no longer managed"
    elif step.reason and not reviewed.follows:
        yield _text(step.reason)
    if step.op == "replace" and step.delete_before_replace:
        yield "deleted before the new one is made"
    for address in reviewed.follows:
        yield f"follows {_code(address)}"
    for cause in reviewed.causes:
        if words := cause_words(cause, _PEN):
            yield f"← {words}"


def _list(items: Iterable[str]) -> Iterator[str]:
    shown = [f"<li>{item}</li>" for item in items]
    if shown:
        yield f"<ul>{''.join(shown)}</ul>"


def _code(text: str) -> str:
    return f"<code>{page(text, limit=LINE)}</code>"


def _text(text: str) -> str:
    """A sentence, with what it has in backticks as code."""
    clean = str(hidden("", text))[: SENTENCE + 1]
    parts = re.split(r"`([^`]*)`", clean)
    return "".join(
        _code(part) if index % 2 else page(part, limit=SENTENCE) for index, part in enumerate(parts)
    )


_PEN: Final = Pen(code=lambda text, _: _code(text), prose=lambda text, _: _text(text))
