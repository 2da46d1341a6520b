"""The emulated Azure of one work folder, and what reaches it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.azure.session import EmulatedSession
from mlops_iac.emulators.azure.certificates import HOST
from mlops_iac.emulators.azure.directory import METADATA, TOKENS
from mlops_iac.emulators.azure.server import AzureServer
from mlops_iac.emulators.azure.tables import PACKAGE
from mlops_iac.errors import UsageError

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
        """What shows what is there, to whom: Azure's own clients take nothing but TLS, and ask for a token."""
        plain = self.ensure().url
        secure = plain.replace("http://127.0.0.1", f"https://{HOST}")
        groups = f"{plain}/subscriptions/{place.account}/resourceGroups?api-version=2024-03-01"
        look = f"To look at it:\n  curl '{groups}'"
        try:
            trusted = shlex.quote(str(self.authority()))
        except UsageError as error:
            return f"{look}\nAzure's own clients do not reach it: {error} ({error.hint})"
        variables = {
            "ARM_CLOUD_METADATA_URL": f"{secure}{METADATA}",
            "REQUESTS_CA_BUNDLE": trusted,
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "IDENTITY_ENDPOINT": f"{plain}{TOKENS}",
            "IDENTITY_HEADER": "local",
        }
        lines = (
            "For Azure's Python clients, whose requests then reach nothing else:",
            *(f"  export {name}={value}" for name, value in variables.items()),
            f"  MLClient(DefaultAzureCredential(), {place.account!r}, …)",
            f"  clients of azure-mgmt-*: (…, base_url={secure!r}, credential_scopes=['{secure}/.default'])",
            look,
        )
        return "\n".join(lines)

    def url(self, place: Place, endpoint: str) -> str:
        """Nothing is called yet."""
        return ""
