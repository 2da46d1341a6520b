"""What a DeploymentConfig says, as the steps that SageMaker documents."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.emulators.aws.serving.steps import steps


def green(kind: str, more: int = 0, **size: dict[str, Any]) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": 60, **size}
    policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": more}
    return {"BlueGreenUpdatePolicy": policy}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


ROLLING = {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 2}, "WaitIntervalInSeconds": 60}


@pytest.mark.parametrize(
    ("said", "instances", "active"),
    [
        ({}, 4, [4]),
        (green("ALL_AT_ONCE", 300), 4, [4, 4]),
        (green("CANARY", CanarySize=percent(10)), 10, [1, 10]),
        (green("CANARY", CanarySize=percent(10)), 2, [1, 2]),
        (green("CANARY", CanarySize=percent(50)), 1, [1]),
        (green("LINEAR", LinearStepSize=percent(33)), 6, [2, 4, 6]),
        (green("LINEAR", LinearStepSize={"Type": "INSTANCE_COUNT", "Value": 2}), 5, [2, 4, 5]),
        ({"RollingUpdatePolicy": ROLLING}, 5, [2, 4, 5]),
    ],
)
def test_so_many_instances_get_traffic(
    said: dict[str, Any], instances: int, active: list[int]
) -> None:
    found = [*steps(said, instances)]
    assert [each.instances for each in found] == active
    assert [each.share for each in found] == [each / instances for each in active]
    assert {each.seconds for each in found} <= {0, 60, 300}
