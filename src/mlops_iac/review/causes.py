"""Which edit causes which change: each edit applied alone, and the difference attributed.

Exact, also for what an edit changes far away from where it stands, and nothing has to be written
into tags or state for it. Edits that make sense only together are applied together. What no edit
explains alone is looked at from the other side: an edit without which it does not happen is one of
its causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from operator import eq
from typing import Generic, Protocol, TypeVar

from mlops_iac.errors import BlueprintInvalid, MlopsError
from mlops_iac.graph.canonical import CanonicalGraph
from mlops_iac.graph.diff import Replaces, diff
from mlops_iac.graph.plan import Step

# Captures for one stack; a capture of a real stack takes a quarter of a second.
MOST_CAPTURES = 40
_WHOLE = "(whole resource)"


class EditLike(Protocol):
    """What an edit must say of itself."""

    @property
    def path(self) -> str:
        """The blueprint path."""


E = TypeVar("E", bound=EditLike)
E_contra = TypeVar("E_contra", bound=EditLike, contravariant=True)


class World(Protocol[E_contra]):
    """The old blueprint, which can be looked at with some edits applied."""

    def check(self, edits: Sequence[E_contra]) -> object:
        """What would be captured, comparable; raises BlueprintInvalid where that is nothing."""

    def capture(self, edits: Sequence[E_contra]) -> CanonicalGraph:
        """The old blueprint with `edits`. Raises BlueprintInvalid."""


@dataclass
class Attribution(Generic[E]):
    """URN → the edits that cause its change; notes about what could not be told."""

    causes: dict[str, list[E]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    captures: int = 0


def attribute(
    base: CanonicalGraph,
    steps: Sequence[Step],
    edits: Sequence[E],
    world: World[E],
    replaces: Replaces,
    *,
    most: int = MOST_CAPTURES,
) -> Attribution[E]:
    """Attribute `steps`, the way from `base` to the head, to the edits between the two.

    `base` is the old blueprint as the same tool captures it; `most` bounds the captures.
    """
    wanted = _signatures(steps)
    found: Attribution[E] = Attribution()
    if not wanted or not edits:
        return found
    if len(edits) == 1:
        found.causes = {urn: list(edits) for urn in wanted}
        return found
    run = _Run(base, wanted, world, replaces, found, most)
    try:
        for group in sorted(_groups(edits, world), key=len):
            run.alone(group)
        run.without(edits)
    except _EnoughError:
        found.notes.append(f"more than {most} captures would be needed to tell every cause")
    return found


class _EnoughError(Exception):
    """The bound on captures is reached."""


@dataclass
class _Run(Generic[E]):
    base: CanonicalGraph
    wanted: Mapping[str, Mapping[str, str]]
    world: World[E]
    replaces: Replaces
    found: Attribution[E]
    most: int
    # Property paths by URN: those that an edit changes too, and those it brings to where they
    # are. An edit may only have a part in a value, or change it to another one when alone.
    touched: dict[str, set[str]] = field(default_factory=dict)
    explained: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._nothing = self.world.check(())

    def alone(self, group: Sequence[E]) -> None:
        """Apply a group and attribute what it changes to it."""
        changed = self._changed(group)
        for urn, values in (changed or {}).items():
            wanted = self.wanted.get(urn, {})
            shared = values.keys() & wanted.keys()
            if len(group) > 1:  # what fewer edits bring about needs no more of them
                shared -= self.explained.get(urn, set())
            if shared:
                self._blame(urn, group)
                self.touched.setdefault(urn, set()).update(shared)
                same = {path for path in shared if values[path] == wanted[path]}
                self.explained.setdefault(urn, set()).update(same)

    def without(self, edits: Sequence[E]) -> None:
        """For what is left: an edit is a cause of what does not happen without it."""
        left = {
            urn: rest
            for urn, values in self.wanted.items()
            if (rest := values.keys() - self.touched.get(urn, set()))
        }
        if not left:
            return
        for edit in edits:
            others = [other for other in edits if other is not edit]
            changed = self._changed(others)
            if changed is None:
                # Nothing stands without it, so everything that is left needs it.
                changed = {}
            for urn, paths in left.items():
                if not paths <= changed.get(urn, {}).keys():
                    self._blame(urn, [edit])

    def _changed(self, edits: Sequence[E]) -> Mapping[str, Mapping[str, str]] | None:
        """What edits change, by URN; None where they are no blueprint."""
        try:
            if self.world.check(edits) == self._nothing:
                return {}
            if self.found.captures >= self.most:
                raise _EnoughError
            self.found.captures += 1
            graph = self.world.capture(edits)
        except MlopsError:
            return None
        return _signatures(diff(self.base, graph, self.replaces))

    def _blame(self, urn: str, edits: Iterable[E]) -> None:
        known = self.found.causes.setdefault(urn, [])
        known += [edit for edit in edits if edit not in known]


def _groups(edits: Sequence[E], world: World[E]) -> list[list[E]]:
    """Each edit alone where that is a blueprint, else with the nearest ones that make it one."""
    groups: list[list[E]] = []
    for edit in edits:
        group = [edit]
        if not _stands(group, world):
            if any(edit in known for known in groups):
                continue
            near = sorted(
                (other for other in edits if other is not edit),
                key=lambda other: -_shared(edit.path, other.path),
            )
            for other in near:
                group.append(other)
                if _stands(group, world):
                    break
            for other in group[1:-1]:
                fewer = [each for each in group if each is not other]
                if _stands(fewer, world):
                    group = fewer
        if _stands(group, world):
            groups.append(group)
    return groups


def _shared(left: str, right: str) -> int:
    """How many names two blueprint paths begin with together."""
    return sum(1 for _ in takewhile(bool, map(eq, left.split("."), right.split("."))))


def _stands(edits: Sequence[E], world: World[E]) -> bool:
    try:
        world.check(edits)
    except BlueprintInvalid:
        return False
    return True


def _signatures(steps: Iterable[Step]) -> dict[str, dict[str, str]]:
    """What changes, by URN: property paths with their new values, or that all comes or goes."""
    return {
        step.urn: {change.path: repr(change.new) for change in step.changes} or {_WHOLE: step.op}
        for step in steps
        if step.op != "same"
    }
