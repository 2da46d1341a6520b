"""Where the keys of a path lead in a text, through aliases and merges."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.blueprint.editing.marks import Marked, Pair
from mlops_iac.records import Record


class Place(Record):
    """Where an entry or item really is: its collection and its position there.

    `shared` says what else would change with it (`the anchor in line 4`); `merged` that the
    mapping has it from a `<<`.
    """

    holder: Marked
    position: int
    shared: str
    merged: bool

    @property
    def pair(self) -> Pair:
        """The entry, where the collection is a mapping."""
        return self.holder.pairs[self.position]

    @property
    def value(self) -> Marked:
        """What stands there."""
        mapping = self.holder.kind == "map"
        return self.pair.value if mapping else self.holder.items[self.position]

    @property
    def line(self) -> int:
        """The line of its key, or of the item."""
        return self.pair.key.line if self.holder.kind == "map" else self.value.line


def place(root: Marked, keys: Sequence[str | int]) -> Place | None:
    """Where `keys` lead, through aliases and merges; None where nothing is."""
    node, found = root, None
    shared = ""
    for key in keys:
        if node.kind == "alias":
            shared = shared or f"the alias in line {node.line}"
            node = node.target
        if node.aliased:
            shared = shared or f"the anchor in line {node.line}"
        found = _child(node, key)
        if found is None:
            return None
        shared = shared or found.shared
        found = Place(found.holder, found.position, shared, merged=found.merged)
        node = found.value
    return found


def _child(node: Marked, key: str | int) -> Place | None:
    if isinstance(key, int):
        inside = node.kind == "list" and key < len(node.items)
        return Place(node, key, "", merged=False) if inside else None
    for index, pair in enumerate(node.pairs):
        if not pair.merge and pair.key.target.text == key:
            return Place(node, index, "", merged=False)
    for pair in node.pairs:
        if pair.merge:
            source = pair.value.target
            for each in source.items if source.kind == "list" else [source]:
                if found := _child(each.target, key):
                    words = f"'<<' in line {pair.key.line}"
                    return Place(found.holder, found.position, words, merged=True)
    return None
