"""A valid blueprint with something else at some places: what would follow from another value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_iac.blueprint.checks import Check, Seen, check_environment
from mlops_iac.blueprint.decode import Decoder
from mlops_iac.blueprint.fill import fill
from mlops_iac.blueprint.loaded import LoadedBlueprint
from mlops_iac.blueprint.reading import BASE_LAYER, variables
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.source import Entry, Node
from mlops_iac.errors import BlueprintInvalid

Keys = tuple[str, ...]


def varied(
    loaded: LoadedBlueprint, environment: str, values: Mapping[Keys, Node | None]
) -> ResolvedBlueprint:
    """One environment with a value, or nothing, in the place of what is there.

    Raises BlueprintInvalid where that is no valid blueprint.
    """
    tree = loaded.tree(environment)
    for keys, node in values.items():
        entry = None if node is None else Entry(node.scalar_like(keys[-1]), node)
        tree = grafted(tree, keys, entry)
    siblings = {name: loaded.resolve(name) for name in loaded.environments}
    return resolve_tree(loaded, environment, tree, siblings)


def resolve_tree(
    loaded: LoadedBlueprint,
    environment: str,
    tree: Node,
    siblings: dict[str, ResolvedBlueprint],
) -> ResolvedBlueprint:
    """What one environment is with this tree, all layers merged; put into `siblings` as well.

    Raises BlueprintInvalid where that is no valid blueprint.
    """
    merged = fill(tree, environment)
    decoder = Decoder(variables(merged, environment))
    blueprint: Blueprint = decoder.root(Blueprint, merged, BASE_LAYER)
    found = decoder.found
    resolved = ResolvedBlueprint(
        environment, loaded.root, blueprint, found.written, loaded.reach, siblings
    )
    siblings[environment] = resolved
    check = Check(resolved, found, list(found.problems), Seen(data=False), loaded.environments)
    check_environment(check, strict=False)
    problems = [item for item in check.diagnostics if item.severity == "error"]
    if problems:
        raise BlueprintInvalid(problems)
    return resolved


def grafted(tree: Node, keys: Sequence[str], entry: Entry | None) -> Node:
    """A copy of `tree` with `entry` under `keys`, or without what is there."""
    copy = tree.with_entries(dict(tree.entries))
    key, *rest = keys
    if not rest:
        if entry is None:
            copy.entries.pop(key, None)
        else:
            copy.entries[key] = entry
        return copy
    below = copy.entries.get(key)
    if below is not None and below.value.kind == "map":
        inner = grafted(below.value, rest, entry)
        copy.entries[key] = Entry(below.key, inner, below.layer, below.added)
    elif below is None and entry is not None:
        empty = Node("map", tree.source, tree.line, tree.column)
        copy.entries[key] = Entry(entry.key.scalar_like(key), grafted(empty, rest, entry))
    return copy
