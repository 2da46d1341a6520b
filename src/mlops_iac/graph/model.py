"""A captured resource and the graph of them, as every engine and capture produces them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mlops_iac.values import Properties

STACK_TYPE = "pulumi:pulumi:Stack"
# What the type of a provider resource begins with; its package follows.
PROVIDER_TYPE = "pulumi:providers:"


class Typed:
    """What has a type token and a logical name: a resource in whatever form, or a step on one."""

    __slots__ = ()

    # The type token (`package:module:Type`), the logical name, and false for components.
    type: str
    name: str
    custom: bool

    @property
    def address(self) -> str:
        """The name a person uses: `module.Type/name`.

        Used by `--target`, `overrides`, and everything that prints a resource. Unique within a stack,
        because Pulumi demands unique names per type under one parent and components prefix children.
        """
        return address_of(self.type, self.name)

    @property
    def package(self) -> str:
        """The provider package, what a type token begins with."""
        return self.type.split(":", 1)[0]

    @property
    def in_cloud(self) -> bool:
        """Whether it is a thing in a cloud: no component, no provider, not the stack itself."""
        return self.custom and not self.type.startswith("pulumi:")


@dataclass(frozen=True, slots=True)
class Resource(Typed):
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


def name_of(urn: str) -> str:
    """The logical name in a URN."""
    return urn.split("::", 3)[3]


def address_of_urn(urn: str) -> str:
    """The name a person uses; the text itself where it is no URN."""
    parts = urn.split("::", 3)
    type_ = parts[2].split("$")[-1] if len(parts) == 4 else ""
    return address_of(type_, parts[3]) if type_.count(":") == 2 else urn


_DEFAULT = re.compile(rf"::{PROVIDER_TYPE}[^:]+::default(_\d[^:]*)?(::|\Z)")


def is_default_provider(reference: str) -> bool:
    """Whether a URN, alone or with an id behind it, is that of a package's default provider."""
    return _DEFAULT.search(reference) is not None
