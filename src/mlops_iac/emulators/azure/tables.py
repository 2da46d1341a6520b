"""What is known of Azure's resource types: data's reader.

The files of `data/`, one for each module of pulumi-azure-native, are written by `tools/azure_facts`, never
by hand. A type is a row: how Pulumi names and types its properties, where ARM has them, what replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from mlops_iac.emulators.azure import kinds
from mlops_iac.emulators.common.schema import Spec

PACKAGE = "azure-native"
FOLDER = Path(__file__).parent / "data"
# What is inside of a resource, in ARM's requests and answers.
INSIDE = "properties."


@dataclass(frozen=True, slots=True)
class Row:
    """One resource type.

    `arm` is its type there and `version` the API's; `path` are the inputs that its id is made of, in order
    (`=default` is a literal). `places`: input → where a request has it, where that is not in `properties`
    (with `inside`) under its own name; `query` are inputs that stand in no body. `inputs` are specs
    (`common.schema`, and `union` besides), `outputs` the kinds of those that are no inputs. `replaces` and
    `refused`: paths whose change replaces, or is sent and refused, with who says so; `asked` is who was
    asked of all others, empty for a type of which nobody could be.
    """

    type: str
    sdk: str
    arm: str
    version: str
    path: Sequence[str]
    inside: bool
    places: Mapping[str, str]
    inputs: Mapping[str, Spec]
    outputs: Mapping[str, str]
    replaces: Mapping[str, str]
    refused: Mapping[str, str] = field(default_factory=dict)
    asked: str = ""
    query: Sequence[str] = ()

    @property
    def named(self) -> Sequence[str]:
        """The inputs in its id, but for the resource group."""
        return [each for each in self.path if not each.startswith("=")]

    @property
    def template(self) -> str:
        """Its id, with names of inputs and `subscription` in braces."""
        namespace, *segments = self.arm.split("/")
        if self.arm == kinds.GROUPS:
            return "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}"
        names = list(self.path)
        above = "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}"
        if len(names) > len(segments):  # it extends another resource
            above = f"{{{names.pop(0)}}}"
        parts = [
            f"{kind}/{name[1:] if name.startswith('=') else f'{{{name}}}'}"
            for kind, name in zip(segments, names, strict=True)
        ]
        return "/".join((above, "providers", namespace, *parts))


@cache
def row(type_: str) -> Row | None:
    """What is known of a type token; None for one that is not Azure's, or not known."""
    package, _, rest = type_.partition(":")
    name, _, short = rest.partition(":")
    module = _modules().get(name) if package == PACKAGE else None
    return module.row(short) if module else None


@cache
def row_of(arm: str) -> Row | None:
    """The same, by ARM's name of the type in any case."""
    token = _by_arm().get(arm.lower())
    return row(token) if token else None


def types() -> list[str]:
    """Every type, by token."""
    return sorted(_by_arm().values())


@cache
def _by_arm() -> Mapping[str, str]:
    return {
        told["arm"].lower(): f"{PACKAGE}:{name}:{short}"
        for name, module in _modules().items()
        for short, told in module.raw["resources"].items()
    }


@cache
def _modules() -> Mapping[str, _Module]:
    return {path.stem: _Module(path) for path in sorted(FOLDER.glob("*.json"))}


class _Module:
    """One file, read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._types: dict[str, dict[str, Any]] = {}

    @cached_property
    def raw(self) -> Any:
        return json.loads(self._path.read_text(encoding="utf-8"))

    def row(self, short: str) -> Row | None:
        told = self.raw["resources"].get(short)
        if told is None:
            return None
        inputs = self._fields(told["inputs"])
        type_ = f"{PACKAGE}:{self._path.stem}:{short}"
        return Row(**{**told, "type": type_, "sdk": self.raw["sdk"], "inputs": inputs})

    def _fields(self, raw: Mapping[str, Any]) -> dict[str, Spec]:
        return {
            name.removesuffix("!"): {**self._spec(spec), "required": True}
            if name.endswith("!")
            else self._spec(spec)
            for name, spec in raw.items()
        }

    def _spec(self, raw: Any) -> Spec:
        match raw:
            case str():
                return {"type": raw}
            case [items]:
                return {"type": "list", "items": self._spec(items)}
            case {"map": items}:
                return {"type": "map", "items": self._spec(items)}
            case {"enum": name}:
                return {"type": "string", "values": self.raw["enums"][name]}
            case {"ref": name}:
                return self._nested(name)
            case {"oneOf": names, "by": by}:
                told = {self.raw["types"][name]["constants"][by]: name for name in names}
                options = {constant: self._nested(name) for constant, name in told.items()}
                return {"type": "union", "by": by, "options": options}
        raise ValueError(f"{self._path.name}: {raw} is no spec")

    def _nested(self, name: str) -> Spec:
        if name not in self._types:
            told = self.raw["types"][name]
            # Known before its fields are: it may hold itself.
            made = self._types[name] = {
                "type": "object",
                "places": told.get("places", {}),
                "keys": told.get("keys", ()),
            }
            made["fields"] = self._fields(told["fields"])
        return self._types[name]
