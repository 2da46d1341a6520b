"""The ways to serve on SageMaker, each an object in a file of its own; a new one is a line here."""

from __future__ import annotations

from mlops_iac.clouds.aws.sagemaker.modes.batch import BATCH
from mlops_iac.clouds.aws.sagemaker.modes.real_time import REAL_TIME
from mlops_iac.clouds.aws.sagemaker.parts import Mode, Needs
from mlops_iac.clouds.aws.sagemaker.scope import Scope

MODES: tuple[Mode, ...] = (REAL_TIME, BATCH)


def needs(scope: Scope) -> Needs:
    """What the modes of a stack need of the components that all share."""
    each = [mode.needs(scope) for mode in MODES]
    return Needs(
        endpoints=[name for needed in each for name in needed.endpoints],
        captures={prefix: days for needed in each for prefix, days in needed.captures.items()},
        rollback_alarms=[name for needed in each for name in needed.rollback_alarms],
        datasets=[name for needed in each for name in needed.datasets],
        new_data=[name for needed in each for name in needed.new_data],
    )
