"""How an endpoint moves to a new configuration, and what takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws
from pulumi_aws.sagemaker import (
    EndpointDeploymentConfigAutoRollbackConfigurationAlarmArgs as _Alarm,
)
from pulumi_aws.sagemaker import (
    EndpointDeploymentConfigAutoRollbackConfigurationArgs as _AutoRollback,
)
from pulumi_aws.sagemaker import (
    EndpointDeploymentConfigBlueGreenUpdatePolicyArgs as _BlueGreen,
)
from pulumi_aws.sagemaker import (
    EndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfigurationArgs as _Routing,
)
from pulumi_aws.sagemaker import (
    EndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfigurationCanarySizeArgs as _CanarySize,
)
from pulumi_aws.sagemaker import (
    EndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfigurationLinearStepSizeArgs as _LinearStepSize,
)

_PERIOD_SECONDS = 60
_MOST_PERIODS = 5
_LONGEST_WAIT_SECONDS = 3600  # SageMaker API reference, TrafficRoutingConfig
_LARGEST_STEP_PERCENT = 50  # likewise, CanarySize and LinearStepSize
# The old instances stay this long after the new ones took over: the way back is at hand.
_TERMINATION_WAIT_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """`percent` of the capacity per step, watched for `wait_minutes` (1 to 60) each.

    A breach of a limit takes the endpoint back. The error rate always has one, because adding
    the first alarm to an existing endpoint would replace it.
    """

    strategy: Literal["all-at-once", "canary", "linear", "blue-green"] = "all-at-once"
    percent: int | None = None
    wait_minutes: int | None = None
    error_rate_percent: float = 5
    latency_p99_ms: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.wait_seconds <= _LONGEST_WAIT_SECONDS:
            raise ValueError(f"a rollout waits 1 to 60 minutes per step, not {self.wait_minutes}")
        if not 0 < self.step_percent <= _LARGEST_STEP_PERCENT:
            raise ValueError(f"a rollout moves 1 to 50 percent per step, not {self.percent}")

    @property
    def wait_seconds(self) -> int:
        """How long each step is watched."""
        return 60 * (10 if self.wait_minutes is None else self.wait_minutes)

    @property
    def step_percent(self) -> int:
        """Share of the capacity that the first (canary) or each (linear) step moves."""
        return 10 if self.percent is None else self.percent


def evaluation_periods(rollout: Rollout) -> int:
    """Minutes that an alarm looks at: it must be able to fire before the step is over.

    The minute in which the traffic moves is not a whole one, and the metric of the last is not there yet.
    """
    whole = rollout.wait_seconds // _PERIOD_SECONDS - 2
    return max(1, min(_MOST_PERIODS, whole))


def deployment_config(
    rollout: Rollout, *, instances: int, alarms: Sequence[pulumi.Input[str]]
) -> tuple[aws.sagemaker.EndpointDeploymentConfigArgs, str]:
    """The endpoint's deployment configuration, and why it is not the one asked for, if so.

    A canary or linear step of one instance would be all of it: then everything moves at once,
    under the same alarms.
    """
    kind, why = rollout.strategy, ""
    if kind in ("canary", "linear") and instances < 2:
        why = f"{kind} needs two instances and there is one: all traffic moves at once"
        kind = "all-at-once"
    policy = _BlueGreen(
        traffic_routing_configuration=_routing(kind, rollout),
        termination_wait_in_seconds=_TERMINATION_WAIT_SECONDS,
    )
    return (
        aws.sagemaker.EndpointDeploymentConfigArgs(
            blue_green_update_policy=policy,
            auto_rollback_configuration=_AutoRollback(
                alarms=[_Alarm(alarm_name=name) for name in alarms]
            ),
        ),
        why,
    )


def _routing(kind: str, rollout: Rollout) -> _Routing:
    wait, percent = rollout.wait_seconds, rollout.step_percent
    if kind == "canary":
        first = _CanarySize(type="CAPACITY_PERCENT", value=percent)
        return _Routing(type="CANARY", canary_size=first, wait_interval_in_seconds=wait)
    if kind == "linear":
        each = _LinearStepSize(type="CAPACITY_PERCENT", value=percent)
        return _Routing(type="LINEAR", linear_step_size=each, wait_interval_in_seconds=wait)
    # SageMaker's all-at-once is itself blue-green: a second fleet, then one switch.
    return _Routing(type="ALL_AT_ONCE", wait_interval_in_seconds=wait)
