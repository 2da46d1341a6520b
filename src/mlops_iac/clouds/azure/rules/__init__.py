"""Guard rails that speak of Azure's types, one per module, in the order in which they are listed."""

from __future__ import annotations

# A rule's id is its module's name, with hyphens.
MODULES = tuple(f"{__name__}.{name}" for name in ("account_keys", "broad_role"))
