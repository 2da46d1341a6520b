"""China and GovCloud: the partition follows from the region, and nothing says another one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlops_iac
from mlops_iac.api import load
from mlops_iac.api.compile import captures, programs
from mlops_iac.clouds.aws import catalogue
from mlops_iac.emulators.aws.api import Place
from mlops_iac.graph.lock import lock_bytes
from tests.sagemaker_blueprints import MAXIMAL, PRIVATE, write

PACKAGE = Path(mlops_iac.__file__).parent
# The one place of each: which partition, and which suffix, a region has.
PLACES = {
    "clouds/aws/components/_services.py": "principals that end so in every partition",
    "emulators/aws/api.py": "the emulated cloud's own partition",
    "clouds/aws/rules/undelivered.py": "principals that end so in every partition",
    # `com.amazonaws.<region>.…`: no network is made in China (`network_checks`).
    "clouds/aws/components/network.py": "names of services with an endpoint",
}
# S3's logging service is called so everywhere (S3 user guide, "Enabling Amazon S3 server access
# logging"); so are the services of `_context._PRINCIPAL_SUFFIX`.
SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com")


@pytest.mark.parametrize("region", catalogue.REGIONS)
def test_the_emulated_cloud_has_the_partitions_of_the_catalogue(region: str) -> None:
    place = Place(region)
    assert place.partition == catalogue.partition_of(region)
    assert place.suffix == catalogue.dns_suffix(region)


@pytest.mark.parametrize("text", [MAXIMAL, PRIVATE], ids=["open", "private"])
@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_nothing_names_another_partition(
    tmp_path: Path, region: str, partition: str, text: str
) -> None:
    suffix = catalogue.dns_suffix(region)
    if partition == "aws-cn":
        text = text.replace("network: private, egress: none", "egress: none")
    if not catalogue.has_service("budgets", region):
        text = re.sub(r"(?m)^budget: .*\n", "", text)
    if not catalogue.has_service("sagemaker-mlflow", region):
        text = text.replace("tracking: mlflow", "tracking: native")
        text = re.sub(r"(?m)^options: {sagemaker: {tracking_size.*\n", "", text)
    text = text.replace("eu-west-1.amazonaws.com", f"{region}.{suffix}")
    text = text.replace("eu-west-1", region).replace("arn:aws:", f"arn:{partition}:")
    project = load(write(tmp_path, text))
    folder, program = captures.work_program(project)
    locks = {
        stack: lock_bytes(
            programs.capture_program(project, stack, folder, program.config[stack])
        ).decode()
        for stack in project.environments
    }
    texts = {name: each.decode() for name, each in program.files.items() if b"\0" not in each}
    assert [*stray({**texts, **locks}, partition, region)] == []
    assert all(f"arn:{partition}:" in lock for lock in locks.values())


def stray(texts: dict[str, str], partition: str, region: str) -> Iterator[str]:
    suffix = re.escape(catalogue.dns_suffix(region))
    for name, text in texts.items():
        for found in re.findall(r"arn:aws[a-z-]*:", text):
            if found != f"arn:{partition}:":
                yield f"{name}: {found}"
        # What carries the region carries its suffix.
        for host in re.findall(rf"{region}\.amazonaws\.com[\w.]*", text):
            if not re.fullmatch(rf"{region}\.{suffix}", host):
                yield f"{name}: {host}"


def test_the_generators_hold_no_partition() -> None:
    told = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if literals(path.read_text(encoding="utf-8")):
            told.add(name)
    assert told == set(PLACES)


def literals(source: str) -> list[str]:
    """Texts in the code that name a partition or its suffix; docstrings name what they like."""
    tree = ast.parse(source)
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in prose
        and re.search(r"arn:aws(-cn|-us-gov)?:|amazonaws(\.com|$)|com\.amazonaws", node.value)
    ]


@pytest.mark.parametrize(
    "line", ['x = f"arn:aws:s3:::{b}"', 'y = "s3.amazonaws.com"', 'z = "arn:aws-cn:iam::1:root"']
)
def test_a_literal_is_found(line: str) -> None:
    assert literals(line)
