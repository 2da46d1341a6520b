"""The emulated Azure of one work folder, and what reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.azure.session import EmulatedSession
from mlops_iac.emulators.azure.server import AzureServer
from mlops_iac.emulators.azure.tables import PACKAGE

if TYPE_CHECKING:
    from mlops_iac.emulators.provider import Provider


class AzureEmulator(AzureServer):
    """One process with one store."""

    def session(self, place: Place) -> EmulatedSession:
        """ARM of the store."""
        return EmulatedSession(self.ensure, place)

    def providers(
        self, place: Place, endpoint: Callable[[], str], *, serves: str, forced: bool
    ) -> Mapping[str, Provider]:
        """The one provider that there is; what is full is deleted as ARM deletes it."""
        from mlops_iac.emulators.azure.provider import AzureProvider

        return {PACKAGE: AzureProvider(endpoint, subscription=place.account, serves=serves)}

    def exports(self, place: Place) -> str:
        """What shows what is there: ARM's own clients take nothing but TLS."""
        url = f"{self.ensure().url}/subscriptions/{place.account}/resourceGroups"
        return f"To look at it:\n  curl '{url}?api-version=2024-03-01'"

    def url(self, place: Place, endpoint: str) -> str:
        """Nothing is called yet."""
        return ""
