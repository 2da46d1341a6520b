"""Differences by meaning between old and new inputs, with what each of them forces.

Sets have no order, JSON documents are compared parsed, 1 equals 1.0 and "1" where a number is
meant, and absent equals null equals empty (the zero-value rule of bridged providers). An absent value
that the provider computes or has a default for is no difference. What forces a replacement comes
from the facts alone; without a fact `replaces` is None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlops_iac.emulators.common.facts import PropertyFact
from mlops_iac.emulators.common.schema import Spec, variant
from mlops_iac.emulators.provider import DiffKind, PropertyDiff
from mlops_iac.values import Asset, Properties, Secret, Unknown, Value, contains_unknown

_INDEX = re.compile(r"\[\d+\]")
_ANY: Spec = {"type": "any"}
Found = DiffKind | Literal["unknown"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares values of one type. `facts` are its properties by path without indices.

    `canonical` gives JSON documents that mean the same in one form. `zeros`: absent equals false, "" and
    nothing in it, as bridged providers have it.
    """

    facts: Mapping[str, PropertyFact]
    canonical: Callable[[Any], Any] = lambda document: document
    zeros: bool = True

    def differences(
        self,
        old: Properties,
        new: Properties,
        fields: Mapping[str, Spec],
        ignore: Sequence[str] = (),
    ) -> dict[str, PropertyDiff]:
        """Every path that differs, with its kind and what it forces."""
        found: dict[str, PropertyDiff] = {}
        for path, kind in self._object(old, new, fields, ""):
            if not _ignored(path, ignore):
                found[path] = self._describe(path, kind)
        return found

    def same(self, old: Value, new: Value, spec: Spec, path: str = "") -> bool:
        """Whether both mean the same."""
        return next(self._value(old, new, spec, path), None) is None

    def _describe(self, path: str, found: Found) -> PropertyDiff:
        kind: DiffKind = "update" if found == "unknown" else found
        parent = _plain(path)
        fact = self.facts.get(parent)
        # An entry of a list changes the list; one of its own kind of change has no fact.
        change: DiffKind = "update" if path.endswith("]") else kind
        while fact is None and "." in parent:
            # A key of a map, such as a tag: the map's own fact answers.
            parent = parent.rsplit(".", 1)[0]
            above = self.facts.get(parent)
            if above is not None:
                if above.kind == "map":
                    fact, change = above, "update"
                break
        if fact is None:
            return PropertyDiff(kind, None)
        replaces = fact.replaces_when(change)
        if found == "unknown" and replaces is not True:
            # Anything below may turn out to differ.
            below = f"{_plain(path)}."
            inner = [f for p, f in self.facts.items() if p.startswith(below) and f.replaces]
            fact, replaces = (inner[0], True) if inner else (fact, replaces)
        return PropertyDiff(kind, replaces, fact.source if replaces is not None else "")

    def _object(
        self, old: Properties, new: Properties, fields: Mapping[str, Spec], path: str
    ) -> Iterator[tuple[str, Found]]:
        for name in [*new, *(name for name in old if name not in new)]:
            if name.startswith("__"):
                continue
            here = f"{path}.{name}" if path else name
            yield from self._value(old.get(name), new.get(name), fields.get(name, _ANY), here)

    def _value(self, old: Value, new: Value, spec: Spec, path: str) -> Iterator[tuple[str, Found]]:
        old, new = _bare(old), _bare(new)
        if isinstance(new, Unknown) or isinstance(old, Unknown):
            yield path, "unknown"
            return
        fact = self.facts.get(_plain(path))
        if fact is not None and fact.default is True:
            # `false` is not the zero value of what is `true` by default.
            old, new = (True if item is None else item for item in (old, new))
            if as_text(old) != as_text(new):
                yield path, "update"
            return
        if self._empty(old) and self._empty(new):
            return
        if self._empty(new):
            if not self._filled_in(old, fact):
                yield path, "delete"
                yield from self._forced_inside(path, old, "delete")
            return
        if self._empty(old):
            default = fact.default if fact is not None else None
            if default is None or not _scalar_equal(default, new):
                yield path, "add"
                yield from self._forced_inside(path, new, "add")
            return
        match (old, new):
            case (Mapping(), Mapping()) if spec["type"] == "map":
                for key in [*new, *(key for key in old if key not in new)]:
                    yield from self._entry(old.get(key), new.get(key), spec, f"{path}.{key}")
            case (Mapping(), Mapping()):
                yield from self._object(old, new, variant(spec, new).get("fields", {}), path)
            case (list() | tuple(), list() | tuple()):
                yield from self._list(list(old), list(new), spec, path, fact)
            case _:
                if not self._equal(old, new, spec, fact):
                    yield path, "update"

    def _forced_inside(
        self, path: str, value: Value, change: DiffKind
    ) -> Iterator[tuple[str, Found]]:
        """Yield what appears or goes with a block and forces a replacement where the block does not.

        Adding a deployment configuration is an update; the rollback inside it replaces.
        """
        if not isinstance(value, Mapping):
            return
        for name, item in value.items():
            fact = self.facts.get(_plain(f"{path}.{name}"))
            if fact is None or self._empty(_bare(item)):
                continue
            if fact.replaces_when(change) is True:
                yield f"{path}.{name}", change
            else:
                yield from self._forced_inside(f"{path}.{name}", _bare(item), change)

    def _entry(self, old: Value, new: Value, spec: Spec, path: str) -> Iterator[tuple[str, Found]]:
        """A key of a map: an empty text is a value there."""
        if old is None or new is None:
            yield path, "add" if old is None else "delete"
        elif contains_unknown(new) or not self._equal(_bare(old), _bare(new), spec["items"], None):
            yield path, "update"

    def _list(
        self, old: list[Value], new: list[Value], spec: Spec, path: str, fact: PropertyFact | None
    ) -> Iterator[tuple[str, Found]]:
        items = spec.get("items", _ANY)
        if fact is not None and fact.kind == "set":
            old, new, places = self._unmatched(old, new, items, path)
        else:
            places = list(range(len(new)))
        for index in range(max(len(old), len(new))):
            place = places[index] if index < len(places) else index
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            here = f"{path}[{place}]"
            if before is None or after is None:
                yield here, "add" if before is None else "delete"
            else:
                yield from self._value(before, after, items, here)

    def _unmatched(
        self, old: list[Value], new: list[Value], items: Spec, path: str
    ) -> tuple[list[Value], list[Value], list[int]]:
        """What of two sets has no equal in the other, with the places of the new ones."""
        rest = list(old)
        left: list[Value] = []
        places: list[int] = []
        for index, item in enumerate(new):
            for candidate in rest:
                if self.same(candidate, item, items, f"{path}[{index}]"):
                    rest.remove(candidate)
                    break
            else:
                left.append(item)
                places.append(index)
        return rest, left, places

    def _equal(self, old: Any, new: Any, spec: Spec, fact: PropertyFact | None) -> bool:
        if isinstance(old, Asset) and isinstance(new, Asset):
            return old.hash == new.hash
        if _scalar_equal(old, new):
            return True
        is_json = bool(spec.get("json")) or (fact is not None and fact.json)
        if not is_json or not isinstance(old, str) or not isinstance(new, str):
            return False
        try:
            return bool(self.canonical(json.loads(old)) == self.canonical(json.loads(new)))
        except ValueError:
            return False

    def _empty(self, value: Value) -> bool:
        return value is None or (self.zeros and (value is False or value in ("", [], {}, ())))

    def _filled_in(self, old: Value, fact: PropertyFact | None) -> bool:
        """Whether a value that the program no longer gives stays, or was the default anyway."""
        if fact is None:
            return False
        return fact.computed or (fact.default is not None and _scalar_equal(fact.default, old))


def _ignored(path: str, ignore: Sequence[str]) -> bool:
    """Whether an `ignoreChanges` path covers `path`; `[*]` and `*` match any index or key."""
    for entry in ignore:
        pattern = re.escape(entry).replace(r"\[\*\]", r"\[\d+\]").replace(r"\*", r"[^.\[]+")
        if re.match(rf"{pattern}(?=$|[.\[])", path):
            return True
    return False


def _plain(path: str) -> str:
    return _INDEX.sub("", path)


def _bare(value: Value) -> Value:
    return value.value if isinstance(value, Secret) else value


def _scalar_equal(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return as_text(old) == as_text(new)
    if isinstance(old, int | float) and isinstance(new, int | float):
        return old == new
    if isinstance(old, str) != isinstance(new, str):
        try:
            return float(old) == float(new)
        except (TypeError, ValueError):
            return False
    return bool(old == new)


def as_text(value: Any) -> str:
    """A scalar as APIs write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
