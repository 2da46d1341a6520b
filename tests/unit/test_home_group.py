"""Where a stack looks for the newest approved version: where the chain of promotion begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.api import load
from mlops_iac.api.registry import home_group

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence" / "blueprint.yaml"


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_the_group_is_the_training_account_s_and_named_by_its_arn(stack: str) -> None:
    assert home_group(load(EXAMPLE), stack, "adherence") == (
        "arn:aws:sagemaker:eu-west-1:012345678901:model-package-group/"
        "schedule-adherence-dev-adherence"
    )


def test_sagemaker_takes_it() -> None:
    """`ListModelPackages` takes a name or an ARN; botocore's model says so."""
    import re

    from botocore.loaders import Loader

    shapes = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    member = shapes["ListModelPackagesInput"]["members"]["ModelPackageGroupName"]["shape"]
    pattern = shapes[member]["pattern"]
    assert re.fullmatch(pattern, home_group(load(EXAMPLE), "prod", "adherence"))
