"""The texts that are put in and taken out for one change of a blueprint.

Every function returns splices of the present text, which do not overlap; none of them is applied
here. A comment on a line of its own stays where it is unless it stands inside what goes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mlops_iac.blueprint.editing import emit
from mlops_iac.blueprint.editing.marks import BREAK, Document, Marked, Pair
from mlops_iac.blueprint.editing.places import Place
from mlops_iac.blueprint.editing.trees import Scalar, Tree


class Splice(NamedTuple):
    """`text` instead of what stands from `start` to `end`.

    Where the text comes from elsewhere in the document, its line `lead` (from 0) was line `source`
    (from 1).
    """

    start: int
    end: int
    text: str
    source: int = 0
    lead: int = 0


class CannotSplice(Exception):
    """Why a text cannot be changed in place; `line` is where."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def rekey(place: Place, new: str) -> list[Splice]:
    """Another key for an entry."""
    key = place.pair.key
    if key.kind == "alias":
        raise CannotSplice("its key is an alias", key.line)
    style = key.style if key.style in ("'", '"') else ""
    return [Splice(key.start, key.end, emit.key(new, style=style))]


def replace(document: Document, place: Place, tree: Tree) -> list[Splice]:
    """Another value for an entry or item."""
    value, at = place.value, value_offset(document, place)
    flow = place.holder.flow
    if value.empty:
        if at < 0:
            return [Splice(place.pair.key.end, place.pair.key.end, f": {_inline(tree, flow)}")]
        return [Splice(at, at, f" {_inline(tree, flow)}")]
    end = document.content_end(value)
    if value.kind in ("list", "map") and has_comment(document, value, end):
        raise CannotSplice("it holds comments, which would be lost", value.line)
    if value.block:
        return [Splice(at, end, f" {_inline(tree, flow)}")]
    style = value.style if value.style in ("'", '"') else ""
    text = emit.scalar(tree, flow=flow, style=style) if isinstance(tree, Scalar) else ""
    text = text or _inline(tree, flow)
    if value.block_text:
        line_end = document.line_end(value.start)
        header = re.compile(r"[|>][-+0-9]*").match(document.text, value.start)
        assert header is not None
        return [Splice(value.start, header.end(), text), Splice(line_end, end, "")]
    return [Splice(value.start, end, text)]


def _inline(tree: Tree, flow: bool) -> str:
    return emit.inline(tree, flow=flow)


def value_offset(document: Document, place: Place) -> int:
    """Where the value may begin: after the colon, dash or anchor; -1 where there is no colon."""
    value = place.value
    if value.anchor and value.kind != "alias":
        return value.after
    if place.holder.kind == "map":
        return place.pair.colon
    return value.begin if place.holder.flow else dash(document, place) + 1


_GAP = re.compile(r"(?:\s|#[^\r\n\x85\u2028\u2029]*)*")


def dash(document: Document, place: Place) -> int:
    """The offset of the dash of an item in a block list; the item may be lines below it."""
    items = place.holder.items
    at = place.holder.start
    if place.position:
        at = document.content_end(items[place.position - 1])
    found = _GAP.match(document.text, at)
    at = found.end() if found else at
    if document.text[at : at + 1] != "-":
        raise CannotSplice("its dash cannot be found", place.line)
    return at


def has_comment(document: Document, node: Marked, end: int) -> bool:
    """Whether there is a comment between the start of a collection and `end`."""
    return any(node.start <= at < end for at, _ in comments(document))


def comments(document: Document) -> list[tuple[int, int]]:
    """Start and end of every comment."""
    found: list[tuple[int, int]] = []
    at = 0
    for start, end in [*_texts(document, document.root), (len(document.text),) * 2]:
        while (sign := document.text.find("#", at, start)) >= 0:
            at = document.line_end(sign)
            found.append((sign, at))
        at = max(at, end)
    return found


def _texts(document: Document, node: Marked) -> list[tuple[int, int]]:
    """Start and end of every scalar; of a block text its sign and its lines."""
    spans: list[tuple[int, int]] = []
    for pair in node.pairs:
        spans += [*_texts(document, pair.key), *_texts(document, pair.value)]
    for item in node.items:
        spans += _texts(document, item)
    if node.block_text:
        first = document.line_end(node.start)
        spans += [(node.start, node.start + 1), (first, max(first, document.content_end(node)))]
    elif node.kind in ("scalar", "alias"):
        spans.append((node.start, node.end))
    return spans


def add(
    document: Document, holder: Marked, names: Sequence[str], tree: Tree, indent: int | None = None
) -> list[Splice]:
    """A new entry at the end of a mapping: `names` lead to the value, one below the other.

    `indent` is that of the mapping where it has no lines yet.
    """
    if holder.flow:
        return add_text(document, holder, f"{emit.key(names[0])}: {_below(names[1:], tree)}")
    for name in reversed(names[1:]):
        tree = {name: tree}
    margin = holder.pairs[0].key.column if indent is None else indent
    return add_lines(document, holder, margin, emit.block(names[0], tree, margin, document.step))


def _below(names: Sequence[str], tree: Tree) -> str:
    for name in reversed(names):
        tree = {name: tree}
    return emit.inline(tree, flow=True)


def add_text(document: Document, holder: Marked, text: str) -> list[Splice]:
    """`key: value` at the end of a mapping in braces."""
    if document.text[holder.start : holder.start + 1] != "{":
        raise CannotSplice("a pair without braces takes no second key", holder.line)
    if not holder.pairs:
        return [Splice(holder.start + 1, holder.start + 1, text)]
    at = document.pair_end(holder.pairs[-1])
    return [Splice(at, at, f", {text}")]


def add_lines(
    document: Document,
    holder: Marked,
    margin: int,
    lines: Sequence[str],
    source: int = 0,
    lead: int = 0,
) -> list[Splice]:
    """Lines after the last one of a mapping in block style, or below an empty value.

    They are indented by `margin`. Comments that are deeper than the mapping stay above: below a
    text of several lines they would become a part of it.
    """
    if holder.kind == "map":
        if any(pair.explicit for pair in holder.pairs):
            raise CannotSplice("keys after '?' are not edited", holder.line)
        end = document.line_end(document.pair_end(holder.pairs[-1]))
        end = with_deeper(document, end, margin)
        if holder is document.root and spaced(document, holder.pairs):
            lines, lead = ["", *lines], lead + 1
    else:
        end = with_deeper(document, document.line_end(holder.after), margin - 1)
    at = document.after_break(end)
    if at == end:  # no break after the last line, and none after the new one
        text = document.newline + document.newline.join(lines)
        return [Splice(at, at, text, source, lead + 1)]
    text = "".join(line + document.newline for line in lines)
    return [Splice(at, at, text, source, lead)]


def spaced(document: Document, pairs: Sequence[Pair]) -> bool:
    """Whether the last two of these sections of the text have a blank line between them.

    No more is written after a text in a block: that might take it for its own.
    """
    last = pairs[-1].value
    while last.block:
        last = last.items[-1] if last.kind == "list" else last.pairs[-1].value
    if len(pairs) < 2 or last.block_text:
        return False
    between = document.text[document.pair_end(pairs[-2]) : pairs[-1].key.begin]
    return any(not line.strip() for line in BREAK.split(between)[1:-1])


def with_deeper(document: Document, end: int, column: int) -> int:
    """The end of the last comment below a line's end that is indented by more than `column`."""
    deeper = re.compile(" " * (column + 1) + " *#")
    at = end
    while (after := document.after_break(at)) > at:
        at = document.line_end(after)
        if deeper.match(document.text, after):
            end = at
        elif document.text[after:at].strip():
            break
    return end
