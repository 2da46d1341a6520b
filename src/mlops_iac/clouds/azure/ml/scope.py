"""What the sections of a plan share: the blueprint of one environment and how values come from it."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

from mlops_iac.blueprint import ResolvedBlueprint
from mlops_iac.clouds import scope
from mlops_iac.clouds.base import Home, Ref, Setting

COMPONENTS = "mlops_iac.clouds.azure.components"
# Tells what belongs to one stack from everything else.
STACK_TAG = "stack"
OWN_TAGS = ("project", "environment", STACK_TAG, "owner")
# The variables of what others stand on.
FOUNDATION, WORKSPACE = "foundation", "workspace"
call = partial(scope.call, COMPONENTS)
construct = partial(scope.construct, COMPONENTS)


class Scope(scope.Scope):
    """One environment that is being planned."""

    @cached_property
    def tags(self) -> dict[str, Any]:
        """Tags of every resource that takes some."""
        blueprint = self.blueprint
        own: dict[str, Any] = {
            "project": blueprint.name,
            "environment": self.environment,
            STACK_TAG: f"{blueprint.name}-{self.environment}",
        }
        if blueprint.owner:
            own["owner"] = Setting(blueprint.owner, "owner")
        for key, value in blueprint.tags.items():
            own[key] = Setting(value, f"tags.{key}")
        return own

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
