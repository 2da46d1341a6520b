"""The blueprint: one description of a machine learning system, read, merged and checked.

Stages: `source`/`compose` (text → nodes with places) → `layers`/`fill` (environments and defaults
merged as written) → `decode` (typed models of `sections`) → `checks` (what holds between fields)
→ `LoadedBlueprint`, `ResolvedBlueprint`. Nothing here knows a platform or imports an SDK.
`render` and `explain` are modules of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.combine import combine
from mlops_iac.blueprint.loaded import (
    LoadedBlueprint,
    examine,
    inspect,
    load,
    validate,
)
from mlops_iac.blueprint.reading import ExtraEnvironment
from mlops_iac.blueprint.resolved import Origin, ResolvedBlueprint
from mlops_iac.blueprint.sections.root import Blueprint

if TYPE_CHECKING:
    from mlops_iac.blueprint.schema import json_schema

__all__ = [
    "Blueprint",
    "ExtraEnvironment",
    "LoadedBlueprint",
    "Origin",
    "ResolvedBlueprint",
    "combine",
    "examine",
    "inspect",
    "json_schema",
    "load",
    "validate",
]


def __getattr__(name: str) -> Any:
    """What few commands need is imported when it is asked for."""
    if name == "json_schema":
        from mlops_iac.blueprint.schema import json_schema

        return json_schema
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
