"""The guard rails, one per module, in the order in which they are listed.

Here are those that hold in every cloud; a cloud brings its own, which speak of its types.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from mlops_iac.clouds import registry
from mlops_iac.policy.model import Rule

# A rule's id is its module's name, with hyphens.
MODULES = tuple(
    f"{__name__}.{name}"
    for name in (
        "plain_secrets",
        "protection",
        "owner_tag",
        "cost_tag",
        "allowed_regions",
        "allowed_instances",
    )
)


def modules() -> tuple[str, ...]:
    """The modules of all rules, each cloud's first."""
    return (*(name for each in registry.clouds() for name in each.knowledge.rules), *MODULES)


def ids() -> tuple[str, ...]:
    """Every rule's id, without importing the rules."""
    return tuple(name.rpartition(".")[2].replace("_", "-") for name in modules())


@lru_cache(maxsize=1)
def rules() -> tuple[Rule, ...]:
    """Every rule."""
    return tuple(import_module(name).RULE for name in modules())
