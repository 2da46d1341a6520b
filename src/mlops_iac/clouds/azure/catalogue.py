"""What Azure offers where: tables that are read, never asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from mlops_iac.blueprint.sections.compute import SIZES, Compute, EndpointCompute
from mlops_iac.records import Record

_DATA = Path(__file__).parent / "data"
Purpose = Literal["training", "hosting"]

# What environments are built on, by whether there are GPUs. Their tags are never given to another image. Source:
# the tags of Microsoft's curated environments in Azure/azureml-assets, and Azure/AzureML-Containers.
IMAGES: Mapping[bool, str] = {
    False: "mcr.microsoft.com/azureml/openmpi5.0-ubuntu24.04:20260901.v1",
    True: "mcr.microsoft.com/azureml/openmpi5.0-cuda12.6-ubuntu24.04:20250407.v1",
}


class Machine(Record):
    """A VM size: vCPU, memory in GB, GPUs and the memory of each in GB, temporary disk in GB."""

    name: str
    cores: int
    memory: int
    gpus: int
    gpu_memory: int
    disk: int


def _lines(name: str) -> Iterator[str]:
    for line in (_DATA / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


@cache
def regions() -> Sequence[str]:
    """Regions with Azure Machine Learning, as far as they are known."""
    return tuple(_lines("regions.txt"))


@cache
def machines(purpose: Purpose) -> Mapping[str, Machine]:
    """The sizes that are known for a purpose, by name in small letters; Azure does not tell cases apart."""
    found: dict[str, Machine] = {}
    for line in _lines("sizes.txt"):
        name, *numbers, purposes = line.split()
        if purpose[0] in purposes:
            found[name.lower()] = Machine(name, *map(int, numbers))
    return found


def machine(compute: Compute | EndpointCompute, purpose: Purpose) -> Machine | None:
    """What a compute section runs on; None for an instance that is not known."""
    if compute.instance is not None:
        return machines(purpose).get(compute.instance.lower())
    cores, memory, gpus, gpu_memory = SIZES[compute.size or "small"]
    return next(
        each
        for each in machines(purpose).values()
        if each.cores >= cores
        and each.memory >= memory
        and each.gpus >= gpus
        and each.gpu_memory >= gpu_memory
    )


@cache
def _windows_zones() -> Mapping[str, str]:
    pairs = (line.split(": ") for line in _lines("windows_zones.txt"))
    return {zone: name for name, zones in pairs for zone in zones.split()}


def windows_zone(zone: str) -> str | None:
    """What Windows, and so a schedule, calls a time zone of IANA's; None where it has no name for it."""
    return _windows_zones().get(zone)


@cache
def endpoint_machines() -> Mapping[str, tuple[int, bool]]:
    """Machines that managed endpoints take → cores, and whether quota is needed for a fifth more."""
    rows = (line.split() for line in _lines("endpoint_machines.txt"))
    return {name: (int(cores), reserved == "reserved") for name, cores, reserved in rows}
