"""Two canonical graphs → the steps from one to the other, without state or credentials."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops_iac.graph.canonical import CanonicalGraph, CanonicalResource, unwrapped
from mlops_iac.graph.changes import child, property_changes
from mlops_iac.graph.model import STACK_TYPE
from mlops_iac.graph.plan import Operation, PropertyChange, Step

# (type token, property path with indexes) → (forces a replacement, source of the fact);
# None: there is no fact, so it may.
Replaces = Callable[[str, str], tuple[bool | None, str]]

_REFERENCE = re.compile(r"\$\{([^${}]+)\.([A-Za-z0-9_]+)\}")
# Options that change how a resource is treated, and nothing about it in the cloud.
_OPTION_PREFIX = "(options)"


def diff(old: CanonicalGraph, new: CanonicalGraph, replaces: Replaces) -> list[Step]:
    """Steps in the order a deployment takes: dependencies first, deletions last, dependants first.

    A resource that refers to a replaced one is looked at again: it is replaced in turn where the
    reference stands in a property that forces it, and updated where it does not.
    """
    old = _renamed(old, new)
    before = {resource.urn: resource for resource in old.resources}
    taken: set[str] = set()
    replaced: dict[str, CanonicalResource] = {}
    steps: list[Step] = []
    for resource in new.resources:
        known = before.get(resource.urn) or _by_alias(resource, before, taken)
        if known is not None:
            taken.add(known.urn)
        step = _step(known, resource, replaces)
        if resource.type == STACK_TYPE:
            step = _with_outputs(step, old.outputs, new.outputs)
        if known is not None and replaced.keys() & set(resource.dependencies):
            step = _knocked_on(step, resource, replaced, replaces)
        if step.op == "replace":
            replaced[resource.urn] = resource
        steps.append(step)
    gone = [resource for resource in old.resources if resource.urn not in taken]
    steps += [_deletion(resource) for resource in reversed(gone)]
    return steps


def _renamed(old: CanonicalGraph, new: CanonicalGraph) -> CanonicalGraph:
    """`old` with its references written by the names that renamed resources have in `new`."""
    known = {resource.urn: resource for resource in old.resources}
    kept = {resource.urn for resource in new.resources}
    names = {
        f"${{{was.address}.": f"${{{resource.address}."
        for resource in new.resources
        for alias in resource.options.get("aliases", [])
        if resource.urn not in known and alias not in kept and (was := known.get(alias))
    }
    if not names:
        return old
    pattern = re.compile("|".join(map(re.escape, names)))

    def rewritten(value: Any) -> Any:
        match value:
            case str():
                return pattern.sub(lambda found: names[found[0]], value) if "${" in value else value
            case dict():
                return {rewritten(key): rewritten(item) for key, item in value.items()}
            case list():
                return [rewritten(item) for item in value]
            case _:
                return value

    return replace(
        old,
        resources=tuple(
            replace(each, inputs=rewritten(dict(each.inputs))) for each in old.resources
        ),
        outputs=rewritten(dict(old.outputs)),
    )


def _step(old: CanonicalResource | None, new: CanonicalResource, replaces: Replaces) -> Step:
    if old is None:
        return _make("create", None, new)
    forced = new.options.get("replaceOnChanges", [])
    ignored = new.options.get("ignoreChanges", [])

    def fact(path: str) -> tuple[bool | None, str]:
        if not new.custom:
            return False, ""
        if any(_covers(pattern, path) for pattern in forced):
            return True, "replaceOnChanges"
        return replaces(new.type, path)

    changes = [
        change
        for change in property_changes(old.inputs, new.inputs, fact)
        if not any(_covers(pattern, change.path) for pattern in ignored)
    ]
    # Aliases say where a resource comes from; a new one is not a change of it.
    options = property_changes(
        {key: value for key, value in old.options.items() if key != "aliases"},
        {key: value for key, value in new.options.items() if key != "aliases"},
        lambda _path: (False, ""),
    )
    changes += [replace(change, path=f"{_OPTION_PREFIX} {change.path}") for change in options]
    step = _make(_operation(changes), old, new, changes)
    if old.urn != new.urn:
        step = replace(step, reason=f"was {old.address}")
    return step


def _knocked_on(
    step: Step,
    new: CanonicalResource,
    replaced: Mapping[str, CanonicalResource],
    replaces: Replaces,
) -> Step:
    """The step once more, with what follows from its dependencies' replacement."""
    by_address = {
        replaced[urn].address: replaced[urn] for urn in new.dependencies if urn in replaced
    }
    known = {change.path for change in step.changes}
    ignored = new.options.get("ignoreChanges", [])
    changes = list(step.changes)
    reasons: list[str] = []
    for path, text in _texts(new.inputs, ""):
        for address, property_ in _REFERENCE.findall(text):
            source = by_address.get(address)
            # What the replaced resource was itself given is known beforehand, and stays.
            if source is None or property_ in source.inputs or path in known:
                continue
            if any(_covers(pattern, path) for pattern in ignored):
                continue
            forces, fact = replaces(new.type, path) if new.custom else (False, "")
            known.add(path)
            shown = unwrapped(text)
            changes.append(PropertyChange(path, "update", shown, shown, forces, fact))
            reasons.append(address)
    if not reasons:
        return step
    pulled = list(dict.fromkeys(reasons))
    return replace(
        step,
        op=_operation(changes),
        changes=changes,
        replace_keys=[change.path for change in changes if change.replaces is True],
        reason=step.reason or f"{', '.join(pulled)} {'is' if len(pulled) == 1 else 'are'} replaced",
    )


def _operation(changes: Sequence[PropertyChange]) -> Operation:
    if any(change.replaces is True for change in changes):
        return "replace"
    return "update" if changes else "same"


def _deletion(resource: CanonicalResource) -> Step:
    step = _make("delete", resource, None)
    return replace(step, retained=bool(resource.options.get("retainOnDelete")))


def _with_outputs(step: Step, old: Mapping[str, Any], new: Mapping[str, Any]) -> Step:
    if step.op == "create":
        return step
    changes = property_changes(old, new, lambda _path: (False, ""))
    if not changes:
        return step
    told = [replace(change, path=f"(outputs) {change.path}") for change in changes]
    return replace(step, op="update", changes=[*step.changes, *told], reason="outputs")


def _make(
    op: Operation,
    old: CanonicalResource | None,
    new: CanonicalResource | None,
    changes: Sequence[PropertyChange] = (),
) -> Step:
    resource = new or old
    assert resource is not None
    return Step(
        op=op,
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        custom=resource.custom,
        changes=changes,
        replace_keys=[change.path for change in changes if change.replaces is True],
        old_inputs=unwrapped(dict(old.inputs)) if old else {},
        new_inputs=unwrapped(dict(new.inputs)) if new else {},
        parent=resource.parent,
        dependencies=resource.dependencies,
        protect=bool((old or resource).options.get("protect")),
        delete_before_replace=bool(resource.options.get("deleteBeforeReplace")),
    )


def _by_alias(
    resource: CanonicalResource, before: Mapping[str, CanonicalResource], taken: set[str]
) -> CanonicalResource | None:
    for alias in resource.options.get("aliases", []):
        if alias in before and alias not in taken:
            return before[alias]
    return None


def _covers(pattern: str, path: str) -> bool:
    """Whether an ignoreChanges or replaceOnChanges path holds `path`; `*` is any key or index."""
    if pattern == "*":
        return True
    wanted, found = _segments(pattern), _segments(path)
    return len(wanted) <= len(found) and all(
        want in ("*", have) for want, have in zip(wanted, found, strict=False)
    )


def _segments(path: str) -> list[str]:
    return [a or b or c for a, b, c in re.findall(r'\["([^"]*)"\]|\[(\d+|\*)\]|([^.\[\]]+)', path)]


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Texts with a reference in them, under the property path that facts know."""
    match value:
        case str():
            if "${" in value:
                yield path, value
        case {"$json": document} if len(value) == 1:
            for _, text in _texts(document, ""):
                yield path, text
        case dict():
            for key, item in value.items():
                yield from _texts(item, child(path, key))
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, f"{path}[{index}]")
