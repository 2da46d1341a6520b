"""What must hold between fields, one module per subject. Each works on one resolved environment.

A check reports at a path and never raises. What stands in, or beside, something that is already
broken is not reported again.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.blueprint.checks.base import Check, Seen
from mlops_iac.blueprint.checks.contents import check_contents
from mlops_iac.blueprint.checks.datasets import check_datasets, check_features
from mlops_iac.blueprint.checks.environments import check_apart
from mlops_iac.blueprint.checks.files import check_files
from mlops_iac.blueprint.checks.metrics import check_metrics
from mlops_iac.blueprint.checks.models import check_models, check_promotion
from mlops_iac.blueprint.checks.platform import check_platform
from mlops_iac.blueprint.checks.serving import check_serving
from mlops_iac.blueprint.checks.strict import check_strict
from mlops_iac.blueprint.checks.texts import check_texts
from mlops_iac.errors import Diagnostic

__all__ = ["Check", "Seen", "check_environment", "check_together"]

CHECKS = (
    check_texts,
    check_files,
    check_contents,
    check_platform,
    check_datasets,
    check_features,
    check_models,
    check_serving,
    check_metrics,
)


def check_environment(check: Check, *, strict: bool) -> None:
    """Run every check on one environment."""
    for run in CHECKS:
        run(check)
    if strict:
        check_strict(check)


def check_together(checks: Sequence[Check]) -> list[Diagnostic]:
    """What must hold between environments."""
    return [*check_promotion(checks), *check_apart(checks)]
