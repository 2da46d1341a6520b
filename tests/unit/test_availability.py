"""Instance types by region: what the price lists know, told at the line that asks for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.clouds.aws import availability, catalogue
from mlops_iac.clouds.registry import platform
from tests.sagemaker_blueprints import MINIMAL, loaded
from tools.instance_regions import PURPOSES, _enumerations

SAGEMAKER = platform("sagemaker")


def problems(folder: Path, text: str) -> list[tuple[str, str, str]]:
    found = SAGEMAKER.check(loaded(folder, text).resolve("local"))
    return [(each.path, each.message, each.hint) for each in found if each.code == "not-in-region"]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_file_says_what_its_source_says(purpose: catalogue.Purpose) -> None:
    said = _enumerations(purpose)
    for type_ in {each for types in said.values() for each in types}:
        wanted = {region for region, types in said.items() if type_ in types}
        assert availability.regions_with(type_, purpose) == wanted


def test_an_endpoint_on_a_type_that_the_region_has_not(tmp_path: Path) -> None:
    compute = "serving: {api: {mode: real-time, compute: {instance: ml.g5.xlarge}"
    text = MINIMAL.replace("serving: {api: {mode: real-time", compute).replace(
        "region: eu-west-1", "region: eu-west-3"
    )
    ((path, message, hint),) = problems(tmp_path, text)
    assert path == "serving.api.compute.instance"
    assert message.endswith("eu-west-3 has no ml.g5.xlarge for hosting")
    near, _, elsewhere = hint.partition("; ")
    for type_ in near.removeprefix("it has ").split(", "):
        assert catalogue.is_gpu(type_)
        assert not availability.is_lacking(type_, "hosting", "eu-west-3")
    assert elsewhere.startswith("ml.g5.xlarge is in eu-")


def test_a_size_that_the_region_has_not_is_told_for_every_use(tmp_path: Path) -> None:
    """Young regions have none of the older types that sizes stand for."""
    found = problems(tmp_path, MINIMAL.replace("region: eu-west-1", "region: mx-central-1"))
    assert found
    assert all("mx-central-1 has no ml.m5." in message for _, message, _ in found)
    # A container for x86 does not run on AWS's own processors.
    assert all("ml.m6i.large" in hint and "ml.m6g" not in hint for _, _, hint in found)


def test_what_the_price_lists_do_not_know_is_not_refused(tmp_path: Path) -> None:
    """They know no training jobs."""
    assert availability.regions_with("ml.m5.large", "training") is None
    assert not availability.is_lacking("ml.m5.large", "training", "mx-central-1")
    assert not availability.is_lacking("ml.m5.large", "hosting", "nowhere-1")
    assert problems(tmp_path, MINIMAL) == []
