"""The process that is the emulated Azure."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from mlops_iac.emulators.azure import certificates
from mlops_iac.emulators.common.server import Server


class AzureServer(Server):
    """One process with one store."""

    label = "Azure"
    module = "mlops_iac.emulators.azure.process"
    needs = ()
    foreign = ("ARM_", "AZURE_")
    variables = MappingProxyType({})

    def authority(self) -> Path:
        """The certificate that its TLS is trusted by. Raises what `certificates.authority` does."""
        with self._locked():
            return certificates.authority(self._folder)
