"""An entry on its way from one mapping to another: its text, with the comments that go with it."""

from __future__ import annotations

import re

from mlops_iac.blueprint.editing import emit
from mlops_iac.blueprint.editing.marks import BREAK, Document, Marked
from mlops_iac.blueprint.editing.places import Place
from mlops_iac.blueprint.editing.removal import extent
from mlops_iac.blueprint.editing.splices import (
    CannotSplice,
    Splice,
    add_lines,
    add_text,
    comments,
)
from mlops_iac.blueprint.editing.trees import Scalar, Tree
from mlops_iac.records import Record


class Carried(Record):
    """An entry's text without its key.

    `first` follows the colon, `more` are the lines below, written for a key in `column`. `line` is
    that of the key. `above` are comments that stood over it, `beside` those inside or after it;
    `above_at` is where they start. `tree` is the value, `raw` its text if that fits between
    brackets.
    """

    first: str
    more: list[str]
    column: int
    line: int
    above: list[str]
    above_at: int
    beside: list[str]
    tree: Tree
    raw: str

    def without_beside(self) -> Carried:
        """Return it without the comments after it."""
        values = {**vars(self), "beside": []}
        return Carried(**values)

    def alone(self) -> Carried:
        """Return it with the comments inside it only: those around it speak of where it was."""
        values = {**vars(self), "above": [], "beside": []}
        return Carried(**values)


def carry(document: Document, place: Place, tree: Tree) -> Carried:
    """Take up an entry of a mapping."""
    if place.holder.kind != "map":
        raise CannotSplice("an item of a list is not moved", place.line)
    pair, text = place.pair, document.text
    value = pair.value
    if place.holder.flow:
        raw = text[value.begin : document.pair_end(pair)] if not value.empty else ""
        lines = BREAK.split(raw)
        end = document.line_end(document.pair_end(pair))
        start = document.line_start(pair.key.begin)
        after = text[document.pair_end(pair) : end].partition("#")[0].strip()
        own = not text[start : pair.key.begin].strip() and after in ("", ",")
        beside = _between(document, document.pair_end(pair), end) if own else []
        first = f" {lines[0]}" if raw else ""
        return Carried(first, lines[1:], -1, pair.key.line, [], start, beside, tree, raw)
    start, end = extent(document, place)
    rest = BREAK.split(text[pair.colon : end])
    column = document.column(start)
    above, above_at = _above(document, document.line_start(start), column, start)
    raw = ""
    if not value.block and not value.block_text and not value.empty:
        raw = text[value.begin : document.pair_end(pair)]
    beside = _between(document, document.pair_end(pair) if raw else start, end)
    return Carried(rest[0], rest[1:], column, pair.key.line, above, above_at, beside, tree, raw)


def _between(document: Document, start: int, end: int) -> list[str]:
    return [document.text[a:b].rstrip() for a, b in comments(document) if start <= a < end]


def _above(document: Document, line: int, column: int, start: int) -> tuple[list[str], int]:
    """The comments right above an entry, in its own column: they speak of it."""
    if document.text[line:start].strip():
        return [], line
    found: list[str] = []
    while line > 0:
        before = document.line_start(line - 1 - document.text.startswith("\r\n", line - 2))
        written = BREAK.split(document.text[before:line], maxsplit=1)[0]
        if not written.startswith(" " * column + "#"):
            break
        found.insert(0, written[column:])
        line = before
    return found, line


def put(
    document: Document, holder: Marked, names: list[str], carried: Carried, indent: int | None
) -> list[Splice]:
    """Put down what is carried at the end of a mapping, below `names`."""
    if holder.flow:
        return _between_braces(document, holder, names, carried)
    margin = holder.pairs[0].key.column if indent is None else indent
    lines = []
    for depth, name in enumerate(names[:-1]):
        lines.append(" " * (margin + depth * document.step) + emit.key(name) + ":")
    ground, margin = margin, margin + (len(names) - 1) * document.step
    lead = " " * margin
    beside = carried.beside if carried.column < 0 else []
    lines += [lead + comment for comment in [*carried.above, *beside]]
    lines.append(f"{lead}{emit.key(names[-1])}:{carried.first}")
    source = len(lines) - 1
    lines += _shifted(carried, margin)
    return add_lines(document, holder, ground, lines, carried.line, source)


def _shifted(carried: Carried, margin: int) -> list[str]:
    if carried.column < 0:  # between brackets and quotes any deeper column will do
        return [" " * (margin + 2) + line.lstrip(" \t") for line in carried.more]
    by = margin - carried.column
    if by >= 0:
        return [" " * by + line if line.strip() else line for line in carried.more]
    outdent = re.compile(f" {{0,{-by}}}")
    return [outdent.sub("", line, count=1) if line[:1] == " " else line for line in carried.more]


def _between_braces(
    document: Document, holder: Marked, names: list[str], carried: Carried
) -> list[Splice]:
    keys = [emit.key(name) for name in names]
    plain = isinstance(carried.tree, Scalar) and carried.raw[:1] not in ("'", '"')
    value = carried.raw
    if plain or not value or value[:1] not in ("'", '"', "{", "["):
        value = emit.inline(carried.tree, flow=True)
    inner = ": {".join(keys) + f": {value}" + "}" * (len(keys) - 1)
    splices = add_text(document, holder, inner)
    notes = [*carried.above, *carried.beside]
    if notes:
        line = document.line_start(_outermost(document.root, holder).begin)
        indent = re.compile(" *").match(document.text, line)
        margin = indent.group() if indent else ""
        text = "".join(f"{margin}{note}{document.newline}" for note in notes)
        splices.append(Splice(line, line, text))
    return splices


def _outermost(node: Marked, inner: Marked) -> Marked:
    """The collection in brackets that holds `inner` and is in none itself."""
    for below in [*node.items, *(pair.value for pair in node.pairs)]:
        if below.begin <= inner.begin and inner.end <= below.end and below.kind in ("list", "map"):
            return below if below.flow else _outermost(below, inner)
    return inner
