"""One text while it is being changed: splices are applied, and everything is read again."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.editing import carry as carrying
from mlops_iac.blueprint.editing import places, splices, trees
from mlops_iac.blueprint.editing.marks import Document, Marked
from mlops_iac.blueprint.editing.origins import Origins
from mlops_iac.blueprint.editing.places import Place
from mlops_iac.blueprint.editing.removal import delete
from mlops_iac.blueprint.editing.splices import Splice
from mlops_iac.blueprint.editing.trees import Keys, Tree
from mlops_iac.blueprint.source import Source
from mlops_iac.errors import BlueprintInvalid


class Draft:
    """The text, what it says, and where. `shared` is what else an edit may have changed."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.tree = self._read()
        self.document = Document(text)
        self.origins = Origins(text)
        self.shared = (0, "")

    def copy(self) -> Draft:
        """Return what it is now, to go back to."""
        other = Draft.__new__(Draft)
        other.__dict__.update(self.__dict__)
        other.origins = self.origins.copy()
        return other

    def place(self, keys: Keys) -> Place:
        """Where `keys` lead; there must be something."""
        found = places.place(self.document.root, keys)
        assert found is not None
        return found

    def line(self, keys: Keys) -> int:
        """The line there, or of the lowest that is there; 1 for the root."""
        for depth in range(len(keys), 0, -1):
            if found := places.place(self.document.root, keys[:depth]):
                return found.line
        return 1

    # -- changes

    def assign(self, keys: Keys, tree: Tree) -> None:
        """Write a value; a mapping key by key into one that is there."""
        found = places.place(self.document.root, keys)
        if found is None or found.merged:
            self._add(keys, tree)
            return
        self.suspect(found)
        value, filled = found.value, isinstance(tree, dict) and bool(tree)
        if filled and value.kind == "map" and value.pairs:
            for key in [key for key in trees.value_at(self.tree, keys) or {} if key not in tree]:
                self.delete((*keys, key))
            for key, item in tree.items():
                if trees.value_at(self.tree, (*keys, key)) != item:
                    self.assign((*keys, key), item)
        elif filled and value.empty and found.holder.kind == "map" and not found.holder.flow:
            for key, item in tree.items():
                self._add((*keys, key), item)
        else:
            self.apply(splices.replace(self.document, found, tree))

    def rekey(self, found: Sequence[Keys], new: str) -> None:
        """Give entries another key, all at once."""
        self.apply([each for keys in found for each in splices.rekey(self.place(keys), new)])

    def put(
        self, keys: Keys, target: Keys, *, beside: bool = True, alone: bool = False
    ) -> list[str]:
        """Write what is at `keys` at `target` too; `beside`: with the comments after it.

        `alone`: with those inside it only. Returns the comments after it.
        """
        carried = carrying.carry(self.document, self.place(keys), trees.value_at(self.tree, keys))
        if not beside:
            carried = carried.without_beside()
        if alone:
            carried = carried.alone()
        holder, names, indent = self._ground(target)
        self.apply(carrying.put(self.document, holder, names, carried, indent))
        return carried.beside

    def carry(self, keys: Keys, target: Keys) -> None:
        """Move an entry, with the comments right above it."""
        before = self.copy()
        put = self.put(keys, target)
        left = carrying.carry(self.document, self.place(keys), None)
        if left.beside != put:  # the new entry stands before the comment now, and keeps it
            self.__dict__.update(before.__dict__)
            self.put(keys, target, beside=False)
            left = carrying.carry(self.document, self.place(keys), None)
        found = self.place(keys)
        self.apply(delete(self.document, found, self._owner(keys), left.above_at))

    def delete(self, keys: Keys) -> None:
        """Take out an entry or item."""
        found = self.place(keys)
        self.suspect(found)
        self.apply(delete(self.document, found, self._owner(keys)))

    def apply(self, changes: Sequence[Splice]) -> None:
        """Make the changes and read the text again. Raises BlueprintInvalid."""
        text = self.text
        # At the same offset, what is put in comes before what is taken out from there on.
        for each in sorted(changes, key=lambda one: (one.start, one.end), reverse=True):
            self.origins.splice(text, each)
            text = text[: each.start] + each.text + text[each.end :]
        self.text = text
        self.tree = self._read()
        self.document = Document(text)

    def suspect(self, found: Place) -> None:
        """Remember what else an edit here might change."""
        shared = found.shared
        if not shared and found.value.aliased:
            shared = f"the anchor in line {found.value.line}"
        if shared and not self.shared[1]:
            self.shared = (found.line, shared)

    def _add(self, keys: Keys, tree: Tree) -> None:
        holder, names, indent = self._ground(keys)
        self.apply(splices.add(self.document, holder, names, tree, indent))

    def _owner(self, keys: Keys) -> Place | None:
        return self.place(keys[:-1]) if len(keys) > 1 else None

    def _ground(self, keys: Keys) -> tuple[Marked, list[str], int | None]:
        """The lowest collection on the way that is there, the keys below it, and its indentation.

        The indentation is given where it has no line of its own yet.
        """
        for depth in range(len(keys) - 1, 0, -1):
            found = places.place(self.document.root, keys[:depth])
            if found is None:
                continue
            self.suspect(found)
            names = [str(key) for key in keys[depth:]]
            node = found.value.target
            if not node.empty:
                return node, names, None
            if found.holder.kind == "map" and not found.holder.flow:
                return node, names, found.pair.key.column + self.document.step
            self.apply(splices.replace(self.document, found, {}))
            return self._ground(keys)
        return self.document.root, [str(key) for key in keys], None

    def _read(self) -> Tree:
        root, problems = compose(Source(self.file, self.text))
        if problems:
            raise BlueprintInvalid(problems)
        return trees.tree_of(root)
