"""How traffic goes from one deployment of an endpoint to the next, and what takes it back.

Time is short here: a minute of a rollout lasts a second, its waits and the periods of the alarms that
watch it, and a sixtieth of the samples is enough for a percentile. A wait in which nobody calls is over:
there would be nothing to judge.

Sources: SageMaker API reference, AutoRollbackConfig; developer guide, "Deployment guardrails". The words of
the reason are ours: the service's are nowhere documented.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from mlops_iac.emulators.aws.alarms.judging import ALARM, judgeable, judged, points
from mlops_iac.emulators.aws.alarms.mends import ENDPOINTS, judge, settle
from mlops_iac.emulators.aws.in_order import IN_ORDER
from mlops_iac.emulators.aws.serving.records import Records, Where
from mlops_iac.emulators.aws.serving.steps import Step, steps

QUICKER = 60
"""By how much a rollout's time is shorter than the service's."""
# So long nobody calls until a wait is over: who calls by hand from a shell takes a second.
_QUIET_SECONDS = 2.0
_PAUSE_SECONDS = 0.2


def shift(
    said: Mapping[str, Any],
    instances: int,
    where: Where,
    records: Records,
    tell: Callable[[Step, str], bool],
) -> str:
    """Shift the traffic of an endpoint, step by step; why it is taken back, or empty.

    `tell` is given each step and its status, and says whether to go on. An alarm that is not there never
    goes off.
    """
    policy = said.get("BlueGreenUpdatePolicy") or said.get("RollingUpdatePolicy") or {}
    longest = policy.get("MaximumExecutionTimeoutInSeconds")
    end = time.monotonic() + longest / QUICKER if longest else math.inf
    rollback = said.get("AutoRollbackConfiguration") or {}
    with IN_ORDER:
        known = cloudwatch_backends[where.account][where.region].alarms
        names = [each["AlarmName"] for each in rollback.get("Alarms") or ()]
        alarms = [known[name] for name in names if name in known]
        quick = [each for each in alarms if _is_of(where, each) and judgeable(each)]
        before = [(each.state_value, each.state_reason) for each in quick]
        for alarm in quick:
            alarm.in_rollout = True
    records.watch(where, on=True)
    try:
        for step in steps(said, instances):
            tell(step, "ActivatingTraffic")
            baked = time.monotonic() + step.seconds / QUICKER
            while records.is_asked(where, _QUIET_SECONDS) and time.monotonic() < baked:
                if not tell(step, "Baking"):
                    return ""
                time.sleep(_PAUSE_SECONDS)
                if reason := _sounding(alarms, where, records):
                    return reason
                if time.monotonic() > end:
                    return f"the deployment took longer than {longest} seconds"
    finally:
        records.watch(where, on=False)
        with IN_ORDER:
            for alarm, kept in zip(quick, before, strict=True):
                alarm.in_rollout = False
                # By its own time nothing has changed yet, and one that lacks samples would stay so.
                settle(alarm, *kept)
    return ""


def _is_of(where: Where, alarm: Any) -> bool:
    """Whether it watches what this endpoint measures."""
    told = {each.name: each.value for each in alarm.dimensions}
    return (alarm.namespace, told.get("EndpointName")) == (ENDPOINTS, where.name)


def _sounding(alarms: list[Any], where: Where, records: Records) -> str:
    """Which of the alarms go off, and why; empty where none does."""
    with IN_ORDER:
        # Of another metric the alarm is judged by its own time.
        judge(cloudwatch_backends[where.account][where.region], alarms)
        for alarm in alarms:
            if getattr(alarm, "in_rollout", False):
                told = {each.name: each.value for each in alarm.dimensions}
                data = records.watched(where, told.get("VariantName", ""), alarm.metric_name)
                looked_at = points(alarm, data, time.time(), QUICKER)
                settle(alarm, *judged(alarm, looked_at, QUICKER))
        return "; ".join(
            f"ALARM {each.name}: {each.state_reason}"
            for each in alarms
            if each.state_value == ALARM
        )
