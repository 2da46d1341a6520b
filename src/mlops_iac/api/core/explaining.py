"""What a field's value is in a stack, and where it comes from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.words import nearest
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.blueprint import ResolvedBlueprint


def explain(resolved: ResolvedBlueprint, path: str) -> list[dict[str, Any]]:
    """Return `{path, value, origin, file, line, layer}` of every leaf at or below `path`."""
    leaves = resolved.leaves()
    found = within(list(leaves), path, f"{resolved.environment} has no field {path!r}")
    return [_leaf(resolved, leaf, leaves[leaf]) for leaf in found]


def within(leaves: Sequence[str], path: str, lacking: str) -> list[str]:
    """Return the leaves at or below `path`. Raises UsageError, saying `lacking`, without any."""
    below = (f"{path}.", f"{path}[")
    found = [leaf for leaf in leaves if not path or leaf == path or leaf.startswith(below)]
    if not found:
        near = nearest(path, leaves)
        hint = f"did you mean {near!r}?" if near else "`mlops-iac explain` lists every field"
        raise UsageError(lacking, hint=hint)
    return found


def _leaf(resolved: ResolvedBlueprint, path: str, value: Any) -> dict[str, Any]:
    origin = resolved.origin(path)
    where = f"{os.path.relpath(origin.file)}:{origin.line}" if origin.line else ""
    words = origin.layer if not where else f"{where} ({origin.layer})"
    return {
        "path": path,
        "value": value,
        "origin": words,
        "file": os.path.relpath(origin.file) if origin.line else None,
        "line": origin.line or None,
        "layer": origin.layer,
    }
