"""Azure, as the rest knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_iac.clouds.azure.forms import FORMS

if TYPE_CHECKING:
    from mlops_iac.clouds.access import Access
    from mlops_iac.clouds.knowledge import Knowledge

__all__ = ["AZURE", "Azure"]

# By the version that this release was tested against. What it asks of the service moves with its minor
# versions, so no other one will do.
_SDKS = {"pulumi-azure-native": "3.29.0"}


class Azure:
    """The cloud `azure`."""

    name = "azure"
    label = "Azure"
    packages: Sequence[str] = ("azure-native",)
    sdks: Mapping[str, str] = _SDKS
    forms = FORMS

    @cached_property
    def knowledge(self) -> Knowledge:
        """What is true of its types."""
        from mlops_iac.clouds.azure.knowledge import AzureKnowledge

        return AzureKnowledge()

    @cached_property
    def access(self) -> Access:
        """How what is deployed is reached."""
        from mlops_iac.clouds.azure.access import AzureAccess

        return AzureAccess()


AZURE = Azure()
