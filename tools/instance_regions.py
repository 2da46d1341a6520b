"""Which region has which instance type of SageMaker: `clouds/aws/data/regions.txt`.

`tools/generated.py` writes it. The source are the regional enumerations that cfn-lint carries, which
it makes from AWS's price lists. There are none for training jobs.
"""

from __future__ import annotations

import json
from importlib import resources
from importlib.metadata import version

PURPOSES = ("hosting", "processing", "transform")


def regions() -> str:
    """The whole file as text.

    Its first two lines are the source and the names of the regions. Then one line per use and type,
    with a hexadecimal number whose bit `1 << i` says whether region `i` has it.
    """
    found: dict[str, set[str]] = {}
    every: set[str] = set()
    for purpose in PURPOSES:
        for region, types in _enumerations(purpose).items():
            every.add(region)
            for type_ in types:
                found.setdefault(f"{purpose} {type_}", set()).add(region)
    order = sorted(every)
    lines = [f"source cfn-lint {version('cfn-lint')}", f"regions {' '.join(order)}"]
    for key in sorted(found):
        bits = sum(1 << index for index, region in enumerate(order) if region in found[key])
        lines.append(f"{key} {bits:x}")
    return "\n".join(lines) + "\n"


def _enumerations(purpose: str) -> dict[str, list[str]]:
    folder = resources.files(f"cfnlint.data.schemas.extensions.aws_sagemaker_{purpose}")
    document = json.loads(folder.joinpath("instancetype_enum.json").read_bytes())
    return {key: value["enum"] for key, value in document.items() if isinstance(value, dict)}
