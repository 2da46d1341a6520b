"""What component calls are called in Python, and which of them need which."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Sequence

from mlops_iac.clouds.base import ComponentCall, Ref, within

_RESERVED = {"pulumi", "settings", "stack", "overrides", "Path", "Settings", "Overrides"}


def references(call: ComponentCall) -> set[str]:
    """The variables that a call needs."""
    return {ref.variable for ref in within(call.args) if isinstance(ref, Ref)} | set(
        call.depends_on
    )


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
