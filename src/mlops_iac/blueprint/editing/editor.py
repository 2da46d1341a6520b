"""The four changes of a blueprint's text, each checked against the tree that it must lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from mlops_iac.blueprint.editing import trees
from mlops_iac.blueprint.editing.changes import Change, EditRefused, What, refused
from mlops_iac.blueprint.editing.draft import Draft
from mlops_iac.blueprint.editing.places import place
from mlops_iac.blueprint.editing.splices import CannotSplice
from mlops_iac.blueprint.editing.trees import ANY, Keys, Scalar, Tree, parse_path, shown
from mlops_iac.blueprint.source import Source
from mlops_iac.errors import BlueprintInvalid, UsageError


class Editor:
    """One text, changed step by step. A step that fails leaves it as it was.

    Paths are written as everywhere (`serving.api.scaling.max`), positions in lists as `key[0]`;
    in `rename`, `move` and `remove`, `*` is any key.

    Raises BlueprintInvalid where the text is no blueprint's YAML. Every operation raises
    EditRefused where the text would not say exactly what was asked for, UsageError for a path that
    is none.
    """

    def __init__(self, text: str, *, file: str = "blueprint.yaml") -> None:
        self._draft = Draft(text, file)
        self._first = Source(file, text)

    @property
    def text(self) -> str:
        """The text as it is now."""
        return self._draft.text

    # -- looking

    def line_before(self, line: int) -> int:
        """Return what a present line was in the text that the editor was given; 0 for a new one."""
        return self._draft.origins.line(line)

    def find(self, pattern: str) -> list[tuple[str, int]]:
        """Return path and present line of everything that a pattern names."""
        found = trees.matches(self._draft.tree, parse_path(pattern))
        return [(shown(keys), self._draft.place(keys).line) for keys in found]

    def has(self, path: str) -> bool:
        """Whether something is written there."""
        return trees.value_at(self._draft.tree, self._exact(path)) is not None

    def get(self, path: str) -> Any:
        """Return what is written there as plain data; None where nothing is."""
        found = trees.value_at(self._draft.tree, self._exact(path))
        return None if found is None else trees.plain_data(found)

    def in_braces(self, path: str) -> bool:
        """Whether a mapping or list is written in brackets."""
        found = trees.value_at(self._draft.tree, self._exact(path))
        return found is not None and self._draft.place(self._exact(path)).value.target.flow

    # -- changing

    def set(self, path: str, value: Any) -> list[Change]:
        """Write a value; missing mappings above it are made. Nothing where it stands there already.

        `value` is plain data or a `Node`. An existing mapping is changed key by key.
        """
        keys = self._exact(path)
        tree = trees.tree_from(value)
        before = self._draft.tree
        old = trees.value_at(before, keys)
        if old == tree:
            return []
        self._refuse_unreachable(keys)
        changes = [Change("added", shown(keys), 0)] if old is None else [self._change("set", keys)]
        with self._attempt(f"set {path}") as intend:
            self._draft.assign(keys, tree)
            intend(trees.with_value(before, keys, tree))
        return changes

    def rename(self, pattern: str, new_key: str) -> list[Change]:
        """Give everything that a pattern names another last key, in the same place."""
        changes: list[Change] = []
        with self._attempt(f"rename {pattern} to {new_key}") as intend:
            tree = self._draft.tree
            found = [each for each in self._found(pattern) if each[0][-1] != new_key]
            for keys, _ in found:
                if not isinstance(keys[-1], str):
                    self._refuse(self._draft.line(keys), "an item of a list has no key")
                changes.append(self._change("renamed", keys, (*keys[:-1], new_key)))
            for keys, _ in found:
                self._refuse_taken(self._draft.tree, keys, (*keys[:-1], new_key))
                self._refuse_double(keys, [other for other, _ in found])
                tree = trees.renamed(tree, keys, new_key)
            self._draft.rekey([keys for keys, again in found if not again], new_key)
            intend(tree)
        return changes[::-1]

    def move(self, pattern: str, to: str) -> list[Change]:
        """Move everything that a pattern names; each `*` in `to` is what that in `pattern` was.

        Comments right above an entry, inside it and beside it go with it.
        """
        source, aim = parse_path(pattern), parse_path(to)
        if source.count(ANY) != aim.count(ANY):
            raise UsageError(f"{pattern} and {to} do not have the same number of '*'")
        changes: list[Change] = []
        with self._attempt(f"move {pattern} to {to}") as intend:
            tree = self._draft.tree
            for keys, _ in self._found(pattern):
                bound = [key for key, part in zip(keys, source, strict=True) if part is ANY]
                target: Keys = tuple(bound.pop(0) if part is ANY else part for part in aim)
                if target == keys:
                    continue
                if target[: len(keys)] == keys:
                    said = f"{shown(keys)} cannot move into itself"
                    self._refuse(self._draft.line(keys), said)
                self._refuse_taken(tree, keys, target)
                self._refuse_unreachable(target)
                changes.append(self._change("moved", keys, target))
                value = trees.value_at(tree, keys)
                if target[:-1] == keys[:-1] and isinstance(target[-1], str):
                    self._draft.rekey([keys], target[-1])
                    tree = trees.renamed(tree, keys, target[-1])
                    continue
                self._draft.carry(keys, target)
                tree = trees.without(trees.with_value(tree, target, value), keys)
            intend(tree)
        return changes[::-1]

    def copy(self, path: str, to: str) -> list[Change]:
        """Write a second time what stands at `path`, with the comments inside it."""
        keys, target = self._exact(path), self._exact(to)
        self._refuse_taken(self._draft.tree, keys, target)
        self._refuse_unreachable(target)
        value = trees.value_at(self._draft.tree, keys)
        if value is None:
            self._refuse(self._draft.line(keys), f"there is no {shown(keys)}")
        changes = [self._change("copied", keys, target)]
        intended = trees.with_value(self._draft.tree, target, value)
        with self._attempt(f"copy {path} to {to}") as intend:
            self._draft.put(keys, target, alone=True)
            intend(intended)
        return changes

    def remove(self, pattern: str) -> list[Change]:
        """Take out everything that a pattern names, with the comments inside it.

        A mapping or list that loses its last entry becomes `{}` or `[]`.
        """
        changes: list[Change] = []
        with self._attempt(f"remove {pattern}") as intend:
            tree = self._draft.tree
            found = self._found(pattern)
            changes = [self._change("removed", keys) for keys, _ in found]
            for keys, again in found:
                if not again:
                    self._draft.delete(keys)
                tree = trees.without(tree, keys)
            intend(tree)
        return changes[::-1]

    def keep(self) -> Draft:
        """Return what the text is now, for `go_back`."""
        return self._draft.copy()

    def go_back(self, kept: Draft) -> None:
        """Undo every change since `keep`."""
        self._draft = kept

    # -- how

    def _found(self, pattern: str) -> list[tuple[Keys, bool]]:
        """What a pattern names, last first, and whether the same text was named before."""
        seen: set[tuple[int, int]] = set()
        found: list[tuple[Keys, bool]] = []
        for keys in reversed(list(trees.matches(self._draft.tree, parse_path(pattern)))):
            at = self._draft.place(keys)
            self._draft.suspect(at)
            here = (id(at.holder), at.position)
            found.append((keys, here in seen))
            seen.add(here)
        return found

    def _change(self, what: What, keys: Keys, to: Keys = ()) -> Change:
        old = trees.plain_data(trees.value_at(self._draft.tree, keys))
        line = self._draft.origins.line(self._draft.line(keys))
        return Change(what, shown(keys), line, shown(to), old)

    @contextmanager
    def _attempt(self, doing: str) -> Iterator[Callable[[Tree], None]]:
        """Undo everything unless the text says what is intended in the end."""
        kept = self._draft.copy()
        self._draft.shared = (0, "")
        intended: list[Tree] = []
        try:
            yield intended.append
            if intended[0] != self._draft.tree:
                raise CannotSplice("something else would change", 1)
        except BaseException as error:
            (line, what), self._draft = self._draft.shared, kept
            if isinstance(error, EditRefused):
                raise
            if what and isinstance(error, CannotSplice | BlueprintInvalid):
                hint = "write out what is shared, then try again"
                self._refuse(line, f"cannot {doing}: it is shared through {what}", hint)
            if isinstance(error, CannotSplice):
                self._refuse(error.line, f"cannot {doing} in place: {error}")
            if isinstance(error, BlueprintInvalid):
                words = error.diagnostics[0].message
                self._refuse(1, f"cannot {doing} in place: the result would not be read ({words})")
            raise

    def _refuse_taken(self, tree: Tree, keys: Keys, target: Keys) -> None:
        if trees.value_at(tree, target) is not None:
            other = place(self._draft.document.root, target)
            at = self._draft.origins.line(other.line) or other.line if other else 0
            where = f"that is in line {at} already" if at else "that is there already"
            message = f"{shown(keys)} cannot become {shown(target)}: {where}"
            self._refuse(self._draft.line(keys), message, "keep one of them")

    def _refuse_double(self, keys: Keys, others: Sequence[Keys]) -> None:
        """Of one mapping only one entry can have the new key."""
        for other in others:
            if other != keys and other[:-1] == keys[:-1]:
                line = self._draft.origins.line(self._draft.line(other))
                message = f"{shown(keys)} and {shown(other)} (line {line}) cannot have one name"
                self._refuse(self._draft.line(keys), message, "keep one of them")

    def _refuse_unreachable(self, keys: Keys) -> None:
        """Below a text, a list or a written null nothing can be written by a key."""
        for depth, key in enumerate(keys):
            above = trees.value_at(self._draft.tree, keys[:depth])
            name, wanted = shown(keys[:depth]), shown(keys[depth : depth + 1])
            match above:
                case None:
                    return
                case dict() if isinstance(key, str):
                    continue
                case Scalar() if above == trees.NULL and isinstance(key, str):
                    if self._draft.place(keys[:depth]).value.empty:
                        return
                    words = f"{name} is null, which removes it: it takes no {wanted}"
                case Scalar() | dict():
                    words = f"{name} has no {wanted} below it"
                case _ if isinstance(key, int) and key < len(above):
                    continue
                case _:
                    words = f"{name} is a list of {len(above)}, which has no {wanted}"
            self._refuse(self._draft.line(keys[:depth]), words)

    def _refuse(self, line: int, message: str, hint: str = "") -> NoReturn:
        source = Source(self._draft.file, self._draft.text)
        if known := self._draft.origins.line(line):
            source, line = self._first, known
        raise refused(source, line, message, hint) from None

    def _exact(self, path: str) -> Keys:
        keys = parse_path(path)
        if ANY in keys:
            raise UsageError(f"'{path}': a '*' names several places", hint="name one")
        return tuple(keys)
