"""Where everything stands in a YAML text: offsets of keys, values, anchors.

The parser's marks are taken as they are where they are exact (scalars, brackets) and trimmed where
they are not: a block collection ends with its last child, not with the comments after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import yaml

# YAML's line breaks, as libyaml counts them.
BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_ANCHOR = re.compile(r"&\S*")
_SPACE = re.compile(r"\s*")
_COLON = re.compile(r"\s*:")
_Event = Any
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _is(event: _Event, kind: type) -> bool:
    return isinstance(event, kind)


class Marked:
    """A node with its place. Offsets are in characters; `column` counts from 0, `line` from 1.

    `start`…`end` is the content without its anchor, `begin` where the anchor starts and `after`
    where it ends (the same where there is none). `target` is
    what an alias stands for. `aliased` says that an alias or a merge elsewhere uses it.
    """

    __slots__ = (
        "after",
        "aliased",
        "anchor",
        "begin",
        "column",
        "end",
        "flow",
        "items",
        "kind",
        "line",
        "pairs",
        "start",
        "style",
        "target",
        "text",
    )

    def __init__(
        self, kind: Literal["scalar", "list", "map", "alias"], event: Any, start: int
    ) -> None:
        self.kind = kind
        self.begin: int = event.start_mark.index
        self.after: int = self.begin
        self.start = start
        self.end: int = event.end_mark.index
        self.line: int = event.start_mark.line + 1
        self.column: int = event.start_mark.column
        self.anchor: str | None = event.anchor
        self.flow = False
        self.style = ""
        self.text = ""
        self.pairs: list[Pair] = []
        self.items: list[Marked] = []
        self.target: Marked = self
        self.aliased = False

    @property
    def empty(self) -> bool:
        """Whether nothing is written at all."""
        return self.kind == "scalar" and self.start == self.end

    @property
    def block(self) -> bool:
        """Whether it is a collection on lines of its own."""
        return self.kind in ("list", "map") and not self.flow

    @property
    def block_text(self) -> bool:
        """Whether it is a text after `|` or `>`."""
        return self.kind == "scalar" and self.style in ("|", ">")


class Pair:
    """A key with its value; `colon` is the offset after the colon, -1 where there is none."""

    __slots__ = ("colon", "explicit", "key", "value")

    def __init__(self, key: Marked, value: Marked, colon: int, *, explicit: bool) -> None:
        self.key = key
        self.value = value
        self.colon = colon
        self.explicit = explicit

    @property
    def merge(self) -> bool:
        """Whether it is `<<`."""
        return self.key.text == "<<" and not self.key.style


class Document:
    """A text that `compose` has accepted, with its marks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_Loader))
        self._anchors: dict[str, Marked] = {}
        self.root = self._first()
        found = BREAK.search(text)
        self.newline = found.group() if found else "\n"
        self.step = _step(self.root) or 2

    def line_start(self, position: int) -> int:
        """The offset of the line that holds `position`."""
        start = 0
        for found in BREAK.finditer(self.text, 0, position):
            start = found.end()
        return start

    def line_end(self, position: int) -> int:
        """Where that line's break stands."""
        found = BREAK.search(self.text, position)
        return found.start() if found else len(self.text)

    def after_break(self, position: int) -> int:
        """Behind the break at `position`."""
        found = BREAK.match(self.text, position)
        return found.end() if found else position

    def column(self, position: int) -> int:
        """Characters before `position` in its line."""
        return position - self.line_start(position)

    def content_end(self, node: Marked) -> int:
        """Where the text of a node ends; never in the lines below it."""
        if node.block:
            last = node.items[-1] if node.kind == "list" else self.pair_end(node.pairs[-1])
            return self.content_end(last) if isinstance(last, Marked) else last
        if not node.block_text:
            return node.end
        text = self.text[node.start : node.end]
        header = BREAK.split(text, maxsplit=1)[0]
        if "+" not in header.partition("#")[0]:
            return node.start + len(text.rstrip("\r\n\x85\u2028\u2029 \t"))
        lines = list(BREAK.finditer(text))
        ends = bool(lines) and lines[-1].end() == len(text)
        return node.start + (lines[-1].start() if ends else len(text))

    def pair_end(self, pair: Pair) -> int:
        """Where the text of an entry ends."""
        if pair.value.empty:
            return max(pair.value.end if pair.value.anchor else 0, pair.colon, pair.key.end)
        return self.content_end(pair.value)

    def _first(self) -> Marked:
        for event in self._events:
            if isinstance(event, yaml.NodeEvent):
                return self._node(event)
        raise AssertionError("no document")

    def _node(self, event: _Event) -> Marked:
        if _is(event, yaml.AliasEvent):
            node = Marked("alias", event, event.start_mark.index)
            node.target = self._anchors[event.anchor]
            node.target.aliased = True
            return node
        start = after = event.start_mark.index
        if event.anchor is not None:
            found = _ANCHOR.match(self.text, start)
            start = after = found.end() if found else start
            if _is(event, yaml.ScalarEvent) and start < event.end_mark.index:
                start = _SPACE.match(self.text, start).end()  # type: ignore[union-attr]
        if _is(event, yaml.ScalarEvent):
            node = Marked("scalar", event, start)
            node.text, node.style = event.value, event.style or ""
        elif _is(event, yaml.SequenceStartEvent):
            node = Marked("list", event, start)
            self._items(node, event)
        else:
            node = Marked("map", event, start)
            self._pairs(node, event)
        node.after = after
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _items(self, node: Marked, event: _Event) -> None:
        node.flow = bool(event.flow_style)
        while not _is(inner := next(self._events), yaml.SequenceEndEvent):
            node.items.append(self._node(inner))
        node.end = inner.end_mark.index
        self._bracket(node, "[")

    def _pairs(self, node: Marked, event: _Event) -> None:
        node.flow = bool(event.flow_style)
        while not _is(inner := next(self._events), yaml.MappingEndEvent):
            key = self._node(inner)
            value = self._node(next(self._events))
            colon = _COLON.match(self.text, key.end)
            before = self.text[: key.begin].rstrip(" \t")
            node.pairs.append(
                Pair(key, value, colon.end() if colon else -1, explicit=before.endswith("?"))
            )
        node.end = inner.end_mark.index
        self._bracket(node, "{")

    def _bracket(self, node: Marked, bracket: str) -> None:
        """Let a flow collection start at its bracket, where it has one."""
        if node.flow:
            at = self.text.find(bracket, node.start)
            between = self.text[node.start : at] if at >= 0 else "-"
            if node.anchor and not between.strip():
                node.start = at


def _step(node: Marked) -> int:
    """By how much the first nested block mapping is indented; 0 where there is none."""
    if node.kind != "map" or node.flow:
        return 0
    for pair in node.pairs:
        inner = pair.value
        if inner.kind == "map" and inner.block:
            column = inner.pairs[0].key.column - pair.key.column
            return column if 0 < column <= 8 else 0
    return 0
