"""How traffic goes from one deployment of an endpoint to the next, and what takes it back.

Time is short here: a minute of a rollout lasts a second, its waits and the periods of the alarms that
watch it, and a sixtieth of the samples is enough for a percentile. A wait in which nobody calls is over:
there would be nothing to judge.

Sources: SageMaker API reference, BlueGreenUpdatePolicy, TrafficRoutingConfig, RollingUpdatePolicy,
CapacitySize, AutoRollbackConfig; developer guide, "Deployment guardrails", and of the messages "Endpoint
deployment state change". The words of the reason are ours: the service's are nowhere documented.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from moto.cloudwatch.models import cloudwatch_backends

from mlops_iac.emulators.aws.alarms.judging import ALARM, judgeable, judged, points
from mlops_iac.emulators.aws.alarms.mends import ENDPOINTS, judge, settle
from mlops_iac.emulators.aws.in_order import IN_ORDER
from mlops_iac.emulators.aws.serving.records import Records, Where

QUICKER = 60
"""By how much a rollout's time is shorter than the service's."""
# So long nobody calls until a wait is over: who calls by hand from a shell takes a second.
_QUIET_SECONDS = 2.0
_PAUSE_SECONDS = 0.2


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


def shift(
    said: Mapping[str, Any],
    instances: int,
    where: Where,
    records: Records,
    tell: Callable[[Step, str], bool],
) -> str:
    """Shift the traffic of an endpoint, step by step; why it is taken back, or empty.

    `tell` is given each step and its status, and says whether to go on.
    """
    policy = said.get("BlueGreenUpdatePolicy") or said.get("RollingUpdatePolicy") or {}
    longest = policy.get("MaximumExecutionTimeoutInSeconds")
    end = time.monotonic() + longest / QUICKER if longest else math.inf
    rollback = said.get("AutoRollbackConfiguration") or {}
    names = [each["AlarmName"] for each in rollback.get("Alarms") or ()]
    records.watch(where, on=True)
    try:
        for step in steps(said, instances):
            tell(step, "ActivatingTraffic")
            baked = time.monotonic() + step.seconds / QUICKER
            while records.is_asked(where, _QUIET_SECONDS) and time.monotonic() < baked:
                if not tell(step, "Baking"):
                    return ""
                time.sleep(_PAUSE_SECONDS)
                if reason := _sounding(names, where, records):
                    return reason
                if time.monotonic() > end:
                    return f"the deployment took longer than {longest} seconds"
    finally:
        records.watch(where, on=False)
    return ""


def _instances(size: Mapping[str, Any], instances: int) -> int:
    """Whole instances, one at least."""
    value = int(size["Value"])
    part = value if size["Type"] == "INSTANCE_COUNT" else math.ceil(instances * value / 100)
    return min(max(part, 1), instances)


def _sounding(names: list[str], where: Where, records: Records) -> str:
    """Which of the alarms go off, and why; empty where none does. One that is not there never does."""
    with IN_ORDER:
        backend = cloudwatch_backends[where.account][where.region]
        alarms = [backend.alarms[name] for name in names if name in backend.alarms]
        for alarm in alarms:
            told = {each.name: each.value for each in alarm.dimensions}
            if (alarm.namespace, told.get("EndpointName")) != (ENDPOINTS, where.name):
                judge(backend, [alarm])
            elif judgeable(alarm):
                data = records.watched(where, told.get("VariantName", ""), alarm.metric_name)
                looked_at = points(alarm, data, time.time(), QUICKER)
                settle(alarm, *judged(alarm, looked_at, QUICKER))
        return "; ".join(
            f"ALARM {each.name}: {each.state_reason}"
            for each in alarms
            if each.state_value == ALARM
        )
