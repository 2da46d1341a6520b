"""An update of templates as the description of a pull request.

Order: versions, what it puts at risk, changelog, parameters and limits, the blueprint's own lines,
values, each stack. What does not fit goes from the end of that order; risks, replacements and
deletions go last of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from mlops_iac.graph.hidden import hidden
from mlops_iac.graph.plan import SIGNS
from mlops_iac.review.budget import Section, fit
from mlops_iac.review.escape import code, fence, name, prose, utf16_length
from mlops_iac.review.markdown import LIMITS
from mlops_iac.review.sections import Parts, sections, why
from mlops_iac.review.shown import changed, counted, headline, written

if TYPE_CHECKING:
    from mlops_iac.api.templates.moves import TemplateMove
    from mlops_iac.api.templates.update import TemplateUpdate
    from mlops_iac.errors import Diagnostic
    from mlops_iac.review.model import ReviewedStep
    from mlops_iac.templates.changes import Change
    from mlops_iac.templates.leaf_changes import LeafChange

_ON: Final = "github"
_SIGNS: Final = {"new": "new", "gone": "gone", "required": "**required now**", "changed": "changed"}
_VALUES: Final = "| Value | Was | Is | Where | Environments |\n|---|---|---|---|---|"
_MOST_MOVES: Final = 20


def to_markdown(update: TemplateUpdate, *, limit: int | None = None) -> str:
    """The description, at most `limit` characters (a comment's limit by default) of UTF-16."""
    most = min(limit or LIMITS[_ON], LIMITS[_ON])
    top, bottom = _top(update), _bottom(update)
    own = [
        _refused(update),
        *(_changelog(move) for move in update.moves),
        *(_table(move) for move in update.moves),
        _diff(update),
        _values(update),
    ]
    stacks = [sections(each.review, _ON) for each in update.reviews]
    for parts, reviewed in zip(stacks, update.reviews, strict=True):
        parts.rows[0].head += f"\n> **{name(reviewed.review.stack, _ON)}**\n>"
    undoable = _undoable(update)
    heads = [_head(update, number) for number in range(len(stacks))]
    frame = [top, bottom, *heads, "Shortened to fit: 00000 part(s) left out."]
    room = most - sum(utf16_length(part) + 2 for part in frame)
    # The risks and the table of each stack hold what cannot be undone.
    weighty = [section for parts in stacks for section in parts.rows[:2]]
    every = [section for parts in stacks for section in parts.all]
    fit([undoable, *weighty, *own, *(each for each in every if each not in weighty)], room)
    left = sum(section.left_out for section in [undoable, *own, *every])
    risky = [undoable, *(parts.rows[0] for parts in stacks)]
    risks = [text for section in risky if (text := section.text())]
    body = [text for section in own if (text := section.text())]
    for head, parts in zip(heads, stacks, strict=True):
        body += [head, *_below(parts)]
    if left:
        body.append(f"Shortened to fit: {left} part(s) left out.")
    text = "\n\n".join([top, *risks, *body, bottom]) + "\n"
    assert utf16_length(text) <= most, (utf16_length(text), most)
    return text


def _below(parts: Parts) -> Iterator[str]:
    """A stack without its risks, which stand on top."""
    for section in parts.all[1:]:
        if text := section.text():
            yield text


def _top(update: TemplateUpdate) -> str:
    lines = [f"### mlops-iac template update · {code(update.blueprint, _ON)}"]
    shown = list(update.moves[:_MOST_MOVES])
    lines += [f"- {_move(move)}" for move in shown]
    if len(update.moves) > len(shown):
        lines.append(f"- and {len(update.moves) - len(shown)} more templates")
    if not update.needed:
        lines.append("\nNothing to update.")
    if update.refused:
        lines.append("\n**Refused: the blueprint does not stand on it as it is.**")
    return "\n".join(lines)


def _move(move: TemplateMove) -> str:
    words = move.words.removeprefix(move.name).strip(" :")
    about = f"{code(move.source, _ON)}"
    if move.requested:
        about += f", asked for as {code(move.requested, _ON)}"
    if move.by:
        about += f", through {code(move.by, _ON)}"
    return f"**{name(move.name, _ON)}** {prose(words, _ON)} ({about})"


def _bottom(update: TemplateUpdate) -> str:
    if update.refused or not update.needed:
        return "Nothing is written."
    return f"Afterwards: {code('mlops-iac compile', _ON)}"


def _head(update: TemplateUpdate, number: int) -> str:
    review = update.reviews[number].review
    counts = headline(counted([*review.steps, *review.tool_changes]))
    nothing = " · nothing changes" if not changed(review.steps) else ""
    subject = f"{name(review.project, _ON)} → {name(review.stack, _ON)}"
    return f"#### {subject}\n**{counts}**{nothing}"


def _refused(update: TemplateUpdate) -> Section:
    def render(item: Diagnostic) -> str:
        place = f"{item.file}:{item.line}" if item.line else item.file
        return f"> {code(place, _ON)}: {prose(item.message, _ON)}"

    return Section(
        "> [!WARNING]",
        list(update.problems),
        render,
        essential=len(update.problems),
        between="\n>\n",
    )


def _undoable(update: TemplateUpdate) -> Section:
    """Every replacement and deletion, with the stacks that it happens in."""
    found: dict[tuple[str, str], tuple[list[str], ReviewedStep]] = {}
    for each in update.reviews:
        for item in changed(each.review.steps):
            if item.step.op in ("replace", "delete"):
                stacks, _ = found.setdefault((item.step.op, item.address), ([], item))
                stacks.append(name(each.review.stack, _ON))

    def render(row: tuple[list[str], ReviewedStep]) -> str:
        stacks, item = row
        sign = SIGNS[item.step.op]
        return f"| {sign} | {code(item.address, _ON)} | {', '.join(stacks)} | {why(item, _ON)} |"

    return Section(
        "**Replaced and deleted**\n\n| | Resource | In | Why |\n|---|---|---|---|",
        list(found.values()),
        render,
        essential=len(found),
        more=lambda number: f"| … | and {number} more | – | left out |",
    )


def _changelog(move: TemplateMove) -> Section:
    lines = [(entry.version, text) for entry in move.changelog for text in entry.texts]
    taken_back = ", taken back" if move.kind == "downgrade" else ""
    return Section(
        f"**Changelog of {name(move.name, _ON)}{taken_back}**\n",
        lines,
        lambda line: f"- {code(line[0], _ON)} {prose(line[1], _ON)}",
    )


def _table(move: TemplateMove) -> Section:
    def render(row: Change) -> str:
        old, new = (prose(each, _ON) if each else "–" for each in (row.old, row.new))
        cells = [_SIGNS[row.kind], code(row.name, _ON), old, new, prose(row.why, _ON) or "–"]
        return f"| {' | '.join([*cells, code(row.place, _ON)])} |"

    return Section(
        f"**Parameters and limits of {name(move.name, _ON)}**\n\n"
        "| | Parameter or limit | Was | Is | Why | Where |\n|---|---|---|---|---|---|",
        [*move.parameters, *move.limits],
        render,
    )


def _diff(update: TemplateUpdate) -> Section:
    lines = update.diff.splitlines()
    title = "What the migrations do to the blueprint"
    if not update.migrations:
        title = "What becomes of the blueprint"
    return Section(
        f"**{title}**\n", [lines] if lines else [], lambda all_: "\n".join(fence(all_, _ON))
    )


def _values(update: TemplateUpdate) -> Section:
    def render(change: LeafChange) -> str:
        old, new = (
            "–" if value is None else code(written(hidden(change.path, value)), _ON, limit=80)
            for value in (change.old, change.new)
        )
        where = code(change.place, _ON) + (" (default)" if change.layer == "default" else "")
        everywhere = set(change.environments) == set(update.environments)
        names = "all" if everywhere else ", ".join(name(each, _ON) for each in change.environments)
        return f"| {code(change.path, _ON)} | {old} | {new} | {where} | {names} |"

    return Section(_VALUES, list(update.leaves), render)
