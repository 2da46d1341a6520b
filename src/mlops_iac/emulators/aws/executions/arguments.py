"""The arguments of a step as its execution has them: references in the definition, resolved.

Source: SageMaker developer guide, "Pipeline definition JSON schema": `Get`, `Std:Join`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# `Outputs['report']`: the member of a list with that name, or the key of a mapping.
_PART = re.compile(r"([A-Za-z]\w*)|\['([^']+)'\]|\[(\d+)\]")


class Unresolved(Exception):
    """A reference leads nowhere, as to a step that was not executed."""


def steps(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The steps of a definition, those behind conditions included."""
    yield from _flat(definition.get("Steps") or ())


def _flat(found: Any) -> Iterator[dict[str, Any]]:
    for step in found:
        yield step
        if step["Type"] == "Condition":
            for branch in ("IfSteps", "ElseSteps"):
                yield from _flat(step["Arguments"].get(branch) or ())


def resolved(value: Any, known: Mapping[str, Any]) -> Any:
    """A value of the definition without references.

    `known` has what they lead to: `Execution`, `Parameters` and `Steps`. Raises Unresolved.
    """
    if isinstance(value, list):
        return [resolved(each, known) for each in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Get": str(path)}:
            return _followed(path, known)
        case {"Std:Join": {"On": on, "Values": values}}:
            return str(on).join(str(resolved(each, known)) for each in values)
    return {key: resolved(each, known) for key, each in value.items()}


def _followed(path: str, known: Any) -> Any:
    found = known
    for word, name, number in _PART.findall(path):
        if isinstance(found, list):
            found = _entry(found, name or number)
        elif isinstance(found, Mapping) and (word or name) in found:
            found = found[word or name]
        else:
            raise Unresolved(path)
    return found


def _entry(found: list[Any], name: str) -> Any:
    for at, each in enumerate(found):
        names = [value for key, value in each.items() if key.endswith("Name")]
        if name in (str(at), *names):
            return each
    raise Unresolved(name)
