"""What a rule may ask about the stack it looks at."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from mlops_iac.clouds import registry
from mlops_iac.graph.model import REFERENCE, STACK_TYPE, Resource, ResourceGraph
from mlops_iac.graph.redact import parse_document
from mlops_iac.values import UNKNOWN, Secret, Unknown, contains_secret, leaves

if TYPE_CHECKING:
    from mlops_iac.blueprint import ResolvedBlueprint

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """One stack, as captured or as a state or the real engine has it.

    `production`: the stack serves in earnest; `protected`: it is no `local` and says so itself.
    `accounts` are those that belong to the project.
    `paths` maps URNs to the blueprint path of their component. `blueprint` is absent where rules
    run without one (a policy pack). `parameters` are those of the rule that asks.

    A property that is not known yet is `UNKNOWN`: it counts as set, and no rule may judge it.
    """

    graph: ResourceGraph
    production: bool
    region: str = ""
    accounts: frozenset[str] = frozenset()
    paths: Mapping[str, str] = field(default_factory=dict)
    blueprint: ResolvedBlueprint | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    protected: bool = False
    # What was computed for one rule serves the next.
    _known: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What `compute` says, the same for every rule that asks for `key`."""
        if key not in self._known:
            self._known[key] = compute()
        found: T = self._known[key]
        return found

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Everything that exists in the cloud: no components, no stack."""
        return self.once("resources", self._resources)

    def _resources(self) -> tuple[Resource, ...]:
        return tuple(
            replace(each, inputs=unsealed(each.inputs)) if contains_secret(each.inputs) else each
            for each in self.graph
            if each.custom and each.type != STACK_TYPE
        )

    def of_type(self, *types: str) -> list[Resource]:
        """Resources with one of these type tokens, in the order of the graph."""
        by_type = self.once("types", self._by_type)
        return [each for type_ in types for each in by_type.get(type_, ())]

    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for each in self.resources:
            found.setdefault(each.type, []).append(each)
        return found

    @property
    def clouds(self) -> frozenset[str]:
        """The names of the clouds that its resources are of."""
        return self.once("clouds", self._clouds)

    def _clouds(self) -> frozenset[str]:
        found = (registry.cloud_of(type_) for type_ in self.once("types", self._by_type))
        return frozenset(each.name for each in found if each is not None)

    def parameter(self, name: str) -> Any:
        """What `policies.yaml` sets, or the rule's default."""
        return self.parameters[name]

    def pointing(self, types: tuple[str, ...], key: str, target: Resource) -> list[Resource]:
        """Resources of these types whose property `key` means `target`; see `means`."""
        index = self.once((types, key), lambda: self._index(types, key))
        found: dict[str, Resource] = {}
        for name in (target.urn, target.address, *self._names(target)):
            found.update((each.urn, each) for each in index.get(name, ()))
        return list(found.values())

    def _index(self, types: tuple[str, ...], key: str) -> dict[str, list[Resource]]:
        """Resources by what their property names: URNs, addresses and names of others."""
        found: dict[str, list[Resource]] = {}
        for each in self.of_type(*types):
            said = set(each.property_dependencies.get(key, ()))
            for text in texts(each.inputs.get(key)):
                said.add(text)
                if match := REFERENCE.match(text):
                    said.add(match[1])
            for name in said:
                found.setdefault(name, []).append(each)
        return found

    def means(self, resource: Resource, key: str, target: Resource) -> bool:
        """Whether a property refers to `target`: by dependency, by reference, or by its name."""
        if target.urn in resource.property_dependencies.get(key, ()):
            return True
        return any(self.is_name_of(text, target) for text in texts(resource.inputs.get(key)))

    def is_name_of(self, text: str, target: Resource) -> bool:
        """Whether `text` identifies `target`."""
        return text in self._names(target) or text.startswith(f"${{{target.address}.")

    def _names(self, target: Resource) -> set[str]:
        cloud = registry.cloud_of(target.type)
        keys = ("id", *cloud.knowledge.identities) if cloud else ("id",)
        found = {target.id}
        for properties in (target.inputs, target.outputs):
            for key in keys:
                if isinstance(value := properties.get(key), str):
                    found.add(value)
        found.discard("")
        return found

    def path_of(self, resource: Resource, *below: str) -> str:
        """The blueprint path of the resource's component, and what is below it; empty: unknown."""
        path = self.paths.get(resource.urn, "")
        return ".".join((path, *below)) if path else ""


def unsealed(value: Any) -> Any:
    """A value in which rules can look around without reading secrets.

    The structure of what is secret as a whole, and documents of policies, are open: a wildcard is
    no secret. Every other secret text or number is UNKNOWN.
    """
    match value:
        case Secret(str() as text) if parse_document(text) is not None:
            return text
        case Secret(Mapping() as inner) | Secret(list() as inner) | Secret(tuple() as inner):
            return unsealed(
                {key: Secret(each) for key, each in inner.items()}
                if isinstance(inner, Mapping)
                else [Secret(each) for each in inner]
            )
        case Secret(Secret() as inner):
            return unsealed(inner)
        case Secret():
            return UNKNOWN
        case Mapping():
            return {key: unsealed(each) for key, each in value.items()}
        case list() | tuple():
            return [unsealed(each) for each in value]
        case _:
            return value


def is_set(value: Any) -> bool:
    """Whether something is given; what is not known yet is."""
    return value is not None and value not in ("", False) and value != [] and value != {}


def is_known(value: Any) -> bool:
    """Whether a value can be judged."""
    return not isinstance(value, Unknown)


def at(value: Any, *keys: str | int) -> Any:
    """The value at a path; None where it leads nowhere, UNKNOWN where it leads into one.

    A single object and a list of one are the same to providers: a number on an object is itself.
    """
    for key in keys:
        if isinstance(value, Unknown):
            return value
        if isinstance(key, int):
            if isinstance(value, list | tuple):
                value = value[key] if key < len(value) else None
        else:
            if isinstance(value, list | tuple) and len(value) == 1:
                value = value[0]
            if isinstance(value, Unknown):
                return value
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def items(value: Any) -> list[Any]:
    """A list's entries; one thing alone is a list of itself, nothing and UNKNOWN are none."""
    if isinstance(value, list | tuple):
        return [each for each in value if not isinstance(each, Unknown)]
    return [] if value is None or isinstance(value, Unknown) else [value]


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, at any depth."""
    return (leaf for leaf in leaves(value) if isinstance(leaf, str))


def named_values(value: Any) -> Iterator[tuple[str, Any]]:
    """Every (key, value) of every mapping in a value, at any depth, JSON documents included."""
    match value:
        case Secret(inner):
            yield from named_values(inner)
        case str():
            if (document := parse_document(value)) is not None:
                yield from named_values(document)
        case Mapping():
            for key, each in value.items():
                yield str(key), each
                yield from named_values(each)
        case list() | tuple():
            for each in value:
                yield from named_values(each)
        case _:
            return
