"""The catalogue: what it promises, against sources that did not write it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from functools import cache
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.components import _naming as naming
from mlops_iac.clouds.aws.sagemaker.deployer_policy import ACTIONS
from mlops_iac.errors import UsageError


@cache
def ec2() -> dict[str, Any]:
    packed = resources.files("moto.ec2").joinpath("resources/instance_types.json.gz").read_bytes()
    return dict(json.loads(gzip.decompress(packed)))


@pytest.mark.parametrize("size", catalogue.SIZES)
@pytest.mark.parametrize("purpose", catalogue.PURPOSES)
def test_a_size_guarantees_its_minimum_everywhere(size: str, purpose: catalogue.Purpose) -> None:
    type_ = catalogue.instance_type(size, purpose)
    assert type_ in catalogue.instance_types(purpose)
    facts = ec2()[type_.removeprefix("ml.")]
    cpus, memory, gpus, gpu_memory = catalogue.SIZES[size]
    assert facts["VCpuInfo"]["DefaultVCpus"] >= cpus
    assert facts["MemoryInfo"]["SizeInMiB"] >= memory * 1024
    found = facts.get("GpuInfo", {}).get("Gpus", [])
    assert sum(gpu["Count"] for gpu in found) >= gpus
    assert all(gpu["MemoryInfo"]["SizeInMiB"] >= gpu_memory * 1024 for gpu in found)
    assert bool(gpus) == bool(found) == catalogue.is_gpu(type_)


@pytest.mark.parametrize("size", ["small", "medium", "large", "xlarge", "gpu-small"])
def test_the_emulator_accepts_what_is_served_on(size: str) -> None:
    families = {"c4", "c5", "c5d", "g4dn", "m4", "m5", "m5d", "p2", "p3", "r5", "r5d", "t2"}
    assert catalogue.family(catalogue.instance_type(size, "hosting")) in families


@pytest.mark.parametrize(
    ("purpose", "shape"),
    [
        ("training", "TrainingInstanceType"),
        ("processing", "ProcessingInstanceType"),
        ("hosting", "ProductionVariantInstanceType"),
        ("transform", "TransformInstanceType"),
    ],
)
def test_instance_types_are_those_of_the_service_model(
    purpose: catalogue.Purpose, shape: str
) -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("sagemaker")
    assert catalogue.instance_types(purpose) == set(model.shape_for(shape).enum)


def test_limits_of_names_are_those_of_the_service_models() -> None:
    import botocore.session

    session = botocore.session.get_session()
    for service, shape, limit in (
        ("sagemaker", "EndpointName", naming.ENDPOINT_LIMIT),
        ("sagemaker", "EntityName", naming.PACKAGE_GROUP_LIMIT),
        ("sagemaker", "HyperParameterTuningJobName", naming.TUNING_JOB_LIMIT),
        ("sagemaker", "PipelineName", naming.PIPELINE_LIMIT),
        ("cloudwatch", "AlarmName", naming.ALARM_LIMIT),
        ("iam", "roleNameType", naming.ROLE_LIMIT),
    ):
        found = session.get_service_model(service).shape_for(shape).metadata["max"]
        assert found == limit, shape


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-west-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    ],
)
def test_regions_know_their_partition(region: str, partition: str, suffix: str) -> None:
    assert catalogue.partition_of(region) == partition
    assert catalogue.dns_suffix(region) == suffix
    assert catalogue.is_region(region)


def test_services_that_a_partition_has_not_are_known() -> None:
    """Those of every action that a deployment takes, as botocore's endpoints have them."""
    import botocore.session

    session = botocore.session.get_session()
    used = {action.partition(":")[0] for each in ACTIONS.values() for action in each}
    assert "budgets" in used
    for region in catalogue.REGIONS:
        partition = catalogue.partition_of(region)
        for service in used:
            there = session.get_available_regions(service, partition, allow_non_regional=True)
            assert catalogue.has_service(service, region) == bool(there), (service, region)


def test_an_unknown_region_is_refused_with_those_that_exist() -> None:
    assert not catalogue.is_region("eu-west-9")
    with pytest.raises(UsageError) as caught:
        catalogue.partition_of("eu-west-9")
    assert "eu-west-1" in caught.value.hint


@pytest.mark.parametrize(
    ("framework", "version", "scope", "region", "gpu", "uri"),
    [
        # Put together by hand from sagemaker-core 2.27.0's tables and its `_format_tag`; its
        # `retrieve` was not run, and no registry was asked.
        (
            "scikit-learn",
            "1.9",
            "inference",
            "eu-west-1",
            False,
            "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3",
        ),
        (
            "scikit-learn",
            "1.2-1",
            "training",
            "us-east-1",
            False,
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        ),
        (
            "xgboost",
            "3.2",
            "training",
            "eu-west-1",
            False,
            "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.2-0",
        ),
        (
            "pytorch",
            "2.6",
            "inference",
            "cn-north-1",
            True,
            "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/pytorch-inference:2.6.0-gpu-py312",
        ),
    ],
)
def test_images(
    framework: str, version: str, scope: catalogue.Scope, region: str, gpu: bool, uri: str
) -> None:
    image = catalogue.framework_image(framework, version, scope, region, gpu=gpu)
    assert image.uri == uri
    assert image.ecr == uri.split(".")[0] + "/" + image.repository


@pytest.mark.parametrize(
    ("framework", "version", "scope", "gpu", "hint"),
    [
        ("scikit-learn", "1.10", "training", False, "1.9-0"),
        # An image to train with, but none to serve with.
        ("scikit-learn", "1.4-2", "inference", False, "1.2-1"),
        ("scikit-learn", "1", "training", False, "1.9-0"),
        ("scikit-learn", "1.9", "training", True, "cpu"),
        ("sklearn", "1.9", "training", False, "scikit-learn"),
    ],
)
def test_a_version_without_an_image_is_refused_with_those_that_exist(
    framework: str, version: str, scope: catalogue.Scope, gpu: bool, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        catalogue.framework_image(framework, version, scope, "eu-west-1", gpu=gpu)
    assert hint in caught.value.hint


def test_versions_are_in_the_order_of_their_numbers() -> None:
    versions = catalogue.framework_versions("pytorch", "training")
    assert versions.index("2.9.0") < versions.index("2.10.0")


@pytest.mark.parametrize("type_", ["m5.large", "ml.m5", "ml..large", ""])
def test_what_is_no_instance_type_is_refused(type_: str) -> None:
    with pytest.raises(UsageError):
        catalogue.family(type_)


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(UsageError, match="tiny"):
        catalogue.instance_type("tiny", "training")


def test_the_catalogue_needs_no_provider_sdk() -> None:
    code = (
        "import sys; from mlops_iac.clouds.aws import catalogue; catalogue.regions();"
        "print([m for m in ('pulumi', 'pulumi_aws', 'boto3', 'botocore') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@given(st.text(st.characters(codec="ascii"), max_size=300), st.integers(12, 256))
def test_a_truncated_name_fits_and_a_short_one_stays(name: str, limit: int) -> None:
    cut = naming.truncate(name, limit)
    assert len(cut) <= limit
    assert cut == naming.truncate(name, limit)
    if len(name) <= limit:
        assert cut == name


@given(st.from_regex(r"[a-z][a-z0-9-]{60,90}", fullmatch=True), st.sampled_from("abc"))
def test_names_that_differ_at_their_end_stay_different(name: str, end: str) -> None:
    assert naming.truncate(name + end, 63) != naming.truncate(f"{name}x{end}", 63)


@given(
    st.from_regex(r"[a-z][a-z0-9-]{0,60}", fullmatch=True),
    st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
    st.from_regex(r"[a-z][a-z0-9_-]{0,60}", fullmatch=True),
)
def test_physical_names_match_the_services_pattern(project: str, stack: str, name: str) -> None:
    import re

    made = naming.physical_name(project, stack, name, naming.ENDPOINT_LIMIT)
    # botocore, EndpointName
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", made)
    assert len(made) <= naming.ENDPOINT_LIMIT


@pytest.mark.parametrize("limit", [0, 8])
def test_a_limit_without_room_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="too short"):
        naming.truncate("name", limit)


def test_a_name_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no letter"):
        naming.slug("--")
