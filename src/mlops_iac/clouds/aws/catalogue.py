"""What SageMaker offers: regions, instance types and sizes, framework images.

The facts are in `data/sagemaker.json`, with their sources; `tools/sagemaker_catalogue.py` writes
it. What an image's container does with code is in `containers`. Nothing here needs a provider SDK.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from mlops_iac.errors import UsageError
from mlops_iac.records import Record

Purpose = Literal["training", "processing", "hosting", "transform"]
Scope = Literal["training", "inference"]

# Guaranteed minimum of each size (the blueprint's own promise): vCPU, GB, GPUs, GB of each GPU.
SIZES: dict[str, tuple[float, float, float, float]] = {
    "small": (2, 8, 0, 0),
    "medium": (4, 16, 0, 0),
    "large": (8, 32, 0, 0),
    "xlarge": (16, 64, 0, 0),
    "gpu-small": (4, 16, 1, 16),
    "gpu-large": (4, 16, 1, 40),
    "gpu-xlarge": (64, 256, 8, 40),
}

_GENERAL = {
    "small": "ml.m5.large",
    "medium": "ml.m5.xlarge",
    "large": "ml.m5.2xlarge",
    "xlarge": "ml.m5.4xlarge",
    "gpu-small": "ml.g4dn.xlarge",
    "gpu-large": "ml.g6e.xlarge",
    "gpu-xlarge": "ml.p4d.24xlarge",
}
# Where the purpose does not know the general choice: the next larger type that it does know.
_EXCEPTIONS: dict[tuple[Purpose, str], str] = {
    ("processing", "gpu-xlarge"): "ml.g6e.48xlarge",
    ("transform", "gpu-xlarge"): "ml.g6e.48xlarge",
}
# SageMaker developer guide, "Automatic scaling of models: prerequisites": not for T2.
UNSCALED_FAMILIES = frozenset({"t2"})
# Partition → services that components use and that it has not (botocore's `endpoints.json`).
# MLflow: SageMaker developer guide, "Managed MLflow".
_LACKING = {
    "aws-us-gov": frozenset({"budgets", "sagemaker-mlflow"}),
    "aws-cn": frozenset({"sagemaker-mlflow"}),
}
_DIGEST = r"[0-9]+"


class Image(Record):
    """A container image in ECR. `ecr` is `<account>/<repository>`, for the right to pull it."""

    account: str
    region: str
    dns_suffix: str
    repository: str
    tag: str

    @property
    def uri(self) -> str:
        return (
            f"{self.account}.dkr.ecr.{self.region}.{self.dns_suffix}/{self.repository}:{self.tag}"
        )

    @property
    def ecr(self) -> str:
        return f"{self.account}/{self.repository}"


@lru_cache(maxsize=1)
def _facts() -> dict[str, Any]:
    # Not by importlib.resources, which imports tempfile, zipfile and random for this one line.
    path = Path(__file__).parent / "data" / "sagemaker.json"
    return dict(json.loads(path.read_bytes()))


def sources() -> dict[str, str]:
    """Where each kind of fact comes from, with the version."""
    return dict(_facts()["sources"])


def regions() -> tuple[str, ...]:
    """Every region that has SageMaker, sorted."""
    return tuple(sorted(r for p in _facts()["partitions"].values() for r in p["regions"]))


def is_region(region: str) -> bool:
    """Whether SageMaker is in the region."""
    return region in regions()


def partition_of(region: str) -> str:
    """`aws`, `aws-cn` or `aws-us-gov`. Raises UsageError for a region without SageMaker."""
    for name, facts in _facts()["partitions"].items():
        if region in facts["regions"]:
            return str(name)
    raise UsageError(
        f"{region!r} is not a region with SageMaker", hint=f"one of {', '.join(regions())}"
    )


def has_service(service: str, region: str) -> bool:
    """Whether the partition of the region has an AWS service, by its prefix in policies."""
    return service not in _LACKING.get(partition_of(region), ())


def dns_suffix(region: str) -> str:
    """What host names of the region's partition end in: `amazonaws.com`."""
    return str(_facts()["partitions"][partition_of(region)]["dns_suffix"])


def instance_types(purpose: Purpose) -> frozenset[str]:
    """Every instance type that the API accepts for the purpose."""
    return frozenset(_facts()["instance_types"][purpose])


def instance_type(size: str, purpose: Purpose) -> str:
    """The instance type that guarantees a size. Raises UsageError for an unknown size."""
    if size not in SIZES:
        raise UsageError(f"{size!r} is not a size", hint=f"one of {', '.join(SIZES)}")
    return _EXCEPTIONS.get((purpose, size), _GENERAL[size])


def family(type_: str) -> str:
    """`m5` of `ml.m5.large`. Raises UsageError for what is no SageMaker instance type's form."""
    match = re.fullmatch(r"ml\.([a-z0-9-]+)\.[a-z0-9-]+", type_)
    if match is None:
        raise UsageError(f"{type_!r} is not an instance type", hint="for example ml.m5.large")
    return match[1]


def spec(type_: str) -> tuple[float, float, float, float] | None:
    """VCPU, GB, GPUs and GB of each GPU; None where EC2 does not have the type."""
    facts = _facts()["specs"].get(type_)
    return None if facts is None else (facts[0], facts[1], facts[2], facts[3])


def is_gpu(type_: str) -> bool:
    """Whether containers need the GPU variant of an image (families g and p)."""
    return family(type_)[0] in "gp"


def framework_of(repository: str) -> str | None:
    """The framework that prebuilt training images of a repository bring."""
    return next(
        (
            name
            for name, known in _facts()["frameworks"].items()
            if any(image["repository"] == repository for image in known["training"].values())
        ),
        None,
    )


def framework_versions(framework: str, scope: Scope) -> tuple[str, ...]:
    """Versions that have a prebuilt image, oldest first. Raises UsageError: unknown framework."""
    known = _facts()["frameworks"]
    if framework not in known:
        raise UsageError(
            f"there is no prebuilt image for framework {framework!r}",
            hint=f"one of {', '.join(known)}, or an image of your own (runtime.image)",
        )
    return tuple(sorted(known[framework][scope], key=_version_key))


def framework_version(framework: str, version: str, scope: Scope) -> str | None:
    """The version of the newest prebuilt image of `version`: `1.9-0` of `1.9`. Raises UsageError."""
    return _match(version, framework_versions(framework, scope))


def is_older(version: str, other: str) -> bool:
    """Whether an image's version is older than another's."""
    return _version_key(version) < _version_key(other)


def framework_image(
    framework: str, version: str, scope: Scope, region: str, *, gpu: bool = False
) -> Image:
    """The newest prebuilt image of a version (`1.9` finds `1.9-0`, `2.6` finds `2.6.0`).

    Raises UsageError when there is none, listing those that exist.
    """
    versions = framework_versions(framework, scope)
    found = _match(version, versions)
    if found is None:
        both = [
            each for each in versions if _match(each, framework_versions(framework, "training"))
        ]
        raise UsageError(
            f"there is no prebuilt {scope} image of {framework} {version}",
            hint=f"one of {', '.join(both)}, or an image of your own (runtime.image)",
        )
    facts = _facts()["frameworks"][framework][scope][found]
    account = _facts()["registries"][facts["registries"]].get(region)
    if account is None:
        raise UsageError(f"{region} has no prebuilt {scope} image of {framework} {found}")
    processor = "gpu" if gpu else "cpu"
    if facts["processors"] and processor not in facts["processors"]:
        raise UsageError(
            f"{framework} {found} has no prebuilt {scope} image for {processor.upper()}",
            hint=f"only for {', '.join(facts['processors'])}; choose another size",
        )
    parts = (found, processor if facts["processors"] else "", facts["python"])
    return Image(
        account=account,
        region=region,
        dns_suffix=dns_suffix(region),
        repository=facts["repository"],
        tag="-".join(part for part in parts if part),
    )


def _match(version: str, versions: tuple[str, ...]) -> str | None:
    if version in versions:
        return version
    if "." not in version:
        return None  # `1` would quietly become another minor version with every new image
    pattern = re.compile(re.escape(version) + rf"(\.{_DIGEST})?(-{_DIGEST})?")
    return next((each for each in reversed(versions) if pattern.fullmatch(each)), None)


def _version_key(version: str) -> tuple[tuple[int, ...], str]:
    numbers = re.match(r"[0-9.-]*[0-9]", version)
    digits = tuple(int(part) for part in re.findall(_DIGEST, numbers[0] if numbers else ""))
    return digits, version


PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
REGIONS: tuple[str, ...] = regions()
