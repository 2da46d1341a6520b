"""Write the SageMaker catalogue: regions, instance types, framework images, with their sources.

    python tools/sagemaker_catalogue.py SAGEMAKER_CORE.whl [--check]

The wheel comes from `pip download --no-deps sagemaker-core==2.27.0`. Instance types and regions are
those of the installed botocore, sizes of instances those of moto's copy of EC2's
DescribeInstanceTypes. `--check` writes nothing and fails when the committed file differs.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import zipfile
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import botocore.session

TARGET = Path(__file__).parent.parent / "src/mlops_iac/clouds/aws/data/sagemaker.json"
_ENUMS = {
    "training": "TrainingInstanceType",
    "processing": "ProcessingInstanceType",
    "hosting": "ProductionVariantInstanceType",
    "transform": "TransformInstanceType",
}
_FRAMEWORKS = {
    "scikit-learn": "sklearn",
    "xgboost": "xgboost",
    "pytorch": "pytorch",
    "tensorflow": "tensorflow",
}
_PARTITIONS = ("aws", "aws-cn", "aws-us-gov")


def partitions(session: Any) -> dict[str, Any]:
    """DNS suffix and SageMaker's regions by partition."""
    resolver = session.get_component("endpoint_resolver")
    return {
        name: {
            "dns_suffix": resolver.get_partition_dns_suffix(name),
            "regions": sorted(session.get_available_regions("sagemaker", name)),
        }
        for name in _PARTITIONS
    }


def ec2_types() -> dict[str, Any]:
    """EC2's own description of its instance types."""
    packed = resources.files("moto.ec2").joinpath("resources/instance_types.json.gz").read_bytes()
    return dict(json.loads(gzip.decompress(packed)))


def specs(names: set[str]) -> dict[str, list[float]]:
    """vCPU, GB, GPUs and GB of each GPU, where EC2 has the type."""
    known = ec2_types()
    result: dict[str, list[float]] = {}
    for name in sorted(names):
        facts = known.get(name.removeprefix("ml."))
        if facts is None:
            continue
        gpus = facts.get("GpuInfo", {}).get("Gpus", [])
        result[name] = [
            facts["VCpuInfo"]["DefaultVCpus"],
            facts["MemoryInfo"]["SizeInMiB"] / 1024,
            sum(gpu["Count"] for gpu in gpus),
            max((gpu["MemoryInfo"]["SizeInMiB"] / 1024 for gpu in gpus), default=0),
        ]
    return result


def images(wheel: zipfile.ZipFile) -> dict[str, Any]:
    """Versions by framework and scope; registries (account by region) are shared by number."""
    registries: list[dict[str, str]] = []
    frameworks: dict[str, Any] = {}
    for name, file in _FRAMEWORKS.items():
        config = json.loads(wheel.read(f"sagemaker/core/image_uri_config/{file}.json"))
        frameworks[name] = {}
        for scope in ("training", "inference"):
            versions = {}
            for version, facts in config[scope]["versions"].items():
                # Older images live in one account per framework and have left most regions.
                if "eu-west-1" not in facts.get("registries", ()) or "container_version" in facts:
                    continue
                if facts["registries"] not in registries:
                    registries.append(facts["registries"])
                versions[version] = {
                    "repository": facts["repository"],
                    "processors": config[scope].get("processors") or facts.get("processors", []),
                    "python": _newest(facts.get("py_versions", [])),
                    "registries": registries.index(facts["registries"]),
                }
            frameworks[name][scope] = versions
    return {"frameworks": frameworks, "registries": registries}


def _newest(pythons: list[str]) -> str:
    return max(pythons, key=lambda text: int(re.sub(r"\D", "", text)), default="")


def catalogue(wheel_path: Path) -> str:
    """The whole file as text."""
    session = botocore.session.get_session()
    model = session.get_service_model("sagemaker")
    types = {purpose: sorted(model.shape_for(shape).enum) for purpose, shape in _ENUMS.items()}
    with zipfile.ZipFile(wheel_path) as wheel:
        document = {
            "sources": {
                "instance types, regions": f"botocore {metadata.version('botocore')}",
                "instance sizes": f"moto {metadata.version('moto')}, EC2 DescribeInstanceTypes",
                "images": "sagemaker-core " + wheel_path.name.split("-")[1],
            },
            "partitions": partitions(session),
            "instance_types": types,
            "specs": specs({name for names in types.values() for name in names}),
            **images(wheel),
        }
    lines = [
        f"  {json.dumps(key)}: {json.dumps(value, sort_keys=True, separators=(',', ':'))}"
        for key, value in document.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    """Write or compare."""
    text = catalogue(Path(sys.argv[1]))
    if "--check" in sys.argv:
        if TARGET.read_text() == text:
            return 0
        print(f"{TARGET.name} differs from its sources", file=sys.stderr)
        return 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
