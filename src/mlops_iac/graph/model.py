"""A captured resource and the graph of them, as every engine and capture produces them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mlops_iac.values import Properties

STACK_TYPE = "pulumi:pulumi:Stack"
# What the type of a provider resource begins with; its package follows.
PROVIDER_TYPE = "pulumi:providers:"


@dataclass(frozen=True, slots=True)
class Resource:
    """One registration, exactly as the program made it.

    `type` is the token (`package:module:Type`). `inputs` keys are camelCase.
    `dependencies` and the values of `property_dependencies` are URNs.
    `outputs` of components and of the stack are those registered; of custom resources those the
    capture answered with.
    """

    urn: str
    type: str
    name: str
    custom: bool
    parent: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    id: str = ""
    provider: str = ""
    dependencies: Sequence[str] = ()
    property_dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool | None = None
    ignore_changes: Sequence[str] = ()
    replace_on_changes: Sequence[str] = ()
    additional_secret_outputs: Sequence[str] = ()
    aliases: Sequence[str] = ()
    deleted_with: str = ""
    # True: validated and recorded, because the emulator lacks the operation.
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class ResourceGraph:
    """All resources of one stack, sorted topologically and then by URN."""

    project: str
    stack: str
    resources: tuple[Resource, ...]
    outputs: Properties = field(default_factory=dict)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def by_urn(self) -> dict[str, Resource]:
        """Resources by URN."""
        return {resource.urn: resource for resource in self.resources}

    def of_type(self, type_: str) -> list[Resource]:
        """Resources with that type token."""
        return [resource for resource in self.resources if resource.type == type_]


def address(resource: Resource) -> str:
    """The name a person uses for a resource: `module.Type/name`.

    Used by `--target`, `overrides`, and everything that prints a resource. Unique within a stack,
    because Pulumi demands unique names per type under one parent and components prefix children.
    """
    return address_of(resource.type, resource.name)


def outermost(resource: Resource, by_urn: Mapping[str, Resource]) -> Resource:
    """The outermost component that a resource stands in, or itself."""
    while resource.parent in by_urn and by_urn[resource.parent].type != STACK_TYPE:
        resource = by_urn[resource.parent]
    return resource


# As captures write what only a deployment computes: `${module.Type/name.id}`; the address.
REFERENCE = re.compile(r"\$\{([^${}]+)\.[A-Za-z0-9_]+\}")


def address_of(type_: str, name: str) -> str:
    """The address for a type token and a logical name."""
    package, module, short = type_.split(":", 2)
    module = module.split("/")[0]
    head = package if module in ("", "index") else module
    return f"{head}.{short}/{name}"


_DEFAULT = re.compile(rf"::{PROVIDER_TYPE}[^:]+::default(_\d[^:]*)?(::|\Z)")


def is_default_provider(reference: str) -> bool:
    """Whether a URN, alone or with an id behind it, is that of a package's default provider."""
    return _DEFAULT.search(reference) is not None
