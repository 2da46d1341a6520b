"""What the sections of a plan share: the blueprint of one environment and how values come from it."""

from __future__ import annotations

from functools import partial
from typing import Any

from mlops_iac.blueprint import ResolvedBlueprint
from mlops_iac.clouds import scope
from mlops_iac.clouds.base import Home, Ref, Setting
from mlops_iac.clouds.scope import STACK_TAG

COMPONENTS = "mlops_iac.clouds.azure.components"
OWN_TAGS = ("project", "environment", STACK_TAG, "owner")
# The variables of what others stand on.
FOUNDATION, WORKSPACE = "foundation", "workspace"
call = partial(scope.call, COMPONENTS)
construct = partial(scope.construct, COMPONENTS)


class Scope(scope.Scope):
    """One environment that is being planned."""

    @property
    def place(self) -> dict[str, Any]:
        """The arguments that every component has: group, location and tags."""
        return {
            "group": Ref(FOUNDATION, "group"),
            "location": self.location,
            "tags": self.tags,
        }

    @property
    def location(self) -> Setting:
        """Where everything stands."""
        return Setting(self.blueprint.region, "region")

    def _home(self, at: ResolvedBlueprint, model: str) -> Home:
        blueprint = at.blueprint
        known = type(self)(at).known_as("models", model)
        return Home(at.environment, blueprint.account, blueprint.region, known)
