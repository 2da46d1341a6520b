"""What a plan on Azure ML is put together from (`clouds.parts`), and what its resources need of Azure."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.blueprint.sections.serving import ServingEntry
from mlops_iac.clouds import parts
from mlops_iac.clouds.azure.ml.scope import Scope


class Part(parts.Part[Scope]):
    """A part of a stack on Azure ML.

    Where it is there: `namespaces` are the resource providers that must be registered in the subscription,
    which azure-native does not do; `identities` the planes that get an identity; `roles` those that its
    components assign.
    """

    namespaces: Sequence[str] = ()
    identities: Sequence[str] = ()
    roles: Sequence[str] = ()


class Mode(Part):
    """A part that is a mode of serving (`clouds.base.Mode`); its entries are `section`s."""

    name: str = ""
    section: type[ServingEntry] = ServingEntry
