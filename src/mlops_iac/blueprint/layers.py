"""Layers: blueprint < environment < command line, merged as written, before anything is checked.

Maps merge, the rest replaces; `null` removes an inherited key. Of alternatives the upper layer's
choice drops the lower's.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.blueprint.compose import compose_value
from mlops_iac.blueprint.fields import (
    ChoiceType,
    EitherType,
    FieldType,
    MapType,
    SectionType,
    fields_of,
)
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.source import Entry, Node, Source, problem
from mlops_iac.blueprint.words import join, split, suggestion
from mlops_iac.errors import Diagnostic, UsageError

FIXED = ("blueprint", "name", "platform", "extends", "environments")
"""Keys that cannot differ between environments."""
ROOT = SectionType(Blueprint)


def overlay(
    base: Node, upper: Node, layer: str, problems: list[Diagnostic], *, fixed: Sequence[str] = FIXED
) -> Node:
    """`base` with `upper` laid over it; neither is changed.

    `layer` is what `explain` calls the upper one; keys in `fixed` cannot stand in it.
    """
    upper = _without_fixed(upper, problems, fixed)
    return _merge(base, upper, ROOT, "", layer, problems)


def _without_fixed(upper: Node, problems: list[Diagnostic], fixed: Sequence[str]) -> Node:
    kept: dict[str, Entry] = {}
    for key, entry in upper.entries.items():
        if key in fixed:
            problems.append(
                problem(
                    entry.key,
                    "fixed-key",
                    f"'{key}' cannot differ between environments",
                    path=key,
                    hint="write it at the top of the blueprint",
                )
            )
        else:
            kept[key] = entry
    return Node("map", upper.source, upper.line, upper.column, entries=kept)


def _merge(
    base: Node,
    upper: Node,
    kind: FieldType | None,
    path: str,
    layer: str,
    problems: list[Diagnostic],
) -> Node:
    section = _section_of(kind, base, upper)
    entries = dict(base.entries)
    removed = dict(base.removed)
    if section is not None:
        _drop_alternatives(section, entries, upper)
    for key, entry in upper.entries.items():
        below = entries.get(key)
        here = join(path, key)
        if entry.value.is_null:
            if below is None and key not in base.entries:
                problems.append(
                    problem(
                        entry.value if entry.value.text else entry.key,
                        "nothing-to-remove",
                        f"null removes an inherited key, but there is no {here} to remove",
                        path=here,
                        hint=suggestion(key, list(base.entries)),
                    )
                )
            entries.pop(key, None)
            removed[key] = Entry(entry.key, entry.value, layer)
        elif below is not None and below.value.kind == "map" and entry.value.kind == "map":
            inner = _child_type(kind, section, key)
            both = _merge(below.value, entry.value, inner, here, layer, problems)
            entries[key] = Entry(below.key, both, below.layer)
        else:
            added = tuple(base.entries) if below is None and isinstance(kind, MapType) else None
            entries[key] = Entry(entry.key, entry.value, layer, added)
    merged = base.with_entries(entries)
    if removed:
        merged.removed = removed
    return merged


def _section_of(kind: FieldType | None, base: Node, upper: Node) -> type[Section] | None:
    match kind:
        case SectionType():
            return kind.section
        case EitherType():
            return kind.section.section
        case ChoiceType():
            chosen = upper.entries.get(kind.field) or base.entries.get(kind.field)
            return kind.by_name().get(kind.meant(chosen.value.text)) if chosen else None
        case _:
            return None


def _child_type(
    kind: FieldType | None, section: type[Section] | None, key: str
) -> FieldType | None:
    if isinstance(kind, MapType):
        return kind.value
    if section is not None and (found := fields_of(section).get(key)):
        return found.type
    return None


def _drop_alternatives(section: type[Section], entries: dict[str, Entry], upper: Node) -> None:
    for group in section.ALTERNATIVES:
        chosen = [
            key for key in group if key in upper.entries and not upper.entries[key].value.is_null
        ]
        for key in group:
            if chosen and key not in chosen:
                entries.pop(key, None)
                if key == "framework":  # a version belongs to its framework
                    entries.pop("version", None)


def command_line(values: Sequence[str]) -> list[Node]:
    """`serving.api.scaling.max=5` → a map for each. Raises UsageError or BlueprintInvalid."""
    layers = []
    for given in values:
        path, found, text = given.partition("=")
        keys = split(path.strip())
        if not found or not keys or not all(keys):
            raise UsageError(f"'{given}' is not PATH=VALUE", hint="e.g. serving.api.scaling.max=5")
        source = Source("command line", given)
        node = compose_value(Source("command line", text))
        _rebase(node, source, len(path) + 1)
        place = Node("scalar", source, 1, 1, len(path), path)
        for key in reversed(keys):
            name = Node("scalar", source, 1, 1, len(path), key)
            node = Node("map", source, place.line, place.column, entries={key: Entry(name, node)})
        layers.append(node)
    return layers


def _rebase(node: Node, source: Source, shift: int) -> None:
    """Give the places of a value those that it has in the whole argument."""
    node.source = source
    if node.line == 1:
        node.column += shift
    for item in node.items:
        _rebase(item, source, shift)
    for entry in node.entries.values():
        _rebase(entry.key, source, shift)
        _rebase(entry.value, source, shift)
