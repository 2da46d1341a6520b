"""The steps in which a deployment gets the traffic of an endpoint.

Sources: SageMaker API reference, BlueGreenUpdatePolicy, TrafficRoutingConfig, RollingUpdatePolicy,
CapacitySize; of the messages the developer guide, "Endpoint deployment state change".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Step(NamedTuple):
    """A part of a rollout: so many `instances` of all get traffic, then `seconds` of the service's wait."""

    instances: int
    share: float
    seconds: int
    setting: str

    @property
    def activating(self) -> str:
        """What is said while it begins."""
        return f"Activating traffic on {self._capacity}."

    @property
    def baking(self) -> str:
        """What is said while it is watched."""
        return (
            f"Baking for {self.seconds} seconds ({self.setting}) with traffic enabled on"
            f" {self._capacity}."
        )

    @property
    def _capacity(self) -> str:
        kind = "full" if self.share >= 1 else "canary"
        return f"{kind} capacity of {self.instances} instance(s)"


def steps(said: Mapping[str, Any], instances: int) -> Iterator[Step]:
    """The steps of a DeploymentConfig for a fleet of so many instances; capacity is whole instances."""
    green, rolling = said.get("BlueGreenUpdatePolicy") or {}, said.get("RollingUpdatePolicy")
    routing = rolling or green.get("TrafficRoutingConfiguration") or {}
    kind, wait = routing.get("Type"), int(routing.get("WaitIntervalInSeconds") or 0)
    first = rolling and routing["MaximumBatchSize"]
    if kind in ("CANARY", "LINEAR"):
        first = routing.get("CanarySize") or routing.get("LinearStepSize")
    size = _instances(first, instances) if first else instances
    active = [size] if kind == "CANARY" else range(size, instances, size)
    for each in (*(each for each in active if each < instances), instances):
        yield Step(each, each / instances, wait, "WaitIntervalInSeconds")
    if more := int(green.get("TerminationWaitInSeconds") or 0):
        yield Step(instances, 1.0, more, "TerminationWaitInSeconds")


def _instances(size: Mapping[str, Any], instances: int) -> int:
    """Whole instances, one at least."""
    value = int(size["Value"])
    part = value if size["Type"] == "INSTANCE_COUNT" else math.ceil(instances * value / 100)
    return min(max(part, 1), instances)
