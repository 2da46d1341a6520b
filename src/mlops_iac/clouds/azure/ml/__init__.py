"""Azure ML: a resolved blueprint in, component calls out.

`stack` puts the parts of a plan in order, which say all that follows from them. `decisions` says field by field
what is planned and what is refused, `checks` what is refused for its value; `guide` tells people. Nothing here
imports Pulumi: plans are made where no provider SDK is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.clouds.base import ComponentCall, Condition, Home, Mode, Pass
from mlops_iac.errors import Diagnostic

if TYPE_CHECKING:
    from mlops_iac.clouds.azure.session import Session
    from mlops_iac.clouds.base import Runnable
    from mlops_iac.clouds.operations import Operations

__all__ = ["AZURE_ML", "AzureMl"]


class AzureMl:
    """The platform `azure-ml`."""

    name = "azure-ml"
    cloud = "azure"

    @property
    def regions(self) -> Sequence[str]:
        """Regions that have Azure ML."""
        from mlops_iac.clouds.azure.catalogue import regions

        return regions()

    @property
    def modes(self) -> Sequence[Mode]:
        """The ways to serve that are planned."""
        from mlops_iac.clouds.azure.ml.stack import MODES

        return MODES

    def refuses(self, path: str, value: Any) -> str | None:
        """Why a field is refused, for the language reference."""
        from mlops_iac.clouds.azure.ml.decisions import DECISIONS

        return DECISIONS.refuses(path, value)

    def check(self, resolved: Any) -> list[Diagnostic]:
        """What cannot be planned of one environment, with places and what would work."""
        from mlops_iac.clouds.azure.ml.checks import check
        from mlops_iac.clouds.azure.ml.scope import Scope

        return check(Scope(resolved))

    def plan(self, resolved: Any) -> list[ComponentCall]:
        """The component calls of one environment. `check` has found no errors."""
        from mlops_iac.clouds.azure.ml.scope import Scope
        from mlops_iac.clouds.azure.ml.stack import plan

        return plan(Scope(resolved))

    def guide(
        self, environments: Mapping[str, Any], plans: Mapping[str, Sequence[ComponentCall]]
    ) -> str:
        """What the program's README says of settings, rights and what is done by hand."""
        from mlops_iac.clouds.azure.ml.guide import guide
        from mlops_iac.clouds.azure.ml.scope import Scope

        return guide({name: Scope(item) for name, item in environments.items()})

    def provider_config(self, resolved: Any) -> Mapping[str, Any]:
        """Region, how names are made, and the one subscription that may be deployed to."""
        from mlops_iac.clouds.azure.components._naming import automatic_names

        blueprint = resolved.blueprint
        config: dict[str, Any] = {
            "azure-native:location": blueprint.region,
            "pulumi:autonaming": automatic_names(blueprint.name, resolved.environment),
        }
        # `local` has the emulator's subscription.
        if resolved.environment != "local" and blueprint.account is not None:
            config["azure-native:subscriptionId"] = blueprint.account
        return config

    def passes(self, resolved: Any, outputs: Callable[[], Mapping[str, Any]]) -> Sequence[Pass]:
        """Bytes before what speaks of them, deployments before the calls to them."""
        from mlops_iac.clouds.azure.ml.passes import passes
        from mlops_iac.clouds.azure.ml.scope import Scope

        return passes(Scope(resolved), outputs)

    def home(self, resolved: Any, model: str) -> Home:
        """Where versions of a model are approved."""
        from mlops_iac.clouds.azure.ml.scope import Scope

        return Scope(resolved).home(model)

    def marks(self, resolved: Any) -> str:
        """The resource group, in which everything lies."""
        from mlops_iac.clouds.azure.components._naming import stem

        return f"everything is in the resource group {stem(resolved.name, resolved.environment)}"

    def conditions(self, resolved: Any, session: Session) -> Iterable[Condition]:
        """Resource providers that are registered."""
        from mlops_iac.clouds.azure.ml.conditions import conditions
        from mlops_iac.clouds.azure.ml.scope import Scope

        return conditions(Scope(resolved), session)

    @property
    def operations(self) -> Operations:
        """What it is asked once something stands."""
        from mlops_iac.clouds.azure.ml.operations import OPERATIONS

        return OPERATIONS

    def lifecycles(self, resolved: Any) -> Mapping[str, Any]:
        """Nothing is trained yet."""
        return {}

    def deployed(self, kept: Any, definition: str, session: Session) -> Runnable | None:
        """Nothing is trained yet."""
        return None


AZURE_ML = AzureMl()
