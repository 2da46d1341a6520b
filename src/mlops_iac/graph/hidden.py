"""Values without what is secret, where only a name on their path, or beside them, tells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from mlops_iac.graph.redact import REDACTED, is_secret_name, parse_document, redact
from mlops_iac.values import Properties, Value

# Reading more than that of one value helps nobody: characters, entries, levels.
LARGEST: Final = 4000
_MOST_ENTRIES: Final = 200
_DEEPEST: Final = 24
_LABELS: Final = ("name", "Name", "key", "Key")
_SEGMENT = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')


def hidden(path: str, value: Value, inputs: Properties | None = None) -> Value:
    """`value` without secrets, those included that only a name on its path tells.

    `inputs` are the properties that `path` leads through: of a list of names and values, as
    containers write their environment, the name stands beside the value.
    """
    if len(path) > LARGEST:  # too long to be looked through for a name
        return REDACTED
    steps = [quoted or index or plain for quoted, index, plain in _SEGMENT.findall(path)]
    names = [step for step in steps if not step.isdigit()]
    if steps and steps[-1] in ("value", "Value"):
        names.append(_name_beside(steps[:-1], inputs))
    nested = _bounded(value)
    for name in reversed([name for name in names if name]):
        nested = {name: nested}
    clean: Value = redact(nested)
    for name in names:
        if name and isinstance(clean, Mapping):
            clean = clean[name]
    return clean


def _name_beside(steps: Sequence[str], inputs: Properties | None) -> str:
    """The `name` in the mapping that the steps lead to; empty where there is none."""
    here: Value = inputs
    for step in steps:
        if isinstance(here, str):
            here = parse_document(here)
        if isinstance(here, Mapping):
            here = here.get(step)
        elif isinstance(here, list | tuple) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        else:
            return ""
    if not isinstance(here, Mapping):
        return ""
    label = next((here[key] for key in _LABELS if key in here), "")
    return label if isinstance(label, str) and is_secret_name(label) else ""


def _bounded(value: Value, depth: int = 0) -> Value:
    """A copy of `value` that is small enough to be looked through for secrets, and to be shown.

    A document that is too long for that is not shown at all: cut, it could not be looked through.
    """
    match value:
        case str() if len(value) > LARGEST:
            if like_document(value):
                return f"(a document of {len(value)} characters)"
            return value[:LARGEST]
        case Mapping() | list() | tuple() if depth >= _DEEPEST:
            return "…"
        case Mapping():
            entries = list(islice(value.items(), _MOST_ENTRIES))
            return {str(key)[:LARGEST]: _bounded(item, depth + 1) for key, item in entries}
        case list() | tuple():
            return [_bounded(item, depth + 1) for item in value[:_MOST_ENTRIES]]
        case _:
            return value


def like_document(text: str) -> bool:
    """Whether a text may be a JSON document."""
    return text[:LARGEST].lstrip()[:1] in ("", "{", "[")
