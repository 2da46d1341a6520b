"""Cron schedules, against what crontab(5) says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_iac.blueprint.cron import CronError, parse_cron


def test_fields_mean_what_crontab_says() -> None:
    found = parse_cron("*/15 2-6/2 1,15 jan-mar MON-fri")
    assert sorted(found.minutes) == [0, 15, 30, 45]
    assert sorted(found.hours) == [2, 4, 6]
    assert sorted(found.days) == [1, 15]
    assert sorted(found.months) == [1, 2, 3]
    assert sorted(found.weekdays) == [1, 2, 3, 4, 5]
    assert not found.any_day
    assert not found.any_weekday


@pytest.mark.parametrize("text", ["0 0 * * 0", "0 0 * * 7", "0 0 * * sun"])
def test_sunday_is_zero_and_seven(text: str) -> None:
    assert parse_cron(text).weekdays == {0}


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("0 0 30 2 *", False),
        ("0 0 31 2,4,6,9,11 *", False),
        ("0 0 29 2 *", True),
        ("0 0 31 * *", True),
        ("0 0 30 2 1", True),
        ("* * * * *", True),
    ],
)
def test_a_schedule_fires_only_where_its_day_is_in_its_month(text: str, fires: bool) -> None:
    assert parse_cron(text).ever_fires is fires


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it has 0 fields"),
        ("*", "it has 1 field, not 5"),
        ("0 0 * * * *", "it has 6 fields"),
        ("@daily", "it has 1 field"),
        ("60 0 * * *", "'60' is not a minute, 0 to 59"),
        ("0 24 * * *", "'24' is not an hour"),
        ("0 0 0 * *", "'0' is not a day of month, 1 to 31"),
        ("0 0 * 13 *", "'13' is not a month"),
        ("0 0 * * 8", "'8' is not a day of week"),
        ("0 0 ? * *", "is not a day of month"),
        ("0 0 L * *", "'l' is not a day of month"),
        ("0 0 * * 1#2", "is not a day of week"),
        ("5-1 0 * * *", "runs backwards"),
        ("5/10 0 * * *", "write 5-59/10"),
        ("*/0 0 * * *", "does not fit a minute"),
        ("*/90 0 * * *", "does not fit a minute"),
        (",1 0 * * *", "'' is not a minute"),
        ("0 0 * foo *", "'foo' is not a month"),
        ("99999999999999999999 0 * * *", "is not a minute"),
        ("0 0 * * mon-", "is not a day of week"),
        ("٣ 0 * * *", "is not a minute"),
    ],
)
def test_what_is_no_schedule_says_why(text: str, message: str) -> None:
    with pytest.raises(CronError, match=message):
        parse_cron(text)


@given(st.text("0123456789*/-,?L#monjan @", max_size=30))
def test_any_text_is_a_schedule_or_an_error(text: str) -> None:
    try:
        found = parse_cron(text)
    except CronError:
        return
    assert found.minutes
    assert found.months <= set(range(1, 13))
    assert found.weekdays <= set(range(7))
