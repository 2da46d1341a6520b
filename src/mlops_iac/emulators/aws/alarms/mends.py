"""Alarms that are judged in the place of moto's, which stay as they were made: states, reasons, history.

An alarm is judged when somebody looks at it, and when endpoints write what they have measured. One on a
metric that nobody measures here (a machine's processors, say) stays unchecked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import (
    Alarm,
    CloudWatchBackend,
    MetricAggregatedDatum,
    Statistics,
)
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from mlops_iac.emulators.aws.alarms.judging import UNCHECKED, Values, judgeable, judged, points

ENDPOINTS = "AWS/SageMaker"
"""The namespace of what endpoints measure themselves; where they measure nothing, nobody has called."""
_OF_VARIANTS = {"EndpointName", "VariantName"}


class Measured(MetricAggregatedDatum):  # type: ignore[misc]  # moto has no types
    """Values of a stretch of time as moto keeps them, and besides by value."""

    def __init__(self, measured: Values, **about: Any) -> None:
        super().__init__(
            min_stat=measured.min,
            max_stat=measured.max,
            sample_count=measured.count,
            sum_stat=measured.sum,
            **about,
        )
        self.measured = measured

    def take(self, more: Values) -> None:
        """Add what came later."""
        own = self.measured
        own.take(more)
        self.min, self.max, self.sample_count, self.sum = own.min, own.max, own.count, own.sum


def install() -> None:
    """Put it in moto's place. Once in a process, in order."""
    _mend_history()
    _mend_percentiles()
    for name in ("describe_alarms", "describe_alarms_for_metric"):
        setattr(CloudWatchResponse, name, _judging(getattr(CloudWatchResponse, name)))


def judge(backend: CloudWatchBackend, alarms: Iterable[Any]) -> None:
    """Let alarms have the state that their metrics say now, but those that a rollout judges. In order."""
    for alarm in alarms:
        if not judgeable(alarm) or getattr(alarm, "in_rollout", False):
            continue
        data = [*_data(backend, alarm)]
        if data or _is_of_variant(alarm):
            settle(alarm, *judged(alarm, points(alarm, data, time.time())))


def settle(alarm: Any, state: str, reason: str) -> None:
    """Let an alarm be in a state, where it is in another one or nobody has judged it yet."""
    if alarm.state_value != state:
        alarm.update_state(reason, "{}", state)
    elif alarm.state_reason.startswith(UNCHECKED):
        alarm.state_reason = reason


def _is_of_variant(alarm: Any) -> bool:
    return alarm.namespace == ENDPOINTS and {each.name for each in alarm.dimensions} == _OF_VARIANTS


def _data(backend: CloudWatchBackend, alarm: Any) -> Iterator[tuple[float, Values]]:
    told = {each.name: each.value for each in alarm.dimensions}
    for datum in backend.metric_data:
        if (datum.namespace, datum.name) == (alarm.namespace, alarm.metric_name) and told == {
            each.name: each.value for each in datum.dimensions
        }:
            at = datum.timestamp
            # moto's own are UTC without saying so.
            yield (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp(), _values(datum)


def _values(datum: Any) -> Values:
    if isinstance(datum, Measured):
        return datum.measured
    found = Values()
    if isinstance(datum, MetricAggregatedDatum):
        found.count, found.sum = datum.sample_count, datum.sum
        found.min, found.max = datum.min, datum.max
    else:
        found.add(datum.value)
    return found


def _judging(describe: Callable[..., Any]) -> Callable[..., Any]:
    def described(self: Any) -> Any:
        judge(self.cloudwatch_backend, self.cloudwatch_backend.alarms.values())
        return describe(self)

    return described


def _mend_percentiles() -> None:
    """Let GetMetricData have percentiles of what endpoints have measured."""
    plain = Statistics.get_statistics_for_type

    def get_statistics_for_type(self: Any, stat: str) -> Any:
        if not stat.startswith("p"):
            return plain(self, stat)
        together = Values()
        for each in self.metric_data:
            together.take(_values(each))
        return together.statistic(stat)

    Statistics.get_statistics_for_type = get_statistics_for_type


def _mend_history() -> None:
    """DescribeAlarmHistory, of states; moto has none.

    Source: CloudWatch API reference, DescribeAlarmHistory, AlarmHistoryItem.
    """
    update = Alarm.update_state

    def update_state(self: Any, reason: str, reason_data: str, state_value: str) -> None:
        old = {"stateValue": self.state_value, "stateReason": self.state_reason}
        update(self, reason, reason_data, state_value)
        if old["stateValue"] == state_value:
            return
        new = {"stateValue": state_value, "stateReason": reason}
        self.history.append(
            {
                "AlarmName": self.name,
                "AlarmType": "MetricAlarm",
                "Timestamp": datetime.now(UTC),
                "HistoryItemType": "StateUpdate",
                "HistorySummary": f"Alarm updated from {old['stateValue']} to {state_value}",
                "HistoryData": json.dumps({"version": "1.0", "oldState": old, "newState": new}),
            }
        )

    def describe_alarm_history(self: Any) -> Any:
        asked, alarms = self._get_params(), self.cloudwatch_backend.alarms
        judge(self.cloudwatch_backend, alarms.values())
        since, until = asked.get("StartDate"), asked.get("EndDate")
        named = [name] if (name := asked.get("AlarmName")) else alarms
        found = [
            each
            for name in named
            if name in alarms
            for each in alarms[name].history
            if isinstance(each, dict)  # the others are moto's own
            and asked.get("HistoryItemType", "StateUpdate") == "StateUpdate"
            and (since is None or each["Timestamp"] >= _aware(since))
            and (until is None or each["Timestamp"] <= _aware(until))
        ]
        found.sort(
            key=lambda each: each["Timestamp"],
            reverse=asked.get("ScanBy") != "TimestampAscending",
        )
        return ActionResult({"AlarmHistoryItems": found[: asked.get("MaxRecords") or 100]})

    Alarm.update_state = update_state
    CloudWatchResponse.describe_alarm_history = describe_alarm_history


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
