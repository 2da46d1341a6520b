"""Pulumi's names for the provider's properties, read from the installed SDK's own types.

Source of the rules: pulumi-terraform-bridge, pkg/tfbridge/names.go: camelCase; lists and sets in
the plural; a block of at most one flattened into an object, its name in the singular. The SDK has
the result, so a rule only proposes candidates: exactly one must exist there, or the name stands in
`overrides.json`. Anything else stops the generator.
"""

from __future__ import annotations

import importlib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import _types as sdk_types  # the SDK has no public way to read an args class

from .blocks import Attribute, Block, Nested, Path


class Unmapped(Exception):
    """Properties that no rule maps to exactly one name of the SDK."""


@dataclass(frozen=True, slots=True)
class SdkProperty:
    """`shape` is scalar, list, map, object or asset; `scalar` the Python type of a scalar."""

    name: str
    shape: str
    scalar: str
    args: type | None


def resource_class(token: str) -> Any:
    """The SDK's class for `aws:sagemaker/endpoint:Endpoint`."""
    _, module, short = token.split(":")
    folder = module.split("/")[0]
    folder = {"lambda": "lambda_"}.get(folder, folder)
    return getattr(importlib.import_module(f"pulumi_aws.{folder}"), short)


def inputs_of(token: str) -> Mapping[str, SdkProperty]:
    """Top-level inputs by Pulumi name."""
    cls = resource_class(token)
    module = importlib.import_module(cls.__module__)
    # `InitArgs` where a nested block's class already has the name.
    args = getattr(module, f"{cls.__name__}InitArgs", None)
    return properties(args or getattr(module, f"{cls.__name__}Args"))


def output_names(token: str) -> set[str]:
    """Top-level outputs by Pulumi name, inputs among them."""
    return set(sdk_types.resource_types(resource_class(token)))


def properties(args: type) -> Mapping[str, SdkProperty]:
    """Properties of an args class by Pulumi name."""
    return {name: _property(name, hint) for name, hint in sdk_types.input_type_types(args).items()}


def _property(name: str, hint: Any) -> SdkProperty:
    for option in _options(hint):
        origin = typing.get_origin(option)
        if origin is not None and issubclass(origin, Mapping):
            return SdkProperty(name, "map", "", None)
        if origin is not None:
            inner = _property(name, typing.get_args(option)[0])
            return SdkProperty(name, "list", inner.scalar, inner.args)
    for option in _options(hint):
        if issubclass(option, pulumi.Asset | pulumi.Archive):
            return SdkProperty(name, "asset", "str", None)
        if option in (str, bool, int, float):
            return SdkProperty(name, "scalar", option.__name__, None)
    for option in _options(hint):
        if sdk_types.is_input_type(option):
            return SdkProperty(name, "object", "", option)
    raise Unmapped(f"{name}: the SDK's type {hint!r} is none that is known")


def _options(hint: Any) -> list[Any]:
    """Members of a union without `Awaitable`, `Output` and the plain-dict spellings."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        members = [m for member in typing.get_args(hint) for m in _options(member)]
    else:
        members = [hint]
    kept = []
    for member in members:
        plain = typing.get_origin(member) or member
        if not isinstance(plain, type) or plain.__module__ in ("pulumi.output", "asyncio"):
            continue
        if plain.__name__ in ("Awaitable", "Future", "NoneType") or plain.__name__.endswith("Dict"):
            continue
        kept.append(member)
    return kept


@dataclass(frozen=True, slots=True)
class Mapped:
    """One property under both names; either side may be missing, never both."""

    path: Path
    tf_path: Path
    sdk: SdkProperty | None
    node: Attribute | Nested | None


def match(
    block: Block, sdk: Mapping[str, SdkProperty], renames: Mapping[str, str], gone: set[str]
) -> list[Mapped]:
    """Every input of `block` under its Pulumi path, and the SDK's that the block lacks.

    `renames` maps Terraform paths to Pulumi paths where no rule fits; `gone` are Terraform paths
    that the SDK's provider no longer has. Raises Unmapped with all that is left over.
    """
    problems: list[str] = []
    mapped = _match(block, sdk, (), (), renames, gone, problems)
    if problems:
        raise Unmapped("; ".join(problems))
    return mapped


def _match(
    block: Block,
    sdk: Mapping[str, SdkProperty],
    path: Path,
    tf_path: Path,
    renames: Mapping[str, str],
    gone: set[str],
    problems: list[str],
) -> list[Mapped]:
    mapped: list[Mapped] = []
    left = dict(sdk)
    nodes: dict[str, Attribute | Nested] = {
        **{name: a for name, a in block.attributes.items() if a.input},
        **block.blocks,
    }
    if not tf_path:
        for name in ("id", "tags_all", "timeouts"):
            nodes.pop(name, None)
    for name, node in nodes.items():
        here = ".".join((*tf_path, name))
        if here in gone:
            continue
        if here in renames:
            candidates = [renames[here].rpartition(".")[2]]
        else:
            candidates = _candidates(name, node)
        found = [candidate for candidate in candidates if candidate in left]
        if len(found) != 1:
            problems.append(f"{here}: {found or 'none'} of {candidates} in the SDK")
            continue
        one = left.pop(found[0])
        mapped.append(Mapped((*path, one.name), (*tf_path, name), one, node))
        if isinstance(node, Nested):
            if one.args is None:
                problems.append(f"{here}: a block, but the SDK's {one.name} has no members")
                continue
            mapped += _match(
                node.block,
                properties(one.args),
                (*path, one.name),
                (*tf_path, name),
                renames,
                gone,
                problems,
            )
    for one in left.values():
        mapped += _only_sdk(one, path)
    return mapped


def _only_sdk(one: SdkProperty, path: Path) -> list[Mapped]:
    here = (*path, one.name)
    mapped = [Mapped(here, (), one, None)]
    if one.args is not None and len(here) < 12:
        for inner in properties(one.args).values():
            mapped += _only_sdk(inner, here)
    return mapped


def camel(name: str) -> str:
    """`instance_type` → `instanceType`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _candidates(name: str, node: Attribute | Nested) -> list[str]:
    base = camel(name)
    several = isinstance(node, Nested) or (
        isinstance(node.type, list) and node.type[0] in ("list", "set")
    )
    if not several:
        return [base]
    options = [base, base + "s", base + "es"]
    if base.endswith("y"):
        options.append(base[:-1] + "ies")
    if base.endswith("ies"):
        options.append(base[:-3] + "y")
    if base.endswith("s"):
        options.append(base[:-1])
    return options
