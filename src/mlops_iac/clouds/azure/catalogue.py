"""What Azure offers where: tables that are read, never asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from mlops_iac.blueprint.sections.compute import Size

# The smallest that is a size of the language's: cores, memory, GPUs and their memory.
# Source: azure-docs, virtual-machines, "Dasv4", "NCasT4_v3", "NC_A100_v4" and "ND_A100_v4" series.
_ENDPOINT_SIZES: Mapping[Size, str] = {
    "small": "Standard_D2as_v4",
    "medium": "Standard_D4as_v4",
    "large": "Standard_D8as_v4",
    "xlarge": "Standard_D16as_v4",
    "gpu-small": "Standard_NC4as_T4_v3",
    "gpu-large": "Standard_NC24ads_A100_v4",
    "gpu-xlarge": "Standard_ND96asr_v4",
}
_DATA = Path(__file__).parent / "data"


@cache
def regions() -> Sequence[str]:
    """Regions with Azure Machine Learning, as far as they are known."""
    lines = (_DATA / "regions.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def endpoint_machine(size: Size) -> str:
    """The machine of a managed endpoint that has a size."""
    return _ENDPOINT_SIZES[size]


@cache
def endpoint_machines() -> Mapping[str, tuple[int, bool]]:
    """Machines that managed endpoints take → cores, and whether quota is needed for a fifth more."""
    lines = (_DATA / "endpoint_machines.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split() for line in lines if line and not line.startswith("#"))
    return {name: (int(cores), reserved == "reserved") for name, cores, reserved in rows}
