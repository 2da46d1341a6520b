"""What Azure offers: sizes that keep the blueprint's promise, Windows' names of time zones."""

from __future__ import annotations

import pytest

from mlops_iac.blueprint.sections.compute import SIZES, Compute
from mlops_iac.clouds.azure import catalogue
from mlops_iac.clouds.azure.catalogue import Purpose


@pytest.mark.parametrize("purpose", ["training", "hosting"])
@pytest.mark.parametrize("size", SIZES)
def test_a_size_has_what_it_guarantees(purpose: Purpose, size: str) -> None:
    found = catalogue.machine(Compute(size=size), purpose)
    assert found is not None
    has = (found.cores, found.memory, found.gpus, found.gpu_memory)
    assert all(one >= least for one, least in zip(has, SIZES[size], strict=True))  # type: ignore[index]
    assert bool(found.gpus) == size.startswith("gpu-")


def test_an_instance_is_known_in_any_case_and_for_its_purpose() -> None:
    known = Compute(instance="standard_d2DS_v4")
    assert catalogue.machine(known, "training") == catalogue.machine(Compute(), "training")
    assert catalogue.machine(known, "hosting") is None


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/Amsterdam", "W. Europe Standard Time"),
        ("America/New_York", "Eastern Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("Etc/UTC", "UTC"),
        ("Antarctica/Troll", None),
    ],
)
def test_schedules_are_told_time_zones_by_the_names_of_windows(zone: str, name: str | None) -> None:
    assert catalogue.windows_zone(zone) == name
