"""What differs between two readings of a blueprint, value by value, for all environments at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.words import join

if TYPE_CHECKING:
    from mlops_iac.blueprint import LoadedBlueprint, ResolvedBlueprint

_TEMPLATES = "extends"


@dataclass(frozen=True, slots=True)
class LeafChange:
    """One value that is another one, in `environments`. None stands for a value that is not set.

    `file` and `line` are where the new value is written, or the old one where it is gone; `layer`
    is what `explain` calls the layer.
    """

    path: str
    old: Any
    new: Any
    file: str
    line: int
    layer: str
    environments: tuple[str, ...]

    @property
    def place(self) -> str:
        """`acme/standard@2.2.0/blueprint.yaml:12`."""
        return f"{self.file}:{self.line}" if self.line else self.file


def leaf_changes(before: LoadedBlueprint, after: LoadedBlueprint) -> list[LeafChange]:
    """Every value that differs, in the order of the blueprint; an environment's own ones last."""
    found: dict[tuple[Any, ...], list[str]] = {}
    for name in after.environments:
        if name not in before.environments:
            continue
        for key in _differences(before.resolve(name), after.resolve(name)):
            found.setdefault(key, []).append(name)
    changes = [
        LeafChange(path, was.value, now.value, file, line, layer, tuple(names))
        for (path, was, now, file, line, layer), names in found.items()
    ]
    changes.sort(key=lambda change: -len(change.environments))
    return [*changes, *_environments(before, after)]


@dataclass(frozen=True, slots=True)
class _Plain:
    """A value compared by what it looks like, so that it can be a key whatever it is."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Plain) and repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash(repr(self.value))


def _differences(old: ResolvedBlueprint, new: ResolvedBlueprint) -> Sequence[tuple[Any, ...]]:
    from mlops_iac.blueprint.explain import plain

    before, after = old.leaves(), new.leaves()
    changed = []
    for path in dict.fromkeys([*after, *before]):
        was, now = before.get(path), after.get(path)
        if path == _TEMPLATES or ((path in before) == (path in after) and was == now):
            continue
        origin = (new if path in after else old).origin(path)
        at = (origin.file, origin.line, origin.layer)
        changed.append((path, _Plain(plain(was)), _Plain(plain(now)), *at))
    return changed


def _environments(before: LoadedBlueprint, after: LoadedBlueprint) -> list[LeafChange]:
    """Environments that come or go as a whole."""
    changes = []
    old: Any
    new: Any
    for name in dict.fromkeys([*after.environments, *before.environments]):
        if name in before.environments and name in after.environments:
            continue
        loaded, old, new = (before, {}, None) if name in before.environments else (after, None, {})
        file, line, layer = loaded.shown, 0, "blueprint"
        for template in loaded.templates:
            if (node := template.environments.get(name)) is not None:
                file, line, layer = node.source.file, node.line, template.layer
        path = join("environments", name)
        changes.append(LeafChange(path, old, new, file, line, layer, (name,)))
    return changes
