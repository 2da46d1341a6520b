"""Each row: what a person writes in a blueprint, what EventBridge Scheduler must be told."""

from __future__ import annotations

import pytest

from mlops_iac.clouds.aws.components._cron import schedule_expression


@pytest.mark.parametrize(
    ("unix", "aws"),
    [
        # Trap 13: Unix Monday is 1, AWS Monday is 2; names leave no doubt.
        ("0 3 * * 1", "cron(0 3 ? * MON *)"),
        ("0 3 * * 0", "cron(0 3 ? * SUN *)"),
        ("0 3 * * 7", "cron(0 3 ? * SUN *)"),
        ("0 3 * * sun", "cron(0 3 ? * SUN *)"),
        ("0 2 * * *", "cron(0 2 * * ? *)"),
        ("0 * * * *", "cron(0 * * * ? *)"),
        ("* * * * *", "cron(* * * * ? *)"),
        ("*/15 * * * *", "cron(0/15 * * * ? *)"),
        ("5/20 * * * *", "cron(5,25,45 * * * ? *)"),
        ("0 */6 1 * *", "cron(0 0/6 1 * ? *)"),
        ("30 8 * * 1-5", "cron(30 8 ? * MON-FRI *)"),
        ("30 8 * * MON-FRI", "cron(30 8 ? * MON-FRI *)"),
        ("30 8 * * 5-7", "cron(30 8 ? * SUN,FRI,SAT *)"),
        ("30 8 * * 0,6", "cron(30 8 ? * SUN,SAT *)"),
        ("30 8 * * 1,3,5", "cron(30 8 ? * MON,WED,FRI *)"),
        ("30 8 * * 0-6", "cron(30 8 * * ? *)"),
        ("0 9-17 * * *", "cron(0 9-17 * * ? *)"),
        ("0 9-17/4 * * *", "cron(0 9,13,17 * * ? *)"),
        ("0 0 1 1,4,7,10 *", "cron(0 0 1 1,4,7,10 ? *)"),
        ("0 0 1 */3 *", "cron(0 0 1 1/3 ? *)"),
        ("0 0 1 jan *", "cron(0 0 1 1 ? *)"),
        ("0 0 29 2 *", "cron(0 0 29 2 ? *)"),
    ],
)
def test_a_unix_line_becomes_the_aws_expression(unix: str, aws: str) -> None:
    assert schedule_expression(unix) == aws


@pytest.mark.parametrize(
    ("unix", "complaint"),
    [
        ("0 3 * *", "has 4 fields"),
        ("0 3 ? * MON *", "has 6 fields"),
        ("60 3 * * *", "'60' is no minute"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 0 0 * *", "'0' is no day of month"),
        ("0 0 * 13 *", "'13' is no month"),
        ("0 0 * * 8", "'8' is no day of week"),
        ("0 0 * * 5-1", "runs backwards"),
        ("*/0 * * * *", "step 0"),
        ("a * * * *", "'a' is no minute"),
        ("-1 * * * *", "'' is no minute"),
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6 *", "never fires"),
        ("0 0 1 * 1", "at once"),
    ],
)
def test_what_aws_cannot_do_or_nobody_means_is_refused(unix: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        schedule_expression(unix)
