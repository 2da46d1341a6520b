"""How what is deployed to Azure is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_iac.clouds.access import Failure, Place
from mlops_iac.clouds.azure.emulator import AzureEmulator
from mlops_iac.clouds.azure.errors import CREDENTIALS, failure
from mlops_iac.clouds.azure.session import RealSession
from mlops_iac.clouds.software import Software


class AzureAccess:
    """How what is deployed to Azure is reached."""

    software = Software(
        extra="azure",
        distributions=("pulumi-azure-native",),
        emulator=(),
        modules=frozenset(("pulumi_azure_native",)),
        emulator_modules=frozenset(),
        warm=("mlops_iac.emulators.azure.provider", "pulumi_azure_native"),
        compiled=("pulumi_azure_native.machinelearningservices._inputs",),
    )
    variables: Sequence[str] = ("ARM_", "AZURE_")
    workflows = Path(__file__).parent / "workflows"

    def place(self, provider: Mapping[str, Any]) -> Place:
        """Location and subscription."""
        return Place(str(provider.get("location") or ""), str(provider.get("subscriptionId") or ""))

    def session(
        self, place: Place, provider: Mapping[str, Any] | None = None, *, patient: bool = True
    ) -> RealSession:
        """ARM of the real cloud."""
        return RealSession(place, patient=patient)

    def emulator(self, work: Path) -> AzureEmulator:
        """The emulated Azure of a work folder."""
        return AzureEmulator(work)

    def failure(self, raised: Exception) -> Failure | None:
        """What an answer of ARM's says."""
        return failure(raised)

    def says_signed_out(self, text: str) -> bool:
        """Whether the provider's message says that credentials are missing or refused."""
        return CREDENTIALS.search(text) is not None
