"""Two stacks of one program side by side, without what differs only because they are two.

Names carry the stack, ids the account and the region. Those are written alike on both sides before
anything is compared; what was different only in them is counted, not listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlops_iac.graph.canonical import CanonicalGraph, CanonicalResource
from mlops_iac.graph.changes import property_changes
from mlops_iac.graph.plan import PropertyChange

_SHORTENED = re.compile(r"-[0-9a-f]{7}\Z")  # the hash that replaces what is cut from a name

_ENVIRONMENT = "{environment}"
_OPTIONS = ("protect", "retainOnDelete", "deleteBeforeReplace", "ignoreChanges")


@dataclass(frozen=True, slots=True)
class Side:
    """One stack: its graph, and what its values carry of it."""

    graph: CanonicalGraph
    account: str = ""
    region: str = ""

    def alike(self) -> Callable[[str], str]:
        """A text without what is this stack's own."""
        words = {self.graph.stack: _ENVIRONMENT, self.account: "{account}"}
        words[self.region] = "{region}"
        words.pop("", None)
        whole = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        pattern = re.compile(rf"(?<![A-Za-z0-9])({whole})(?![A-Za-z0-9])")
        return lambda text: pattern.sub(lambda found: words[found[1]], text)


@dataclass(frozen=True, slots=True)
class ResourceDifference:
    """A resource that both have, with the properties that differ (`old` left, `new` right)."""

    address: str
    type: str
    component: str
    changes: Sequence[PropertyChange]


@dataclass(frozen=True, slots=True)
class Differences:
    """What stands between two stacks. `only_…` are `(component, address)`.

    `named` counts resources that differ in names, account and region alone, `same` those that do
    not differ at all.
    """

    left: str
    right: str
    only_left: Sequence[tuple[str, str]] = ()
    only_right: Sequence[tuple[str, str]] = ()
    differ: Sequence[ResourceDifference] = field(default_factory=tuple)
    named: int = 0
    same: int = 0


def differences(left: Side, right: Side) -> Differences:
    """Compare two stacks of one program; components and the stack itself are no resources."""
    mine, theirs = _by_address(left), _by_address(right)
    differ: list[ResourceDifference] = []
    named = same = 0
    alike_left, alike_right = left.alike(), right.alike()
    for key, resource in mine.items():
        other = theirs.get(key)
        if other is None:
            continue
        before, after = _content(resource), _content(other)
        changes = property_changes(
            _written(before, alike_left), _written(after, alike_right), lambda _: (False, "")
        )
        changes = [
            change
            for change in changes
            if not (_only_shortened(change) or _same_text(change, left, right))
        ]
        if changes:
            differ.append(
                ResourceDifference(
                    resource.address,
                    resource.type,
                    _component(resource),
                    tuple(changes),
                )
            )
        elif before != after:
            named += 1
        else:
            same += 1
    return Differences(
        left=left.graph.stack,
        right=right.graph.stack,
        only_left=[_named(item) for key, item in mine.items() if key not in theirs],
        only_right=[_named(item) for key, item in theirs.items() if key not in mine],
        differ=differ,
        named=named,
        same=same,
    )


def _by_address(side: Side) -> dict[tuple[str, str], CanonicalResource]:
    """Resources by URN without the stack, which is the same in both."""
    alike = side.alike()
    return {
        (item.urn.split("::", 2)[2], alike(item.name)): item
        for item in side.graph.resources
        if item.in_cloud
    }


def _content(resource: CanonicalResource) -> dict[str, Any]:
    """Inputs and, in brackets, the options that say how a resource may be treated."""
    return {
        **resource.inputs,
        **{f"({key})": value for key, value in resource.options.items() if key in _OPTIONS},
    }


def _written(value: Any, alike: Callable[[str], str]) -> Any:
    match value:
        case str():
            return alike(value)
        case Mapping():
            return {alike(str(key)): _written(item, alike) for key, item in value.items()}
        case list() | tuple():
            return [_written(item, alike) for item in value]
        case _:
            return value


def _only_shortened(change: PropertyChange) -> bool:
    """Whether two names differ in nothing but the hash of what was cut from them."""
    old, new = change.old, change.new
    if not (isinstance(old, str) and isinstance(new, str)):
        return False
    return bool(
        _SHORTENED.search(old)
        and _SHORTENED.search(new)
        and _SHORTENED.sub("", old) == _SHORTENED.sub("", new)
    )


def _same_text(change: PropertyChange, left: Side, right: Side) -> bool:
    """Whether both say the same word, which happens to be the name of one of the two stacks."""

    def named(value: Any, side: Side) -> Any:
        return _written(value, lambda text: text.replace(_ENVIRONMENT, side.graph.stack))

    return bool(named(change.old, left) == named(change.new, right))


def _named(resource: CanonicalResource) -> tuple[str, str]:
    return _component(resource), resource.address


def _component(resource: CanonicalResource) -> str:
    """The logical name of the component a resource belongs to, empty without one."""
    types = resource.urn.split("::")[2].split("$")
    if len(types) < 2 or not resource.parent:
        return ""
    return resource.parent.rsplit("::", 1)[-1]
