"""YAML text → `Node` tree, with bounds on what anchors and nesting may cost.

Built from the parser's events and not from its constructors, which are YAML 1.1 (`on` is true,
`1e-5` is text, `0123` is octal). The events also allow bounds before anything is expanded, and do
not recurse in C.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from mlops_iac.blueprint.source import Entry, Node, Source, control_characters, problem
from mlops_iac.blueprint.words import obeyed
from mlops_iac.errors import BlueprintInvalid, Diagnostic

DEEPEST = 50
"""Nesting of a blueprint; the language itself needs ten."""
MOST_NODES = 100_000
"""Nodes after every alias is expanded."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Event = Any


def compose(source: Source) -> tuple[Node, list[Diagnostic]]:
    """The root mapping of `source`, and every problem of form that does not hide the rest.

    Raises BlueprintInvalid where the text is no YAML, not one document, or not a mapping.
    """
    root, problems = _read(source)
    if root is None or root.kind != "map":
        place = root or Node("scalar", source, 1, 1)
        said = "is empty" if root is None or root.is_null else "is not a mapping"
        raise BlueprintInvalid(
            [
                problem(
                    place,
                    "not-a-mapping",
                    f"a blueprint is a mapping of keys to values; this {said}",
                    hint="start with `blueprint: 1`, `name:`, `platform:`, `region:`",
                )
            ]
        )
    return root, problems


def compose_value(source: Source) -> Node:
    """A single YAML value, e.g. from the command line. Raises BlueprintInvalid."""
    root, problems = _read(source)
    if problems:
        raise BlueprintInvalid(problems)
    return root or Node("scalar", source, 1, 1)


def _read(source: Source) -> tuple[Node | None, list[Diagnostic]]:
    if found := list(control_characters(source)):
        raise BlueprintInvalid(found)
    reader = _Composer(source)
    try:
        return reader.document(), reader.problems
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in (error.problem or "") and (mark := error.problem_mark) is not None:
            # libyaml has a bound of its own, far beyond ours, and meets it while it looks ahead:
            # what stands before it is too deep already, and says where.
            _Composer(source, source.text[: mark.index]).document()
        raise BlueprintInvalid([_syntax(source, error)]) from None
    except yaml.YAMLError as error:
        place = Node("scalar", source, 1, 1)
        raise BlueprintInvalid([problem(place, "syntax", f"this is not YAML: {error}")]) from None


class _TooMuchError(Exception):
    """Composing goes no further; the reason is in `problems`."""


class _Composer:
    """One pass over the parser's events. `text` is read in place of all of the source."""

    def __init__(self, source: Source, text: str | None = None) -> None:
        self.source = source
        self.problems: list[Diagnostic] = []
        self._events: Iterator[_Event] = iter(
            yaml.parse(source.text if text is None else text, Loader=_Loader)
        )
        self._anchors: dict[str, Node | None] = {}

    def document(self) -> Node | None:
        """The only document's root, or None if there is none."""
        root: Node | None = None
        try:
            for event in self._events:
                match event:
                    case yaml.DocumentStartEvent() if root is not None:
                        self._add(event, "several-documents", "a file holds one blueprint")
                        break
                    case yaml.NodeEvent():
                        root = self._node(event, 0)
                    case _:
                        pass
        except _TooMuchError:
            raise BlueprintInvalid(self.problems) from None
        return root

    def _add(self, event: _Event, code: str, message: str, hint: str = "") -> None:
        self.problems.append(problem(self._place(event), code, message, hint=hint))

    def _place(self, event: _Event, kind: Any = "scalar") -> Node:
        start, end = event.start_mark, event.end_mark
        length = 1
        if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            if start.line == end.line:
                length = end.column - start.column
            else:
                length = len(self.source.line(start.line + 1)) - start.column
        return Node(kind, self.source, start.line + 1, start.column + 1, max(1, length))

    def _node(self, event: _Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > DEEPEST:
            self._add(event, "too-deep", f"nested deeper than {DEEPEST} levels")
            raise _TooMuchError
        if event.tag is not None:
            self._add(event, "tag", f"tags like '{event.tag}' are not part of the language")
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = None  # still open: an alias to it would contain itself
        match event:
            case yaml.ScalarEvent():
                node = self._place(event)
                node.text, node.plain = event.value, not event.style
            case yaml.SequenceStartEvent():
                node = self._place(event, "list")
                while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                    node.items.append(self._count(node, self._node(inner, depth + 1), inner))
            case _:
                node = self._place(event, "map")
                self._map(node, depth)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _count(self, parent: Node, child: Node, event: _Event) -> Node:
        parent.size += child.size
        if parent.size > MOST_NODES:
            self._add(
                event,
                "too-large",
                f"anchors expand to more than {MOST_NODES:,} values",
                hint="write out what is meant",
            )
            raise _TooMuchError
        return child

    def _alias(self, event: _Event) -> Node:
        if event.anchor not in self._anchors:
            self._add(event, "unknown-anchor", f"there is no anchor '&{event.anchor}' above")
            return self._place(event)
        node = self._anchors[event.anchor]
        if node is None:
            self._add(event, "recursive-anchor", f"anchor '&{event.anchor}' contains itself")
            return self._place(event)
        return node

    def _map(self, node: Node, depth: int) -> None:
        merged: list[Node] = []
        while not isinstance(key_event := next(self._events), yaml.MappingEndEvent):
            key = self._node(key_event, depth + 1)
            value_event = next(self._events)
            value = self._count(node, self._node(value_event, depth + 1), value_event)
            if key.kind != "scalar":
                self._add(key_event, "complex-key", "a key is a plain text")
            elif not key.text.isprintable() and (wrong := obeyed(key.text) or _breaks(key.text)):
                message = f"a key has the control character U+{ord(wrong):04X}"
                self._add(key_event, "control-character", message, "remove it")
            elif key.plain and key.text == "<<":
                merged += self._merge_sources(value, value_event)
            elif (first := node.entries.get(key.text)) is not None:
                self._add(
                    key_event,
                    "duplicate-key",
                    f"'{key.text}' is written twice; the first is in line {first.key.line}",
                    hint="remove one",
                )
            else:
                node.entries[key.text] = Entry(key, value)
        for other in merged:
            for name, entry in other.entries.items():
                node.entries.setdefault(name, entry)

    def _merge_sources(self, value: Node, event: _Event) -> list[Node]:
        sources = value.items if value.kind == "list" else [value]
        if any(item.kind != "map" for item in sources):
            self._add(event, "merge", "'<<' takes a mapping or a list of mappings")
            return []
        return sources


def _breaks(key: str) -> str:
    """A tab or a line break in it."""
    return next((character for character in key if character in "\t\n"), "")


_INDENT = "align the keys of one mapping, and indent what belongs to a key"
_WORDS = (
    ("cannot start any token", "", "quote it"),
    (
        "mapping values are not allowed",
        "a ':' is not expected here",
        "quote the text, or indent it",
    ),
    ("did not find expected key", "this is neither a key nor part of the value above", _INDENT),
    (
        "did not find expected '-'|block end",
        "this is neither an item nor part of the list",
        _INDENT,
    ),
    ("did not find expected ',' or|expected ',' or", "", "close the bracket, or quote the text"),
    ("node content", "a value is missing", "write one"),
    ("tab character that violates", "a tab cannot indent", "use spaces"),
    ("could not find expected ':'", "a ':' is missing", "write `key: value`"),
    ("unknown directive", "a line cannot start with '%'", "quote it"),
)
"""What libyaml says, what is meant (if it can be said better), and what to do."""


def _syntax(source: Source, error: yaml.MarkedYAMLError) -> Diagnostic:
    said, hint = (error.problem or error.context or "this is not YAML").strip(), ""
    mark = error.problem_mark or error.context_mark
    at_end = mark is not None and not source.text[mark.index :].strip()
    if ("end of stream" in said or at_end) and error.context_mark is not None:
        said, hint, mark = "this is not closed", "close it", error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if line > len(source.lines()):  # libyaml counts a line after the last
        line = len(source.lines())
        column = len(source.line(line)) or 1
    character = source.line(line)[column - 1 : column]
    for pattern, message, advice in _WORDS:
        if re.search(pattern, said):
            said, hint = message or said, advice
            break
    if "cannot start any token" in said:
        said = f"a value cannot start with '{character}'"
        if character == "\t":
            said, hint = "a tab cannot indent", "use spaces"
    if "${" in source.line(line)[:column]:
        hint = "quote a text with `${…}` between braces"
    return problem(Node("scalar", source, line, column), "syntax", said, hint=hint)
