"""Alarms against the tables of CloudWatch's user guide, "How alarm state is evaluated when data is missing"."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mlops_iac.emulators.aws.alarms.judging import Point, Values, judged, points

KEPT = "kept"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def alarm(**more: Any) -> Any:
    said = {
        "statistic": "Average", "extended_statistic": None, "comparison_operator": "GreaterThanThreshold",
        "threshold": 0.5, "evaluation_periods": 3, "datapoints_to_alarm": 3, "period": 60,
        "treat_missing_data": "missing", "evaluate_low_sample_count_percentile": None,
        "state_value": KEPT, "state_reason": "", "metric_name": "m", "rule": None,
    }  # fmt: skip
    return SimpleNamespace(**{**said, **more})


def values(*each: float) -> Values:
    found = Values()
    for one in each:
        found.add(one)
    return found


def drawn(picture: str) -> list[Point]:
    """As the guide draws it: 0 is within the threshold, X is beyond it, - is missing."""
    known = {"0": values(0), "X": values(1), "-": None}
    return [Point(60.0 * at, known[each]) for at, each in enumerate(picture.split())]


@pytest.mark.parametrize(
    ("most", "picture", "states"),
    [
        (3, "0 - X - X", "OK OK OK OK"),
        (3, "0 - - - -", "OK OK OK OK"),
        (3, "- - - - -", f"INSUFFICIENT_DATA {KEPT} ALARM OK"),
        (3, "0 X X - X", "ALARM ALARM ALARM ALARM"),
        (3, "- - - - X", f"INSUFFICIENT_DATA {KEPT} ALARM OK"),
        (3, "X - - - -", f"ALARM {KEPT} ALARM OK"),
        (2, "0 - X - X", "ALARM ALARM ALARM ALARM"),
        (2, "0 0 X 0 X", "ALARM ALARM ALARM ALARM"),
        (2, "0 - X - -", "OK OK ALARM OK"),
        (2, "- - - - 0", "OK OK ALARM OK"),
        (2, "- - - - X", f"INSUFFICIENT_DATA {KEPT} ALARM OK"),
    ],
)
def test_the_tables_of_the_guide(most: int, picture: str, states: str) -> None:
    found = [
        judged(alarm(datapoints_to_alarm=most, treat_missing_data=each), drawn(picture))[0]
        for each in TREATMENTS
    ]
    assert " ".join(found) == states


def test_the_reason_has_the_numbers() -> None:
    said = judged(alarm(), drawn("0 X X - X"))[1]
    assert said == (
        "Threshold Crossed: 3 out of the last 3 datapoints [1 (01/01/70 00:04:00),"
        " 1 (01/01/70 00:02:00), 1 (01/01/70 00:01:00)] were greater than the threshold (0.5)"
        " (minimum 3 datapoints for OK -> ALARM transition)."
    )
    quiet = alarm(treat_missing_data="notBreaching")
    assert judged(quiet, drawn("- - - - -"))[1] == (
        "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were"
        " treated as [NonBreaching]."
    )


def test_a_percentile_waits_for_its_samples() -> None:
    slow = alarm(
        statistic=None, extended_statistic="p99", evaluate_low_sample_count_percentile="ignore",
        evaluation_periods=1, datapoints_to_alarm=1, threshold=5,
    )  # fmt: skip
    twenty = [Point(0, values(*range(20)))]
    state, why = judged(slow, twenty)
    assert state == KEPT and "takes 1000 samples and there were 20" in why
    # A minute lasts a second, so that a sixtieth of them is enough.
    assert judged(slow, twenty, 60)[0] == "ALARM"
    assert "(here 17)" in judged(slow, [Point(0, values(*range(16)))], 60)[1]
    assert values(*range(1, 201)).statistic("p99") == 198


def test_a_period_is_a_minute_or_in_a_rollout_a_second() -> None:
    data = [(0.0, values(1)), (59.0, values(1)), (119.0, values(0))]
    by_minute = points(alarm(evaluation_periods=1, period=60), data, now=119)
    assert [each.values and each.values.count for each in by_minute] == [None, 2, 1]
    by_second = points(alarm(evaluation_periods=1, period=60), data, now=119, quicker=60)
    assert [(each.at, each.values is None) for each in by_second] == [
        (117, True), (118, True), (119, False),
    ]  # fmt: skip
