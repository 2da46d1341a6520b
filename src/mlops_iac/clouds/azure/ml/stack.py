"""What a stack is put together from, and what all of it lies in.

The order of `PARTS` is that of the program: each call stands after what it refers to.
"""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.azure.ml.blocks.base import (
    DATA_STORE,
    IMAGES,
    LEARNING,
    OBSERVABILITY,
    VAULT,
)
from mlops_iac.clouds.azure.ml.blocks.datasets import DATASETS
from mlops_iac.clouds.azure.ml.blocks.spending import ALERTS, BUDGET
from mlops_iac.clouds.azure.ml.blocks.training import REGISTRIES, TRAINING
from mlops_iac.clouds.azure.ml.modes.real_time import REAL_TIME, RIGHTS
from mlops_iac.clouds.azure.ml.parts import Mode, Part
from mlops_iac.clouds.azure.ml.scope import FOUNDATION, Scope, call
from mlops_iac.clouds.base import ComponentCall

MODES: tuple[Mode, ...] = (REAL_TIME,)


def plan(scope: Scope) -> list[ComponentCall]:
    """The calls of one environment, each after what it refers to."""
    return [made for part in present(scope) for made in part.plan(scope)]


def present(scope: Scope) -> list[Part]:
    """The parts that a stack has, in the order of its program."""
    return [part for part in PARTS if part.there(scope)]


def _foundation(scope: Scope) -> Iterator[ComponentCall]:
    planes = [plane for part in present(scope) for plane in part.identities]
    yield call(
        FOUNDATION,
        "foundation:Foundation",
        {
            "location": scope.location,
            "planes": list(dict.fromkeys(planes)),
            "protect": scope.protect,
            "tags": scope.tags,
        },
        path="",
        exports={"resource_group": "group"},
    )


_FOUNDATION = Part(
    plan=_foundation,
    names=lambda _: [(FOUNDATION, "")],
    namespaces=("Microsoft.ManagedIdentity",),
)

PARTS: tuple[Part, ...] = (
    _FOUNDATION,
    OBSERVABILITY,
    DATA_STORE,
    VAULT,
    IMAGES,
    LEARNING,
    DATASETS,
    REGISTRIES,
    TRAINING,
    ALERTS,
    RIGHTS,
    *MODES,
    BUDGET,
)
