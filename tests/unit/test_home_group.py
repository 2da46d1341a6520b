"""Where a stack looks for the newest approved version: where the chain of promotion begins."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlops_iac.api import load
from mlops_iac.api.deploy.served_versions import home_of, model_output

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence" / "blueprint.yaml"


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_the_group_is_the_training_account_s_and_named_by_its_arn(stack: str) -> None:
    assert home_of(load(EXAMPLE), stack, "adherence").address == (
        "arn:aws:sagemaker:eu-west-1:012345678901:model-package-group/"
        "schedule-adherence-dev-adherence"
    )


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_renamed_model_s_versions_are_where_they_were(tmp_path: Path, stack: str) -> None:
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE.parent, folder, ignore=shutil.ignore_patterns("infra", ".mlops-iac"))
    text = EXAMPLE.read_text(encoding="utf-8").replace("adherence: {promote", "keeps: {promote")
    text = text.replace("models:\n  adherence:", "models:\n  keeps:")
    text = text.replace("model: adherence", "model: keeps")
    blueprint = folder / "blueprint.yaml"
    blueprint.write_text(text + "moved: {models.keeps: models.adherence}\n", encoding="utf-8")
    group = home_of(load(blueprint), stack, "keeps").address
    assert group == home_of(load(EXAMPLE), stack, "adherence").address


def test_outputs_of_before_a_rename_are_found() -> None:
    moved = {"models.keeps": "models.adherence-2"}
    before = {"adherence_2_pipeline": "old"}
    assert model_output(before, moved, "keeps", "pipeline") == "old"
    assert model_output({**before, "keeps_pipeline": "new"}, moved, "keeps", "pipeline") == "new"
    assert model_output(before, {}, "keeps", "pipeline") is None


def test_sagemaker_takes_it() -> None:
    """`ListModelPackages` takes a name or an ARN; botocore's model says so."""
    import re

    from botocore.loaders import Loader

    shapes = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    member = shapes["ListModelPackagesInput"]["members"]["ModelPackageGroupName"]["shape"]
    pattern = shapes[member]["pattern"]
    assert re.fullmatch(pattern, home_of(load(EXAMPLE), "prod", "adherence").address)
