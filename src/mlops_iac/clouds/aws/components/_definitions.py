"""Definition files and their named placeholders: `${execution_role_arn}`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

_PLACEHOLDER = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


def placeholders(definition: str) -> frozenset[str]:
    """The names of the placeholders in `definition`."""
    return frozenset(_PLACEHOLDER.findall(definition))


def fill(
    definition: str,
    values: Mapping[str, pulumi.Input[str]],
    lists: Mapping[str, Sequence[pulumi.Input[str]]] | None = None,
) -> pulumi.Output[str]:
    """A JSON definition with its placeholders filled, escaped for the strings they stand in.

    A placeholder of `lists` is a string of its own in a JSON array, and becomes the array's
    entries. Values that the definition does not name are left unused. Raises ValueError for a
    placeholder that has no value, or a list's inside a longer text, before anything is deployed.
    """
    several = lists or {}
    names = sorted(placeholders(definition))
    missing = [name for name in names if name not in values and name not in several]
    if missing:
        raise ValueError(f"the definition's placeholders {', '.join(missing)} have no value")
    inside = [
        name
        for name in names
        if name in several
        and definition.count(f'"${{{name}}}"') != definition.count(f"${{{name}}}")
    ]
    if inside:
        raise ValueError(f"the definition's {', '.join(inside)} are lists and stand inside a text")

    def replace(known: Mapping[str, Any]) -> str:
        text = definition
        for name in names:
            if name in several:
                entries = ", ".join(json.dumps(each) for each in known[name])
                text = text.replace(f'"${{{name}}}"', entries)
        return _PLACEHOLDER.sub(lambda match: json.dumps(known[match[1]])[1:-1], text)

    given = {**values, **{name: list(each) for name, each in several.items()}}
    return pulumi.Output.all(**{name: given[name] for name in names}).apply(replace)
