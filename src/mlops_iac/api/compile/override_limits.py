"""Overrides by address against the limits of templates: what a limit holds, no override undoes.

An override names a property of a resource, a limit a field of the blueprint. Which properties a
field decides is found by capturing the stack with another value there: what is different then is
what the field decides.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile.programs import captured
from mlops_iac.api.core.one_environment import OneEnvironment
from mlops_iac.blueprint.scalars import NOTHING
from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.templates.limited_fields import LimitedField, Values, limited_fields
from mlops_iac.blueprint.templates.limits import Limit
from mlops_iac.blueprint.templates.reaching import property_name
from mlops_iac.blueprint.words import join, split
from mlops_iac.clouds.software import install
from mlops_iac.errors import BlueprintInvalid, Diagnostic

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.blueprint import ResolvedBlueprint
    from mlops_iac.graph.canonical import CanonicalGraph

Property = tuple[str, str]  # address, name without case and underscores
REGION = "region"
_WIDE = (REGION, "account", "name", "platform")
"""Fields that stand in nearly every property; an override of one of them says nothing of them."""


def undone(project: BaseProject, stack: str) -> list[Diagnostic]:
    """Overrides of a stack that would undo what a template fixes or restricts."""
    resolved = project.resolve(stack)
    overrides = dict(_overrides(resolved))
    if not overrides:
        return []
    limits = project.loaded.limits_of(stack)
    found = list(_elsewhere(resolved, overrides, limits))
    narrow = [limit for limit in limits if limit.keys[0] not in ("overrides", *_WIDE)]
    held = list(limited_fields(resolved.blueprint, narrow))
    if not held:
        return found
    if find_spec("pulumi") is None:
        return [*found, _unchecked(resolved)]
    with tempfile.TemporaryDirectory() as folder:
        return [*found, *_Search(project, stack, Path(folder)).broken(overrides, held)]


def _elsewhere(
    resolved: ResolvedBlueprint, overrides: Mapping[Property, str], limits: Sequence[Limit]
) -> Iterator[Diagnostic]:
    """Overrides that put a resource into a region of its own, which any can have."""
    for limit in limits:
        for (_, name), path in overrides.items():
            if limit.keys != (REGION,) or name != REGION:
                continue
            if (place := _foreign(resolved, path, limit)) is not None:
                yield _tell(resolved, path, place, limit, REGION, sure=True)


def _overrides(resolved: ResolvedBlueprint) -> Iterator[tuple[Property, str]]:
    for address, properties in resolved.blueprint.overrides.items():
        for name in properties:
            path = join(join("overrides", address), name)
            yield (address, property_name(name)), path


class _Search:
    """Captures of one stack without its overrides."""

    def __init__(self, project: BaseProject, stack: str, folder: Path) -> None:
        self._project = project
        self._stack = stack
        self._folder = folder
        self._runs = 0
        self._as_it_is = self._capture({})

    def broken(
        self, overrides: Mapping[Property, str], held: Sequence[LimitedField]
    ) -> Iterator[Diagnostic]:
        """Each override that reaches what a limit holds."""
        together = self._decided({path: it for one in held for path, it in one.others[0].items()})
        if together is not NOTHING and not together & overrides.keys():
            return  # the usual case: one capture tells that none of them is touched
        resolved = self._project.resolve(self._stack)
        for one in held:
            decided = self._decided_by(one)
            for key, path in overrides.items():
                if decided is NOTHING and not one.is_set:
                    continue  # the field is not there, and no value of it is known
                if decided is not NOTHING and key not in decided:
                    continue
                if (place := _foreign(resolved, path, one.limit)) is not None:
                    sure = decided is not NOTHING
                    yield _tell(resolved, path, place, one.limit, one.path, sure=sure)

    def _decided_by(self, one: LimitedField) -> Any:
        for other in one.others:
            decided = self._decided(other)
            if decided is not NOTHING:
                return decided
        return NOTHING

    def _decided(self, values: Values) -> Any:
        """The properties that differ with these values; NOTHING where they cannot be."""
        try:
            graph = self._capture(values)
        except BlueprintInvalid:
            return NOTHING
        return _different(self._as_it_is, graph)

    def _capture(self, values: Values) -> CanonicalGraph:
        from mlops_iac.blueprint.varied import varied

        self._runs += 1
        keys = {tuple(split(path)): value for path, value in values.items()}
        resolved = varied(self._project.loaded, self._stack, {("overrides",): None, **keys})
        alone = OneEnvironment(self._project, self._project.loaded, resolved)
        return captured(alone, self._stack, self._folder / str(self._runs))


def _foreign(resolved: ResolvedBlueprint, path: str, limit: Limit) -> Node | None:
    """What somebody else than the template that limits a field says of an override, if anything.

    A template may override what it decides itself, as long as all of it is its own.
    """
    own = f"template {limit.label}"
    for key, layer in resolved.said_below(path):
        if layer != own and not layer.startswith(f"{own}, "):
            return key
    return None


def _tell(
    resolved: ResolvedBlueprint, path: str, place: Node, limit: Limit, field: str, *, sure: bool
) -> Diagnostic:
    shown = f"environments.{resolved.environment}.{field}" if limit.environment else field
    words = limit.words()
    what = f"fixes to {words.removeprefix('fixed to ')}"
    if limit.fixed is None:
        what = f"limits to {words}"
    would = "would undo" if sure else "may undo"
    message = f"{path} {would} {shown}, which {limit.source} {what}: {limit.spec.because}"
    hint = "remove the override; the template's owner can allow it"
    return problem(place, "locked", message, path=path, hint=hint)


def _different(old: CanonicalGraph, new: CanonicalGraph) -> set[Property]:

    before = {each.urn: each for each in old.resources}
    after = {each.urn: each for each in new.resources}
    found: set[Property] = set()
    for urn in before.keys() | after.keys():
        one, other = before.get(urn), after.get(urn)
        some = one or other
        assert some is not None
        was = dict(one.inputs) if one else {}
        now = dict(other.inputs) if other else {}
        address = some.address
        for name in was.keys() | now.keys():
            if was.get(name) != now.get(name):
                found.add((address, property_name(name)))
    return found


def _unchecked(resolved: ResolvedBlueprint) -> Diagnostic:
    return resolved.diagnostic(
        "overrides",
        "unchecked",
        "whether overrides undo what templates hold is not checked: pulumi is not installed",
        install("pulumi"),
        "warning",
        at_key=True,
    )
