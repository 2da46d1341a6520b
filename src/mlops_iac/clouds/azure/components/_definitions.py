"""Definition files and their named placeholders: `${code_id}`. What Azure ML fills in itself is `${{…}}`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pulumi

_PLACEHOLDER = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


def fill(definition: object, values: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    """JSON text of a definition with its placeholders filled, escaped for the strings they stand in.

    Raises ValueError for a placeholder that has no value, before anything is deployed.
    """
    text = json.dumps(definition)
    names = sorted(set(_PLACEHOLDER.findall(text)))
    if missing := [name for name in names if name not in values]:
        raise ValueError(f"the definition's placeholders {', '.join(missing)} have no value")

    def replace(known: Mapping[str, str]) -> str:
        return _PLACEHOLDER.sub(lambda match: json.dumps(known[match[1]])[1:-1], text)

    return pulumi.Output.all(**{name: values[name] for name in names}).apply(replace)
