"""What goes from a text when an entry or an item goes."""

from __future__ import annotations

import re

from mlops_iac.blueprint.editing.marks import BREAK, Document
from mlops_iac.blueprint.editing.places import Place
from mlops_iac.blueprint.editing.splices import (
    CannotSplice,
    Splice,
    dash,
    spaced,
    value_offset,
    with_deeper,
)


def extent(document: Document, place: Place) -> tuple[int, int]:
    """Start and end of an entry or item in block style, with the comments that belong inside.

    It ends with a line, without that line's break.
    """
    holder = place.holder
    if holder.kind == "map":
        if place.pair.explicit:
            raise CannotSplice("keys after '?' are not edited", place.line)
        start, end = place.pair.key.begin, document.pair_end(place.pair)
    else:
        start = dash(document, place)
        end = max(document.content_end(place.value), start + 1)
    return start, with_deeper(document, document.line_end(end), document.column(start))


def delete(
    document: Document, place: Place, owner: Place | None, above_at: int | None = None
) -> list[Splice]:
    """Without an entry or item. `owner` is where its collection stands, None for the root.

    In block style the lines from offset `above_at` on go too, and the blank line that set the last
    section of a text apart. A collection that loses its last one becomes `{}` or `[]`.
    """
    holder = place.holder
    count = len(holder.pairs) or len(holder.items)
    if holder.flow:
        return _delete_flow(document, place, count)
    start, end = extent(document, place)
    first = document.line_start(start)
    alone = not document.text[first:start].strip()
    nothing = "{}" if holder.kind == "map" else "[]"
    if count == 1 and owner is None:
        raise CannotSplice("nothing would be left", place.line)
    if count == 1 and not alone:
        return [Splice(start, end, nothing)]
    if not alone:
        after = document.after_break(end)
        indent = re.compile(" *").match(document.text, after)
        return [Splice(start, indent.end() if indent else after, "")]
    if above_at is None:
        above_at = _blank_above(document, place, first)
    lines = _lines(document, above_at, end)
    if count == 1 and owner is not None:
        at = value_offset(document, owner)
        return [Splice(at, at, f" {nothing}"), lines]
    return [lines]


def _blank_above(document: Document, place: Place, first: int) -> int:
    """Where the lines to take out begin: one higher where `add_lines` would put that line in again."""
    pairs = document.root.pairs
    if place.holder is not document.root or place.position + 1 < len(pairs) or not place.position:
        return first
    end = with_deeper(document, document.line_end(document.pair_end(pairs[-2])), 0)
    at = document.after_break(end)
    blank = at < first and not document.text[at:first].strip()
    return at if blank and spaced(document, pairs[:-1]) else first


def _lines(document: Document, first: int, end: int) -> Splice:
    """Take out the lines from offset `first` to `end`; the last of a file takes the break before."""
    after = document.after_break(end)
    if after == end and first > 0:
        before = document.text[:first]
        return Splice(first - (2 if before.endswith("\r\n") else 1), end, "")
    return Splice(first, after, "")


def _delete_flow(document: Document, place: Place, count: int) -> list[Splice]:
    holder, text = place.holder, document.text
    spans = [(item.begin, document.content_end(item)) for item in holder.items]
    spans += [(pair.key.begin, document.pair_end(pair)) for pair in holder.pairs]
    start, end = spans[place.position]
    comma = _comma(text, end)
    tail = comma + 1 if comma >= 0 else end
    if count == 1:
        inside = text[holder.start + 1 : start] + text[tail : holder.end - 1]
        if not inside.strip(" \t") and text[holder.start : holder.start + 1] in "{[":
            # `{ a: 1 }` becomes `{}`, and what was put into `{ }` leaves it as it was.
            until = holder.end - 1 if start > holder.start + 1 else tail
            return [Splice(holder.start + 1, until, "")]
    elif place.position + 1 < count and not BREAK.search(text, end, spans[place.position + 1][0]):
        return [Splice(start, spans[place.position + 1][0], "")]
    elif place.position and not BREAK.search(text, spans[place.position - 1][1], start):
        if place.position + 1 == count:
            return [Splice(spans[place.position - 1][1], end, "")]
        return _without_comma(text, start, end, comma)
    first, last = document.line_start(start), document.line_end(tail)
    rest = text[tail:last].strip()
    alone = not text[first:start].strip() and (not rest or rest.startswith("#"))
    if alone and "#" not in text[end:tail]:
        return [_lines(document, first, last)]
    return _without_comma(text, start, end, comma)


def _without_comma(text: str, start: int, end: int, comma: int) -> list[Splice]:
    if comma < 0:
        return [Splice(start, end, "")]
    if text[end:comma].strip():  # a comment stands between
        return [Splice(start, end, ""), Splice(comma, comma + 1, "")]
    spaces = re.compile(r"[ \t]*").match(text, comma + 1)
    return [Splice(start, spaces.end() if spaces else comma + 1, "")]


def _comma(text: str, at: int) -> int:
    """The comma after a value between brackets, -1 where it is the last without one."""
    found = re.compile(r"(?:\s|(?<=\s)#[^\r\n]*)*").match(text, at)
    end = found.end() if found else at
    return end if text[end : end + 1] == "," else -1
