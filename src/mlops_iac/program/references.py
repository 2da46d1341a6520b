"""What component calls are called in Python, and which of them need which."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence

from mlops_iac.clouds.base import ArgValue, ComponentCall, Construct, Ref

_RESERVED = {"pulumi", "settings", "stack", "overrides", "Path", "Settings", "Overrides"}


def references(call: ComponentCall) -> set[str]:
    """The variables that a call needs."""
    return {ref.variable for ref in _refs(dict(call.args))} | set(call.depends_on)


def _refs(value: ArgValue) -> Iterator[Ref]:
    match value:
        case Ref():
            yield value
        case Construct():
            yield from _refs(dict(value.args))
        case Mapping():
            for item in value.values():
                yield from _refs(item)
        case list() | tuple():
            for item in value:
                yield from _refs(item)


def check_order(calls: Sequence[ComponentCall]) -> None:
    """A platform that refers to what does not stand above is wrong; say so and where."""
    known: set[str] = set()
    for call in calls:
        if call.variable in known:
            raise ValueError(f"two component calls are named {call.variable!r}")
        if missing := references(call) - known:
            raise ValueError(f"{call.variable!r} refers to {sorted(missing)}, not made before it")
        known.add(call.variable)


def identifiers(variables: Sequence[str]) -> dict[str, str]:
    """A Python identifier for every variable, clear of keywords, builtins and our own names."""
    names: dict[str, str] = {}
    for variable in variables:
        name = re.sub(r"\W", "_", variable)
        if not name.isidentifier():
            name = f"_{name}"
        while (
            keyword.iskeyword(name)
            or name in _RESERVED
            or hasattr(builtins, name)
            or name in names.values()
        ):
            name += "_"
        names[variable] = name
    return names
