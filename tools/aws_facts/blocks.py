"""A provider's schema as plain Python, and values that fit it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Schema.NestedBlock.NestingMode of the protocol.
_NESTINGS = {1: "single", 2: "list", 3: "set", 4: "map", 5: "single"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """`type` is cty's JSON: "string", ["set", "string"], ["list", ["object", {…}]]."""

    name: str
    type: Any
    required: bool
    optional: bool
    computed: bool
    sensitive: bool

    @property
    def input(self) -> bool:
        """Whether a configuration may set it."""
        return self.required or self.optional


@dataclass(frozen=True, slots=True)
class Nested:
    """A nested block."""

    name: str
    nesting: str
    min_items: int
    max_items: int
    block: Block


@dataclass(frozen=True, slots=True)
class Block:
    """Attributes and nested blocks by name."""

    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    blocks: Mapping[str, Nested] = field(default_factory=dict)


Path = tuple[str, ...]


def read_block(message: Any) -> Block:
    """A block from the protocol's message."""
    return Block(
        {
            a.name: Attribute(
                a.name, json.loads(a.type), a.required, a.optional, a.computed, a.sensitive
            )
            for a in message.attributes
        },
        {
            b.type_name: Nested(
                b.type_name, _NESTINGS[b.nesting], b.min_items, b.max_items, read_block(b.block)
            )
            for b in message.block_types
        },
    )


def absent(block: Block) -> dict[str, Any]:
    """The value of a block in which nothing is set."""
    value: dict[str, Any] = dict.fromkeys(block.attributes)
    for name, nested in block.blocks.items():
        value[name] = None if nested.nesting == "single" else {} if nested.nesting == "map" else []
    return value


def sample(type_: Any, which: int) -> Any:
    """One of two different values of a cty type; `which` is 0 or 1."""
    match type_:
        case "string":
            return ("first", "second")[which]
        case "number":
            return (1, 2)[which]
        case "bool":
            return bool(which)
        case ["list" | "set", inner]:
            return [sample(inner, which)]
        case ["map", inner]:
            return {"key": sample(inner, which)}
        case ["object", members, *_]:
            return {name: sample(inner, which) for name, inner in members.items()}
    raise ValueError(f"no sample for the type {type_!r}")


class Samples:
    """Values to probe with: given ones by Terraform path (`rule.filter.prefix`), else any."""

    def __init__(self, given: Mapping[str, Sequence[Any]]) -> None:
        self._given = given

    def of(self, path: Path, attribute: Attribute, which: int) -> Any:
        """One of two different values of the attribute at `path`."""
        given = self._given.get(".".join(path))
        return given[which] if given else sample(attribute.type, which)

    def element(self, block: Block, path: Path, nothing_required: bool = True) -> dict[str, Any]:
        """A nested block's least value: what is required, else the first thing that can be set."""
        value = absent(block)
        for attribute in block.attributes.values():
            here = (*path, attribute.name)
            if attribute.required or ".".join(here) in self._given:
                value[attribute.name] = self.of(here, attribute, 1)
        for name, nested in block.blocks.items():
            if nested.min_items:
                value[name] = wrap(nested, self.element(nested.block, (*path, name)))
        if nothing_required and value == absent(block):
            for attribute in block.attributes.values():
                if attribute.input:
                    value[attribute.name] = self.of((*path, attribute.name), attribute, 1)
                    return value
            for name, nested in block.blocks.items():
                value[name] = wrap(nested, self.element(nested.block, (*path, name)))
                return value
        return value

    def varied(self, block: Block, path: Path, one: Mapping[str, Any]) -> dict[str, Any]:
        """`one` with its first settable attribute changed, so that both can be in one set."""
        other = copy.deepcopy(dict(one))
        for name, attribute in block.attributes.items():
            if attribute.input:
                other[name] = self.of((*path, name), attribute, 0)
                if other != one:
                    return other
        for name, nested in block.blocks.items():
            inner = (*path, name)
            other[name] = wrap(
                nested, self.varied(nested.block, inner, self.element(nested.block, inner))
            )
            return other
        return other

    def put(self, block: Block, value: dict[str, Any], path: Path, item: Any) -> None:
        """Set the property at `path` inside `value`."""
        self.inside(block, value, path[:-1])[path[-1]] = item

    def inside(
        self, block: Block, value: dict[str, Any], path: Path, above: Path = ()
    ) -> dict[str, Any]:
        """The block at `path` inside `value`, made with the least element of each above it."""
        if not path:
            return value
        nested, here = block.blocks[path[0]], (*above, path[0])
        current = value[path[0]]
        if not current:
            least = self.element(nested.block, here, nothing_required=False)
            current = value[path[0]] = wrap(nested, least)
        first = current if nested.nesting == "single" else current[0]
        return self.inside(nested.block, first, path[1:], here)


def wrap(nested: Nested, *elements: Any) -> Any:
    """Elements as the nesting mode holds them."""
    if nested.nesting == "single":
        return elements[0] if elements else None
    return list(elements)


def walk(block: Block, prefix: Path = ()) -> Iterator[tuple[Path, Attribute | Nested]]:
    """Every attribute and nested block with its path, outermost first."""
    for attribute in block.attributes.values():
        yield (*prefix, attribute.name), attribute
    for nested in block.blocks.values():
        yield (*prefix, nested.name), nested
        yield from walk(nested.block, (*prefix, nested.name))


def proposed(
    block: Block, prior: Mapping[str, Any] | None, config: Mapping[str, Any]
) -> dict[str, Any]:
    """Core's proposed new state: the configuration, with prior values where it is silent.

    Source: hashicorp/terraform internal/plans/objchange ProposedNew. On creation a silent computed
    attribute is left for the provider to fill.
    """
    value: dict[str, Any] = {}
    for name, attribute in block.attributes.items():
        silent = config[name] is None and attribute.computed and prior is not None
        value[name] = prior[name] if silent and prior is not None else config[name]
    for name, nested in block.blocks.items():
        old, new = (prior or {}).get(name), config[name]
        if nested.nesting == "single":
            value[name] = None if new is None else proposed(nested.block, old, new)
        elif nested.nesting == "list":
            value[name] = [
                proposed(nested.block, old[i] if old and i < len(old) else None, item)
                for i, item in enumerate(new)
            ]
        else:
            value[name] = [
                proposed(nested.block, _counterpart(nested.block, old or (), item), item)
                for item in new
            ]
    return value


def _counterpart(block: Block, olds: Sequence[Any], new: Mapping[str, Any]) -> Any:
    for old in olds:
        if all(
            old[name] == new[name] or (new[name] is None and attribute.computed)
            for name, attribute in block.attributes.items()
        ) and all(old[name] == new[name] for name in block.blocks):
            return old
    return None
