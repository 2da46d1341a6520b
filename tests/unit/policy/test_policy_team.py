"""A team's own rules: loaded when asked, and refused where they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.errors import UsageError
from mlops_iac.graph.model import ResourceGraph
from mlops_iac.policy import team
from mlops_iac.policy.checking import check
from mlops_iac.policy.config import Configuration
from mlops_iac.policy.context import Context
from tests.unit.policy.stacks import made

RULE = """
from mlops_iac.policy import Rule, Violation

def check(context):
    for schedule in context.of_type("aws:scheduler/schedule:Schedule"):
        if "FRI" in str(schedule.inputs.get("scheduleExpression")):
            yield Violation("it trains on a Friday", schedule)

RULE = Rule(
    id="no-fridays", title="No Fridays", severity="mandatory", why="Nobody is there.",
    remediation="another day", source="our handbook", check=check,
)
"""


def write(root: Path, name: str, text: str) -> None:
    (root / "policies").mkdir(exist_ok=True)
    (root / "policies" / name).write_text(text, encoding="utf-8")


def test_a_rule_of_the_team_runs(tmp_path: Path) -> None:
    write(tmp_path, "no_fridays.py", RULE)
    write(tmp_path, "_shared.py", "raise SystemExit")
    assert team.ids(tmp_path) == ("no-fridays",)
    (rule,) = team.load(tmp_path, frozenset())
    friday = made(
        "aws:scheduler/schedule:Schedule", "s", {"scheduleExpression": "cron(0 3 ? * FRI *)"}
    )
    monday = made(
        "aws:scheduler/schedule:Schedule", "m", {"scheduleExpression": "cron(0 3 ? * MON *)"}
    )
    context = Context(ResourceGraph("shop", "prod", (friday, monday)), production=False)
    (finding,) = check(context, [rule], Configuration())
    assert (finding.rule, finding.address) == ("no-fridays", "scheduler.Schedule/s")
    assert finding.counts
    assert not list((tmp_path / "policies").glob("__pycache__"))


WRONG = {
    "a file that is no Python": ("no_fridays.py", "def (", "policies/no_fridays.py:1 cannot be loaded: SyntaxError"),
    "a file that fails": ("no_fridays.py", "x = 1\n1 / 0\n", "policies/no_fridays.py:2 cannot be loaded: ZeroDivisionError"),
    "a file without a rule": ("no_fridays.py", "x = 1\n", "has no RULE"),
    "a rule with another name": ("fridays.py", RULE, "its name says 'fridays'"),
    "the name of a rule of ours": ("tls_only.py", RULE, "has the name of a rule of ours"),
    "another tool's severity": ("no_fridays.py", RULE.replace('"mandatory"', '"error"'), "'error' is not a severity"),
    "a rule that nobody can mend": ("no_fridays.py", RULE.replace('"another day"', '" "'), "remediation is empty"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "message"), WRONG.values(), ids=list(WRONG))
def test_what_is_no_rule_is_told(tmp_path: Path, name: str, text: str, message: str) -> None:
    write(tmp_path, name, text)
    with pytest.raises(UsageError) as caught:
        team.load(tmp_path, frozenset({"tls-only"}))
    assert message in caught.value.message


def test_a_rule_that_fails_has_not_passed(tmp_path: Path) -> None:
    write(tmp_path, "no_fridays.py", RULE.replace("schedule.inputs.get", "schedule.inptus.get"))
    rules = team.load(tmp_path, frozenset())
    friday = made("aws:scheduler/schedule:Schedule", "s")
    context = Context(ResourceGraph("shop", "prod", (friday,)), production=False)
    with pytest.raises(UsageError, match=r"no-fridays failed at no_fridays\.py:6: AttributeError"):
        check(context, rules, Configuration())
