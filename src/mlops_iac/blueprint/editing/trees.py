"""What a blueprint says, apart from how it is written: the tree that an edit must lead to."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mlops_iac.blueprint.scalars import core
from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.words import join
from mlops_iac.errors import UsageError

ANY = object()
"""The `*` of a path."""
Key = str | int
Keys = tuple[Key, ...]


class Scalar(NamedTuple):
    """A text; `quoted` where it would be no text without its quotes."""

    text: str
    quoted: bool


NULL = Scalar("null", quoted=False)
Tree = Any
"""`dict[str, Tree] | list[Tree] | Scalar`."""


def tree_of(node: Node) -> Tree:
    """The tree of what was read, with aliases and merges written out."""
    match node.kind:
        case "map":
            return {key: tree_of(entry.value) for key, entry in node.entries.items()}
        case "list":
            return [tree_of(item) for item in node.items]
        case _:
            return (
                NULL if node.is_null else Scalar(node.text, not node.plain and special(node.text))
            )


def tree_from(value: Any) -> Tree:
    """The tree of plain data: None, bool, int, float, str, lists and mappings, or a Node.

    Raises UsageError for anything else.
    """
    match value:
        case Node():
            return tree_of(value)
        case Scalar():
            return value
        case None:
            return NULL
        case bool():
            return Scalar("true" if value else "false", quoted=False)
        case int():
            return Scalar(str(value), quoted=False)
        case float() if math.isfinite(value):
            return Scalar(repr(value), quoted=False)
        case str():
            return Scalar(value, special(value))
        case Mapping():
            return {str(key): tree_from(item) for key, item in value.items()}
        case Sequence():
            return [tree_from(item) for item in value]
        case _:
            raise UsageError(f"{value!r} cannot be written into a blueprint")


def plain_data(tree: Tree) -> Any:
    """By YAML 1.2's core schema: None, bool, int, float, str, lists and dicts."""
    match tree:
        case Scalar():
            return tree.text if tree.quoted else core(_plain_node(tree.text))
        case dict():
            return {key: plain_data(item) for key, item in tree.items()}
        case _:
            return [plain_data(item) for item in tree]


def special(text: str) -> bool:
    """Whether a text without quotes is null, a boolean or a number."""
    return not isinstance(core(_plain_node(text)), str)


def _plain_node(text: str) -> Node:
    node = Node.__new__(Node)
    node.kind, node.text, node.plain = "scalar", text, True
    return node


_PART = re.compile(r'"(?P<quoted>[^"]*)"|(?P<key>[^.\[]*(?:\[(?!\d+\]|\*\])[^.\[]*)*)')
_INDEX = re.compile(r"\[(\d+|\*)\]")


def parse_path(path: str) -> list[Any]:
    """The keys of a path: texts, positions in lists, and `ANY`. Raises UsageError.

    `serving.*.variants`, `extends[0].parameters`, `alerts."a.b"`; in quotes nothing is special.
    """
    parts: list[Any] = []
    at = 0
    while True:
        found = _PART.match(path, at)
        assert found is not None
        quoted, key = found.group("quoted"), found.group("key")
        if not (quoted or key):
            raise UsageError(f"'{path}' is no path: there is nothing between its dots")
        parts.append(quoted if quoted is not None else ANY if key == "*" else key)
        at = found.end()
        while index := _INDEX.match(path, at):
            parts.append(ANY if index.group(1) == "*" else int(index.group(1)))
            at = index.end()
        if at == len(path):
            return parts
        if path[at] != ".":
            raise UsageError(f"'{path}' is no path: '.' is expected before '{path[at:]}'")
        at += 1


def shown(keys: Sequence[Any]) -> str:
    """The path of keys, as messages have it."""
    path = ""
    for key in keys:
        if key is ANY:
            key = "*"
        path = f"{path}[{key}]" if isinstance(key, int) else join(path, key)
    return path


def matches(tree: Tree, pattern: Sequence[Any]) -> Iterator[Keys]:
    """The keys of everything that `pattern` names, in the order of the tree."""
    if not pattern:
        yield ()
        return
    head, rest = pattern[0], pattern[1:]
    for key, item in _children(tree):
        if head is ANY or head == key:
            for below in matches(item, rest):
                yield (key, *below)


def _children(tree: Tree) -> list[tuple[Key, Tree]]:
    match tree:
        case dict():
            return list(tree.items())
        case Scalar():
            return []
        case _:
            return list(enumerate(tree))


def value_at(tree: Tree, keys: Keys) -> Tree | None:
    """What stands there, or None."""
    for key in keys:
        found = dict(_children(tree)).get(key)
        if found is None:
            return None
        tree = found
    return tree


def with_value(tree: Tree, keys: Keys, value: Tree) -> Tree:
    """A copy with `value` there; missing mappings are made."""
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(key, int):
        items = list(tree)
        items[key] = with_value(items[key], rest, value)
        return items
    entries = dict(tree) if isinstance(tree, dict) else {}
    entries[key] = with_value(entries.get(key, {}), rest, value)
    return entries


def without(tree: Tree, keys: Keys) -> Tree:
    """A copy without what stands there."""
    key, rest = keys[0], keys[1:]
    if isinstance(key, int):
        items = list(tree)
        if rest:
            items[key] = without(items[key], rest)
        else:
            del items[key]
        return items
    entries = dict(tree)
    if rest:
        entries[key] = without(entries[key], rest)
    else:
        del entries[key]
    return entries


def renamed(tree: Tree, keys: Keys, new: str) -> Tree:
    """A copy with another last key, in the same place."""
    holder = value_at(tree, keys[:-1])
    assert isinstance(holder, dict)
    entries = {new if key == keys[-1] else key: item for key, item in holder.items()}
    return with_value(tree, keys[:-1], entries)
