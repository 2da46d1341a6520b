"""A resource graph as sorted JSON-like data, so that equal stacks are equal bytes.

Marks in canonical values: `{"$json": …}` a JSON document that stands in a text, taken apart so that
one changed word shows; `{"$asset": "sha256:…"}` a file, by content and never by path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mlops_iac.graph.model import Resource, ResourceGraph, Typed, is_default_provider
from mlops_iac.graph.order import topological
from mlops_iac.graph.redact import (
    Hide,
    read_document,
    redact,
    redact_properties,
    without_digests,
)
from mlops_iac.values import Asset, Secret, Unknown, Value

JSON: Final = "$json"
ASSET: Final = "$asset"
UNKNOWN_TEXT: Final = "[unknown]"
_PLAIN: Final = frozenset({bool, int, type(None)})


@dataclass(frozen=True, slots=True)
class CanonicalResource(Typed):
    """One resource: `inputs` as the module says; `options` only those that are not at default."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CanonicalGraph:
    """One stack: resources in topological order, then by URN."""

    project: str
    stack: str
    resources: tuple[CanonicalResource, ...]
    outputs: Mapping[str, Any] = field(default_factory=dict)


def canonical(graph: ResourceGraph, *, hide: Hide | None = None) -> CanonicalGraph:
    """The canonical form, without secrets.

    `hide` says what stands for what is hidden, by default nothing that tells it apart.
    """
    return CanonicalGraph(
        project=graph.project,
        stack=graph.stack,
        resources=tuple(_resource(each, hide) for each in in_order(graph.resources)),
        outputs=canonical_value(redact(dict(graph.outputs), hide=hide)),
    )


def canonical_value(value: Value) -> Any:
    """`value` with sorted keys, whole numbers as int, nulls left out of mappings, marks set."""
    # The commonest first: a stack has thousands of them.
    kind = type(value)
    if kind is dict:
        return {
            str(key): canonical_value(value[key])
            for key in sorted(value, key=str)
            if value[key] is not None
        }
    if kind in _PLAIN:
        return value
    match value:
        case str():
            document = read_document(value)
            return value if document is None else {JSON: canonical_value(document)}
        case int():
            return value
        case float():
            return int(value) if value.is_integer() else value
        case Mapping():
            return canonical_value(dict(value))
        case list() | tuple():
            return [canonical_value(item) for item in value]
        case Asset():
            return {ASSET: f"sha256:{value.hash}"}
        case Unknown():
            return UNKNOWN_TEXT
        case Secret():
            return canonical_value(redact(value))
        case _:
            raise TypeError(f"{type(value).__name__} is no property value")


def unwrapped(value: Any) -> Any:
    """A canonical value without marks and digests of what is hidden, to be shown."""
    match value:
        case str():
            return without_digests(value)
        case {"$json": document} if len(value) == 1:
            return unwrapped(document)
        case {"$asset": digest} if len(value) == 1:
            return digest
        case dict():
            return {key: unwrapped(item) for key, item in value.items()}
        case list():
            return [unwrapped(item) for item in value]
        case _:
            return value


def walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value in a canonical one, itself included, with its path."""
    yield path, value
    match value:
        case dict():
            for key, item in value.items():
                yield from walk(item, f"{path}.{key}" if path else str(key))
        case list():
            for index, item in enumerate(value):
                yield from walk(item, f"{path}[{index}]")


def in_order(resources: Iterable[Resource]) -> list[Resource]:
    """Topological by parent, provider and dependency, and among those free to go, by URN.

    A cycle cannot be registered; should there be one, its members come last, by URN.
    """
    by_urn = {resource.urn: resource for resource in resources}
    needs = {
        urn: (each.parent, each.provider.rpartition("::")[0], *each.dependencies)
        for urn, each in by_urn.items()
    }
    return [by_urn[urn] for urn in topological(needs)]


def _resource(resource: Resource, hide: Hide | None) -> CanonicalResource:
    inputs = redact_properties(
        resource.type,
        dict(resource.inputs),
        secret_outputs=resource.additional_secret_outputs,
        hide=hide,
    )
    return CanonicalResource(
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        custom=resource.custom,
        parent=resource.parent,
        inputs=canonical_value(inputs),
        dependencies=tuple(sorted(set(resource.dependencies))),
        options=_options(resource),
    )


def _options(resource: Resource) -> dict[str, Any]:
    options: dict[str, Any] = {
        "additionalSecretOutputs": sorted(resource.additional_secret_outputs),
        "aliases": sorted(resource.aliases),
        "deleteBeforeReplace": resource.delete_before_replace,
        "deletedWith": resource.deleted_with,
        "ignoreChanges": sorted(resource.ignore_changes),
        "protect": resource.protect,
        # The default provider's URN carries its version, which stands in the lock's head already.
        "provider": ""
        if is_default_provider(resource.provider)
        else resource.provider.rsplit("::", 1)[0],
        "replaceOnChanges": sorted(resource.replace_on_changes),
        "retainOnDelete": resource.retain_on_delete,
    }
    return {key: value for key, value in options.items() if value not in (None, False, "", [])}
