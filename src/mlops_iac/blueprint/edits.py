"""What differs between two blueprints as written, and each difference applied alone.

Differences are taken after the layers are merged and before defaults are filled in: one edit is
one place that a person wrote. A counterfactual is the old blueprint with some edits and nothing
else; defaults, checks and everything else that follows from an edit follow from it there too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mlops_iac.blueprint.blame import Blame
from mlops_iac.blueprint.loaded import LoadedBlueprint
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.source import Entry, Node
from mlops_iac.blueprint.varied import grafted, resolve_tree
from mlops_iac.blueprint.words import join

_TEMPLATES = "extends"
"""What a template lays under a blueprint differs where the template says it."""


@dataclass(frozen=True)
class Edit:
    """One written difference. `old` and `new` are plain data, None where nothing is written.

    `file` and `line` are those of the new value, or of the old one where it is gone.
    `environments` are those it counts in.
    """

    path: str
    file: str
    line: int
    old: Any
    new: Any
    _keys: tuple[str, ...] = field(repr=False)
    _entries: dict[str, Entry | None] = field(repr=False, compare=False)

    @property
    def environments(self) -> tuple[str, ...]:
        """Where it counts."""
        return tuple(self._entries)


class Counterfactuals:
    """The edits from `old` to `new`, and `old` in one environment with some of them.

    Both must have the environment. `edits` are those that count in it; `elsewhere` those of other
    environments, which matter where one promotes to another. Paths in the blueprint stay relative
    to `old`'s folder.
    """

    def __init__(self, old: LoadedBlueprint, new: LoadedBlueprint, environment: str) -> None:
        self.environment = environment
        self._old = old
        self._trees = {name: old.tree(name) for name in old.environments}
        found: dict[tuple[Any, ...], Edit] = {}
        blame = Blame(old, new)
        for name in old.environments:
            if name not in new.environments:
                continue
            for edit in _differences(self._trees[name], new.tree(name), name, blame):
                key = (edit._keys, edit.file, edit.line, edit.new is None)
                if key in found:
                    found[key]._entries.update(edit._entries)
                else:
                    found[key] = edit
        self.edits = [edit for edit in found.values() if environment in edit.environments]
        self.elsewhere = [
            replace(edit, path=f"environments.{edit.environments[0]}.{edit.path}")
            for edit in found.values()
            if environment not in edit.environments
        ]

    def resolve(self, edits: Sequence[Edit]) -> ResolvedBlueprint:
        """The old blueprint with `edits` alone.

        Raises BlueprintInvalid where that is no valid blueprint.
        """
        siblings = {name: self._old.resolve(name) for name in self._old.environments}
        touched = {name for edit in edits for name in edit.environments} | {self.environment}
        for name in sorted(touched):
            self._resolve(name, edits, siblings)
        return siblings[self.environment]

    def _resolve(
        self, name: str, edits: Sequence[Edit], siblings: dict[str, ResolvedBlueprint]
    ) -> None:
        tree = self._trees[name]
        for edit in edits:
            if name in edit.environments:
                tree = grafted(tree, edit._keys, edit._entries[name])
        resolve_tree(self._old, name, tree, siblings)


def _differences(
    old: Node, new: Node, environment: str, blame: Blame, keys: tuple[str, ...] = ()
) -> Iterator[Edit]:
    for key in dict.fromkeys([*new.entries, *old.entries]):
        if not keys and key == _TEMPLATES:
            continue
        before, after = old.entries.get(key), new.entries.get(key)
        here = (*keys, key)
        if before is not None and after is not None:
            if before.value.kind == after.value.kind == "map":
                yield from _differences(before.value, after.value, environment, blame, here)
                continue
            if plain(before.value) == plain(after.value) and _style(before) == _style(after):
                continue
        place = blame.place(_place(before), _place(after))
        path = ""
        for part in here:
            path = join(path, part)
        yield Edit(
            path=path,
            file=place.source.file,
            line=place.line,
            old=None if before is None else plain(before.value),
            new=None if after is None else plain(after.value),
            _keys=here,
            _entries={environment: after},
        )


def _place(entry: Entry | None) -> Node | None:
    if entry is None:
        return None
    return entry.value if entry.value.kind == "scalar" and entry.value.text else entry.key


def _style(entry: Entry) -> bool:
    """Whether a scalar is written without quotes: `1` and `"1"` may mean different things."""
    return entry.value.plain


def plain(node: Node) -> Any:
    """What is written, as texts, lists and mappings."""
    match node.kind:
        case "map":
            return {key: plain(entry.value) for key, entry in node.entries.items()}
        case "list":
            return [plain(item) for item in node.items]
        case _:
            return node.text
