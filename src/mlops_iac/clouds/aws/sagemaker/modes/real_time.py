"""Real-time serving: entries behind an endpoint that is always there."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.torn import judged
from mlops_iac.clouds.aws.sagemaker.parts import Mode, Needs
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.aws.sagemaker.serving import endpoint_alarms, plan_serving
from mlops_iac.clouds.aws.sagemaker.serving_checks import check_endpoint
from mlops_iac.clouds.base import ComponentCall, Setting
from mlops_iac.errors import Diagnostic


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    for name, entry in scope.endpoints.items():
        yield from plan_serving(scope, name, entry)


def _check(scope: Scope) -> Iterator[Diagnostic]:
    for name, entry in scope.endpoints.items():
        yield from judged(check_endpoint(scope, name, entry))


def _needs(scope: Scope) -> Needs:
    return Needs(
        endpoints=[scope.known_as("serving", name) for name in scope.endpoints],
        captures={
            scope.known_as("serving", name): Setting(
                entry.capture.retention_days, f"serving.{name}.capture.retention_days"
            )
            for name, entry in scope.endpoints.items()
            if entry.capture is not None
        },
        rollback_alarms=[
            alarm
            for name, entry in scope.endpoints.items()
            for alarm in endpoint_alarms(scope, name, entry)
        ],
    )


REAL_TIME = Mode(name="real-time", plan=_plan, check=_check, needs=_needs)
