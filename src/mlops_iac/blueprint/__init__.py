"""The blueprint: one description of a machine learning system, read, merged and checked.

Stages: `source`/`compose` (text → nodes with places) → `layers`/`fill` (environments and defaults
merged as written) → `decode` (typed models of `sections`) → `checks` (what holds between fields)
→ `LoadedBlueprint`, `ResolvedBlueprint`. Nothing here knows a platform or imports an SDK.
`render`, `schema`, `explain` and `reference` are imported by name where they are needed.
"""

from __future__ import annotations

from mlops_iac.blueprint.combine import combine
from mlops_iac.blueprint.loaded import LoadedBlueprint, inspect, load, validate
from mlops_iac.blueprint.resolved import Origin, ResolvedBlueprint
from mlops_iac.blueprint.sections.root import Blueprint

__all__ = [
    "Blueprint",
    "LoadedBlueprint",
    "Origin",
    "ResolvedBlueprint",
    "combine",
    "inspect",
    "load",
    "validate",
]
