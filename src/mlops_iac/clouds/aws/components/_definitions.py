"""Definition files and their named placeholders: `${execution_role_arn}`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pulumi

_PLACEHOLDER = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


def placeholders(definition: str) -> frozenset[str]:
    """The names of the placeholders in `definition`."""
    return frozenset(_PLACEHOLDER.findall(definition))


def fill(definition: str, values: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    """A JSON definition with its placeholders filled, escaped for the strings they stand in.

    Values that the definition does not name are left unused. Raises ValueError for a placeholder
    that has no value, before anything is deployed.
    """
    names = sorted(placeholders(definition))
    missing = [name for name in names if name not in values]
    if missing:
        raise ValueError(f"the definition's placeholders {', '.join(missing)} have no value")

    def replace(known: Mapping[str, str]) -> str:
        return _PLACEHOLDER.sub(lambda match: json.dumps(known[match[1]])[1:-1], definition)

    return pulumi.Output.all(**{name: values[name] for name in names}).apply(replace)
