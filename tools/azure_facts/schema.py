"""Property names and types of resources, read from the installed pulumi-azure-native.

A spec is a word (`string`, `bool`, `int`, `number`, `any`), `[spec]` a list, or an object with one of
`map`, `ref` (a nested type), `enum`, `oneOf` (nested types, told apart by the property `by`). What is
required ends in `!`. Nested types and enums stand once in the file of their module.
"""

from __future__ import annotations

import collections.abc
import enum
import importlib
import inspect
import re
import sys
import types
import typing
from typing import Any

import pulumi

PACKAGE = "pulumi_azure_native"
_SIMPLE = {str: "string", bool: "bool", int: "int", float: "number", Any: "any"}
# What an Args class sets whatever it is given: the value that tells it from others.
_CONSTANT = re.compile(r'pulumi\.set\(__self__, "(\w+)", \'([^\']+)\'\)')

# Enums that the SDK has of another service of the same name.
# Source: bicep types of Microsoft.Insights/scheduledQueryRules, `Condition`.
_OTHERWISE = {
    ("pulumi_azure_native.monitor._enums", "ConditionOperator"): [
        *("Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"),
        "GreaterOrLessThan",
    ],
}


class Module:
    """The schema of one module's resources, with the nested types that they need."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._module = importlib.import_module(f"{PACKAGE}.{name}")
        self.types: dict[str, Any] = {}
        self.enums: dict[str, list[str]] = {}

    def resource(self, short: str) -> dict[str, Any]:
        """Inputs, and the outputs that are no inputs, of one resource."""
        # `InitArgs` where a nested type took the shorter name.
        leaf = sys.modules[getattr(self._module, short).__module__]
        args = getattr(leaf, f"{short}InitArgs", None) or getattr(leaf, f"{short}Args")
        inputs = self._fields(args)
        known = {name.removesuffix("!") for name in inputs}
        outputs = {
            name: spec
            for name, spec in self._outputs(getattr(self._module, short)).items()
            if name not in known
        }
        return {"inputs": inputs, "outputs": outputs}

    def api_version(self, short: str) -> str:
        """The version of the REST API that the SDK says it uses."""
        found = re.search(
            r"Uses Azure REST API version ([\w-]+)",
            inspect.getsource(getattr(self._module, short)),
        )
        if found is None:
            raise SystemExit(f"no API version stands in {self.name}.{short}")
        return found[1]

    def _fields(self, cls: type) -> dict[str, Any]:
        signature = inspect.signature(cls.__init__)
        found = {}
        for name, (wire, hint) in sorted(_wire_names(cls).items()):
            parameter = signature.parameters.get(name)
            needed = parameter is not None and parameter.default is inspect.Parameter.empty
            found[f"{wire}!" if needed else wire] = self._spec(hint, f"{cls.__name__}.{wire}")
        return found

    def _outputs(self, cls: type) -> dict[str, Any]:
        """Of an output only its outermost kind is told: nobody writes one."""
        kinds = {name: _kind(hint) for name, hint in dict(_wire_names(cls).values()).items()}
        return dict(sorted(kinds.items()))

    def _spec(self, hint: Any, place: str) -> Any:
        origin = typing.get_origin(hint)
        if origin in (typing.Union, types.UnionType):
            return self._union([each for each in typing.get_args(hint) if not _lifted(each)], place)
        if origin in (collections.abc.Sequence, list):
            return [self._spec(typing.get_args(hint)[0], place)]
        if origin in (collections.abc.Mapping, dict):
            return {"map": self._spec(typing.get_args(hint)[1], place)}
        if hint in _SIMPLE:
            return _SIMPLE[hint]
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            said = [str(each.value) for each in hint]
            self.enums[hint.__name__] = _OTHERWISE.get((hint.__module__, hint.__name__), said)
            return {"enum": hint.__name__}
        if isinstance(hint, type) and hint.__name__.endswith("Args"):
            return {"ref": self._nested(hint)}
        raise SystemExit(f"no schema for {hint!r} at {place}")

    def _union(self, members: list[Any], place: str) -> Any:
        specs = [self._spec(each, place) for each in members]
        if len(specs) == 1:
            return specs[0]
        # An open enum: the SDK takes any text, too.
        if closed := [each for each in specs if isinstance(each, dict) and "enum" in each]:
            return closed[0]
        names = [each["ref"] for each in specs if isinstance(each, dict) and "ref" in each]
        if len(names) != len(specs):
            raise SystemExit(f"no schema for a union of {specs} at {place}")
        shared = [set(self.types[name].get("constants", {})) for name in names]
        by = sorted(set.intersection(*shared))
        if len(by) != 1:
            raise SystemExit(f"nothing tells {names} apart at {place}")
        return {"oneOf": names, "by": by[0]}

    def _nested(self, cls: type) -> str:
        name = cls.__name__.removesuffix("Args")
        if name not in self.types:
            self.types[name] = {}  # it may hold itself
            wires = {python: wire for python, (wire, _) in _wire_names(cls).items()}
            constants = {
                wires[python]: value
                for python, value in _CONSTANT.findall(inspect.getsource(cls.__init__))
                if f"if {python} is None" not in inspect.getsource(cls.__init__)
            }
            if constants:
                self.types[name]["constants"] = constants
            self.types[name]["fields"] = self._fields(cls)
        return name


def _wire_names(cls: type) -> dict[str, tuple[str, Any]]:
    """Python name → (Pulumi's name, type), of an Args class or a resource, from its getters."""
    found = {}
    for name, member in vars(cls).items():
        if isinstance(member, property) and member.fget is not None:
            scope = vars(sys.modules[cls.__module__])
            hints = typing.get_type_hints(member.fget, scope, {"Output": pulumi.Output, "T": Any})
            found[name] = (getattr(member.fget, "_pulumi_name", name), hints["return"])
    return found


def _lifted(hint: Any) -> bool:
    """What every input may be besides, and absence."""
    origin = typing.get_origin(hint)
    return hint is type(None) or origin in (collections.abc.Awaitable, pulumi.Output)


def _kind(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is pulumi.Output:
        return _kind(arguments[0])
    if origin in (typing.Union, types.UnionType):
        kinds = {_kind(each) for each in arguments if each is not type(None)}
        return kinds.pop() if len(kinds) == 1 else "any"
    if origin in (collections.abc.Sequence, list):
        return "list"
    if origin in (collections.abc.Mapping, dict):
        return "map"
    return _SIMPLE.get(hint, "object")
