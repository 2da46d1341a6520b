"""An update of templates in words: what it risks first, then versions, values, resources.

The description of a pull request is the same text in a block of code, which nothing in it can end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from mlops_iac.cli._plan import Style
from mlops_iac.cli._review import RISK_WORDS, cause_words, review_lines
from mlops_iac.review.escape import code, fence, name, prose, utf16_length, visible
from mlops_iac.review.markdown import LIMITS

if TYPE_CHECKING:
    from mlops_iac.api.templates.moves import TemplateMove
    from mlops_iac.api.templates.update import TemplateUpdate
    from mlops_iac.review.model import Review
    from mlops_iac.templates.leaf_changes import LeafChange

_SIGNS = {
    "new": ("+", "green"),
    "gone": ("−", "red"),
    "required": ("!", "red"),
    "changed": ("~", "yellow"),
}
_LONGEST = 600
_MOST_LISTED = 20


def update_lines(update: TemplateUpdate, style: Style, *, detail: bool) -> Iterator[str]:
    """Yield everything that is shown of an update; `detail` adds every property."""
    yield from _on_top(update, style)
    for move in update.moves:
        yield from move_lines(move, style)
    if update.diff:
        yield style(update.blueprint, bold=True)
        for _, done in update.migrations:
            where = f"{update.blueprint}:{done.line}: " if done.line else ""
            yield f"  {done.version}: {where}{shown(done.words)}"
        yield from (f"  {_colored(line, style)}" for line in update.diff.splitlines())
        yield ""
    if update.leaves:
        yield style("values", bold=True)
        yield from _leaves(update.leaves, update.environments, style)
        yield ""
    for names, lines in _stacks(update, style, detail=detail).items():
        yield style(names, bold=True)
        yield from lines
        yield ""


def to_markdown(update: TemplateUpdate) -> str:
    """The description of a pull request, at most a comment's limit of GitHub, in UTF-16.

    What does not fit goes from the end, where what hurts is not.
    """
    head = [f"### mlops-iac template update · {code(update.blueprint, 'github')}", ""]
    for move in update.moves[:_MOST_LISTED]:
        words = move.words.removeprefix(move.name).strip(" :")
        head.append(f"- **{name(move.name, 'github')}** {prose(words, 'github')}")
    lines = [f"! {each.file}:{each.line}: {each.message}" for each in update.problems]
    lines += update_lines(update, lambda text, **_: text, detail=False)
    end = "Afterwards: `mlops-iac compile`"
    if update.refused:
        head += ["", "**Refused: the blueprint does not stand on it as it is.**"]
    if update.refused or not update.needed:
        end = "Nothing is written."
    room = LIMITS["github"] - 1_000 - utf16_length("\n".join(head))
    whole = fence(lines, "github", limit=_LONGEST)
    kept = [whole[0]]
    for line in whole[1:-1]:
        room -= utf16_length(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = len(whole) - len(kept) - 1
    more = [f"Shortened to fit: {left} line(s) left out.", ""] if left else []
    block = [*kept, whole[-1], ""] if lines else []
    return "\n".join([*head, "", *block, *more, end]) + "\n"


def _stacks(update: TemplateUpdate, style: Style, *, detail: bool) -> dict[str, list[str]]:
    """What is told of each stack, once for all where it is the same."""
    by_lines: dict[tuple[str, ...], list[str]] = {}
    for reviewed in update.reviews:
        review = reviewed.review
        told = review_lines(reviewed, style, unchanged=False, detail=detail)
        skipped = len(review.risks) + 1 if review.risks else 0  # they stand on top already
        lines = [line for number, line in enumerate(told) if number >= skipped]
        lines += [f"note: {note}" for note in review.notes]
        lines += _policies(review, style)
        by_lines.setdefault(tuple(lines), []).append(review.stack)
    project = update.reviews[0].review.project if update.reviews else ""
    return {f"{project} → {', '.join(stacks)}": list(lines) for lines, stacks in by_lines.items()}


def pinned_words(update: TemplateUpdate) -> str:
    """What an update that does nothing stands on."""
    lock = update.files[1].new
    return "stands on no template" if lock is None else f"stands on what {update.lock} pins"


def move_lines(move: TemplateMove, style: Style) -> Iterator[str]:
    """One template: versions, changelog, parameters, limits."""
    about = [move.source]
    if move.by:
        about.append(f"through {move.by}")
    if move.requested and move.requested == move.asked:
        about.append(f"asked for as {move.requested}")
    elif move.requested:
        about.append(f"asked for as {move.requested}, before as {move.asked or 'any release'}")
    yield f"{style(move.words, bold=True)}  ({', '.join(about)})"
    for entry in move.changelog:
        taken_back = " (taken back)" if move.kind == "downgrade" else ""
        yield f"  {entry.version}{taken_back}"
        yield from (f"    - {shown(text)}" for text in entry.texts)
    for title, rows in (("parameters", move.parameters), ("limits", move.limits)):
        if rows:
            yield f"  {title}"
        for row in rows:
            sign, color = _SIGNS[row.kind]
            said = " → ".join(each for each in (row.old, row.new) if each)
            words = shown(f"{row.name}: {said}" + (f" · {row.why}" if row.why else ""))
            yield f"    {style(f'{sign} {words}', fg=color)}  ({row.place})"
    if rails := [file for file in move.files if file.startswith("policies")]:
        yield f"  guard rails: {shown(', '.join(rails))}"
    if move.kind == "content" and move.files:
        yield f"  files: {shown(', '.join(move.files))}"
    yield ""


def shown(text: str, limit: int = _LONGEST) -> str:
    """Words of a template on one line, with nothing in them that a terminal would obey."""
    return visible(text, limit)


def _on_top(update: TemplateUpdate, style: Style) -> Iterator[str]:
    """What may hurt, of every stack, before anything else; the same thing once."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for reviewed in update.reviews:
        review = reviewed.review
        for risk in review.risks:
            key = (*RISK_WORDS[risk.kind], f"{risk.address}: {risk.words}")
            told.setdefault(key, []).append(review.stack)
        for item in review.changes:
            if item.step.op in ("replace", "delete") and item.step.custom:
                causes = "; ".join(cause_words(cause) for cause in item.causes)
                words = item.address + (f" ← {causes}" if causes else "")
                told.setdefault((f"{item.step.op}s", "magenta", words), []).append(review.stack)
    for (what, color, words), stacks in told.items():
        head = f"! {what} in {', '.join(stacks)}"
        yield f"{style(head, fg=color, bold=True)}: {words}"
    if told:
        yield ""


def _leaves(
    leaves: Sequence[LeafChange], environments: Sequence[str], style: Style
) -> Iterator[str]:
    for names, changes in groupby(leaves, key=lambda change: change.environments):
        everywhere = set(names) == set(environments)
        yield f"  {'all environments' if everywhere else ', '.join(names)}"
        for change in changes:
            layer = " (default)" if change.layer == "default" else ""
            what = f"{change.path}: {_value(change.old, change.path)} → "
            what += _value(change.new, change.path)
            yield f"    {what}  {style(f'← {change.place}{layer}', fg='cyan')}"


def _value(value: Any, path: str) -> str:
    from mlops_iac.graph.hidden import hidden

    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    safe = hidden(path, value)
    return shown(" ".join(str(safe).split()) if not isinstance(safe, dict) or safe else "{}", 100)


def _policies(review: Review, style: Style) -> Iterator[str]:
    for finding in review.policies:
        if not finding.suppressed_by:
            kind = "mandatory" if finding.counts else "advisory"
            place = f"{finding.file}:{finding.line}: " if finding.file else ""
            yield f"{style(kind, fg='yellow')} {finding.rule}: {place}{shown(finding.message)}"


def _colored(line: str, style: Style) -> str:
    color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return style(line, fg=color) if color else line
