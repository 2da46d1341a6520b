"""A blueprint with something wrong in it, so that one pass judges everything else, too.

Where something is wrong there is a hole: who reads it gets `Unknown`, and the check that wanted to
know says nothing more (`judged`). So no consequence of a problem is told beside it. What only
counts and measures (the limits of a service) is asked with the holes filled by defaults: one of
them breaks no limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from mlops_iac.blueprint.fields import Field, ScalarType, fields_of
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.sections.base import Reference, Section
from mlops_iac.blueprint.words import join, nearest, split
from mlops_iac.records import replace

_V = TypeVar("_V")
# May be left out, but then something else is given: nothing in their place means nothing.
_NEEDED = ("metric", "trials")
# In a tree of what is wrong: not only what is in it.
_ALL = ""
_POSITION = r"(\[\d+\])+$"


class Unknown(Exception):
    """What was read is wrong, which is told already."""


def judged(*checks: Iterable[_V]) -> Iterator[_V]:
    """What each of the checks finds until it wants to know what is not known."""
    for check in checks:
        try:
            yield from check
        except Unknown:
            continue


def known_or(otherwise: _V, ask: Callable[[], _V]) -> _V:
    """What `ask` answers, or something else where that is not known."""
    try:
        return ask()
    except Unknown:
        return otherwise


def torn(
    by_name: Mapping[str, ResolvedBlueprint], wrong: Mapping[str, Iterable[str]]
) -> dict[str, ResolvedBlueprint]:
    """The environments with holes at the paths of what is wrong in each."""
    made: dict[str, ResolvedBlueprint] = {}
    for name, resolved in by_name.items():
        paths = frozenset(wrong[name])
        made[name] = replace(
            resolved, blueprint=_tear(resolved, paths, None), siblings=made, wrong=paths
        )
    return made


def torn_more(
    resolved: ResolvedBlueprint, more: Iterable[str], stand_ins: Mapping[str, Any] | None = None
) -> ResolvedBlueprint:
    """One environment with holes also at the paths `more`.

    With `stand_ins` its holes, and those of its siblings, are filled by defaults where there are
    any; `stand_ins` are values by key, for what no default stands for, or only as a whole.
    """
    return _Siblings(resolved, resolved.wrong.union(more), stand_ins)[resolved.environment]


class _Siblings(Mapping[str, ResolvedBlueprint]):
    """An environment with more holes and those beside it, each made when somebody asks for it.

    Theirs are as they were, so they are torn once, not for everyone beside them again.
    """

    def __init__(
        self,
        resolved: ResolvedBlueprint,
        wrong: frozenset[str],
        stand_ins: Mapping[str, Any] | None,
    ) -> None:
        self._known = {**resolved.siblings, resolved.environment: resolved}
        self._own = resolved
        self._wrong = wrong
        self._stand_ins = stand_ins
        self._made: dict[str, ResolvedBlueprint] = {}

    def __getitem__(self, name: str) -> ResolvedBlueprint:
        if name not in self._made:
            was = self._known[name]
            wrong = self._wrong if was is self._own else was.wrong
            if wrong != was.wrong:
                blueprint = _tear(was, wrong, self._stand_ins)
            elif self._stand_ins is None:
                blueprint = was.blueprint
            else:
                blueprint = _filled(was, self._stand_ins)
            self._made[name] = replace(was, blueprint=blueprint, siblings=self, wrong=wrong)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _filled(resolved: ResolvedBlueprint, stand_ins: Mapping[str, Any]) -> Any:
    """Its blueprint with what stands in for its holes, kept with it."""
    for known, made in resolved.filled:
        if known is stand_ins:
            return made
    made = _tear(resolved, resolved.wrong, stand_ins)
    resolved.filled.append((stand_ins, made))
    return made


def _tear(
    resolved: ResolvedBlueprint, paths: frozenset[str], stand_ins: Mapping[str, Any] | None
) -> Any:
    """Its blueprint with holes at the paths."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for key in split(path):
            node = node.setdefault(re.sub(_POSITION, "", key), {})
        node[_ALL] = {}
    return _Tearing(resolved, stand_ins).section(resolved.blueprint, tree, "")


class _Tearing:
    """A walk through what is wrong; everything else is shared with the original."""

    def __init__(self, resolved: ResolvedBlueprint, stand_ins: Mapping[str, Any] | None) -> None:
        self._resolved = resolved
        self._stand_ins = stand_ins

    def section(self, section: Section, tree: Mapping[str, Any], path: str) -> Any:
        known = fields_of(type(section))
        values = dict(vars(section))
        for key, below in tree.items():
            item = known.get(key) or self._meant(key, known, path)
            if item is None or key == _ALL:
                continue
            if self._stand_ins and item.key in self._stand_ins:
                value = self._stand_ins[item.key]
            else:
                value = self._value(values.get(item.name), below, join(path, item.key))
            if value is _HOLE and self._stand_ins is not None:
                value = _filling(type(section), item)
            if value is not _HOLE:
                values[item.name] = value
                continue
            if path and self._stand_ins is not None:
                return _HOLE  # nothing fills it: what it stands in is not known either
            values.pop(item.name, None)
        made = Section.__new__(_torn_class(type(section)))
        made.__dict__.update(values)
        return made

    def _value(self, value: Any, tree: Mapping[str, Any], path: str) -> Any:
        if _ALL in tree:
            return _HOLE
        if isinstance(value, Section):
            return self.section(value, tree, path)
        if isinstance(value, dict):
            made = TornDict(value)
            for key, below in tree.items():
                if (kept := self._value(dict.get(value, key), below, join(path, key))) is _HOLE:
                    made.pop(key, None)
                    made.unknown.add(key)
                else:
                    made[key] = kept
            return made
        return _HOLE

    def _meant(self, key: str, known: Mapping[str, Field], path: str) -> Field | None:
        """The field that an unknown key was probably meant for; that one is not known, then."""
        free = [each for each in known if not self._resolved.is_written(join(path, each))]
        return known.get(nearest(key, free))


def _filling(section: type[Section], item: Field) -> Any:
    """What fills a hole: a default, or a plain value where one is needed."""
    kind = item.type
    if not item.required and not any(item.key in group for group in section.ONE_OF):
        # A reference that is left out was filled in where there is one that it can mean.
        leads = isinstance(kind, ScalarType) and isinstance(kind.marker, Reference)
        return _HOLE if leads or item.key in _NEEDED else item.default()
    if item.required and isinstance(kind, ScalarType):
        least = kind.bounds.ge if kind.bounds.ge is not None else 1
        return kind.allowed[0] if kind.allowed else "x" if kind.types == (str,) else least
    return _HOLE


def whole(entries: Mapping[str, _V]) -> Mapping[str, _V]:
    """The entries, for whom wants all of them. Raises Unknown where one is not known."""
    if getattr(entries, "unknown", None):
        raise Unknown
    return entries


class TornDict(dict[str, Any]):
    """Entries of which some are not known, though they are there."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self.unknown: set[str] = set(getattr(known, "unknown", ()))

    def _ask(self, key: object) -> None:
        if key in self.unknown:
            raise Unknown

    def __getitem__(self, key: str) -> Any:
        self._ask(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._ask(key)
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._ask(key)
        return super().get(key, default)

    def __bool__(self) -> bool:
        return True


class _Hole:
    """In the class: found where the section itself has no value."""

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        raise Unknown


_HOLE: Any = _Hole()


_CLASSES: dict[type[Section], type[Section]] = {}


def _torn_class(section: type[Section]) -> type[Section]:
    if section not in _CLASSES:
        holes = {item.name: _HOLE for item in fields_of(section).values()}
        made = type(section.__name__, (section,), {**holes, "__doc__": section.__doc__})
        _CLASSES.update({section: made, made: made})
    return _CLASSES[section]
