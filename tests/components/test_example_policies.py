"""The example keeps its guard rails in every environment; edits of it break them at their line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from mlops_iac.api import Project, load, validate
from mlops_iac.api.compile.guard_rail_checks import policies
from mlops_iac.errors import BlueprintInvalid, PolicyViolation, UsageError
from tests.cli.harness import copy_example

TODAY = date(2026, 11, 21)
# (what the example says, what it says instead): in the blueprint that the test copies.
Edits = list[tuple[str, str]]


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Project]:
    def make(*edits: tuple[str, str]) -> Project:
        root = copy_example(tmp_path / "project")
        path = root / "blueprint.yaml"
        text = path.read_text(encoding="utf-8")
        for old, new in edits:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the blueprint"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        return load(path)

    return make


def line_of(project: Project, text: str) -> int:
    lines = project.path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def found(project: Project, stack: str, **given) -> list[tuple[str, str, int]]:
    """(rule, blueprint path, line) of what counts."""
    return [
        (each.rule, each.path, each.line)
        for each in policies(project, stack, today=TODAY, **given)
        if not each.suppressed_by
    ]


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_the_example_keeps_all(edited, stack: str) -> None:
    assert found(edited(), stack) == []


def test_staging_may_run_on_one_machine_and_is_told(edited) -> None:
    project = edited()
    line = line_of(project, "scaling: {min: 1, max: 4")
    assert found(project, "staging") == [("single-instance", "serving.api.scaling.min", line)]


ACCESS = 'overrides."s3.BucketPublicAccessBlock/data-data-access"'
# What somebody did → edits, stack, (rule, path, text of the line that is shown).
SEEDED: dict[str, tuple[Edits, str, list[tuple[str, str, str]]]] = {
    "the budget was taken out": (
        [("budget: {monthly_usd: 300, alert_percent: [80, 100]}\n", ""), ("    budget: {monthly_usd: 100}\n", ""), ("    budget: {monthly_usd: 500}\n", "")],
        "prod",
        [("missing-budget", "budget", "blueprint: 1")],
    ),
    "nobody owns it": (
        [("owner: analytics@acme.example\n", "")], "dev", [("owner-tag", "owner", "blueprint: 1")],
    ),
    "nobody pays for it": (
        [("tags: {cost-centre: 4711}\n", "")], "dev", [("cost-tag", "tags", "blueprint: 1")],
    ),
    "nobody is told": (
        [
            ("alerts: {oncall: {email: oncall@acme.example}}\n", ""),
            ("budget: {monthly_usd: 300, alert_percent: [80, 100]}\n", ""),
            ("    budget: {monthly_usd: 100}\n", ""),
            ("    budget: {monthly_usd: 500}\n", ""),
        ],
        "prod",
        [
            ("missing-budget", "budget", "blueprint: 1"),
            ("endpoint-rollback", "serving.api.rollout", "    rollout:"),
            ("endpoint-monitor", "serving.api.monitor", "    monitor:"),
            ("pipeline-failures", "serving.api.monitor", "    monitor:"),
        ],
    ),
    "production runs on one machine": (
        [("scaling: {min: 2, max: 20}", "scaling: {min: 1, max: 20}")],
        "prod",
        [("single-instance", "serving.api.scaling.min", "scaling: {min: 1, max: 20}")],
    ),
    "keys are the provider's": (
        [("security: {keys: customer}", "security: {keys: provider}")],
        "prod",
        [("endpoint-encryption", "security.keys", "security: {keys: provider}")],
    ),
    "an override opens a bucket": (
        [("security: {keys: customer}", "overrides: {s3.BucketPublicAccessBlock/data-data-access: {blockPublicPolicy: false}}\nsecurity: {keys: customer}")],
        "dev",
        [("public-bucket", ACCESS, "overrides:")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("edits", "stack", "expected"), SEEDED.values(), ids=list(SEEDED))
def test_an_edit_breaks_a_rule_at_its_line(
    edited, edits: Edits, stack: str, expected: list[tuple[str, str, str]]
) -> None:
    project = edited(*edits)
    lines = project.path.read_text(encoding="utf-8").splitlines()
    told = [
        (rule, path, lines[line - 1])
        for rule, path, line in dict.fromkeys(found(project, stack))
        if rule != "log-encryption"
    ]
    assert len(told) == len(expected), told
    for (rule, path, shown), (wanted, at, text) in zip(told, expected, strict=True):
        assert (rule, path) == (wanted, at)
        assert text in shown


ONE_MACHINE = ("scaling: {min: 2, max: 20}", "scaling: {min: 1, max: 20}")


def excepted(at: str, until: str = "2027-01-31", rule: str = "single-instance") -> tuple[str, str]:
    text = f"exceptions: {{{rule}: {{at: {at}, reason: a pilot, until: {until}}}}}\n"
    return ("security: {keys: customer}", f"{text}security: {{keys: customer}}")


@pytest.mark.parametrize(
    "at", ["serving.api", "serving.api.scaling.min", "serving", ".", "appautoscaling.Target/api-main-scaling"]
)  # fmt: skip
def test_an_exception_lets_pass_what_it_covers(edited, at: str) -> None:
    project = edited(ONE_MACHINE, excepted(at))
    (finding,) = policies(project, "prod", today=TODAY)
    assert finding.suppressed_by == "exceptions.single-instance until 2027-01-31: a pilot"
    assert not finding.counts


@pytest.mark.parametrize("at", ["serving.api.scaling.max", "models", "s3.Bucket/data-data"])
def test_an_exception_for_another_place_does_not(edited, at: str) -> None:
    (finding,) = policies(edited(ONE_MACHINE, excepted(at)), "prod", today=TODAY)
    assert finding.suppressed_by == ""


def test_an_exception_holds_through_its_last_day(edited) -> None:
    project = edited(ONE_MACHINE, excepted("serving.api", "2026-11-21"))
    assert found(project, "prod") == []


def test_an_exception_that_ended_is_an_error_and_lets_nothing_pass(edited) -> None:
    project = edited(ONE_MACHINE, excepted("serving.api", "2026-11-20"))
    findings = policies(project, "prod", today=TODAY)
    assert [each.rule for each in findings] == ["single-instance", "expired-exception"]
    assert findings[1].counts
    assert findings[1].line == line_of(project, "exceptions:")
    assert "2026-11-20" in findings[1].message


def test_an_exception_for_a_rule_that_does_not_exist(edited) -> None:
    project = edited(excepted("serving.api", rule="single-instanse"))
    (problem,) = [each for each in validate(project.path) if each.severity == "error"]
    assert problem.code == "unknown-rule"
    assert problem.line == line_of(project, "exceptions:")
    assert problem.hint == "did you mean 'single-instance'?"
    with pytest.raises(BlueprintInvalid):
        project.policies("prod")


def test_validate_reads_the_teams_settings(edited) -> None:
    project = edited()
    (project.root / "policies.yaml").write_text("policies: 1\nrules: {tls-onyl: {}}\n")
    (problem,) = [each for each in validate(project.path) if each.severity == "error"]
    assert (problem.code, problem.line) == ("unknown-rule", 2)
    assert problem.file.endswith("policies.yaml")


def test_the_team_says_what_production_is(edited) -> None:
    project = edited()
    (project.root / "policies.yaml").write_text("policies: 1\nproduction: [prod]\n")
    assert found(project, "staging") == []


def test_a_rollback_that_got_lost_is_told_at_the_rollout(edited) -> None:
    project = edited()
    graph = project.capture("prod")
    endpoint = "aws:sagemaker/endpoint:Endpoint"
    resources = tuple(
        replace(each, inputs={**each.inputs, "deploymentConfig": {}})
        if each.type == endpoint
        else each
        for each in graph
    )
    assert found(project, "prod", graph=replace(graph, resources=resources)) == [
        (
            "endpoint-rollback",
            "serving.api.rollout",
            line_of(project, "rollout: {strategy: all-at-once"),
        )
    ]


def test_machines_are_the_teams_choice(edited) -> None:
    project = edited()
    settings = "policies: 1\nrules: {allowed-instances: {allowed: [ml.c5.*]}}\n"
    (project.root / "policies.yaml").write_text(settings)
    assert sorted({(rule, path) for rule, path, _ in found(project, "dev")}) == [
        ("allowed-instances", "models.adherence"),
        ("allowed-instances", "serving.api"),
        ("allowed-instances", "serving.api.monitor"),
    ]


def test_regions_are_the_teams_choice(edited) -> None:
    project = edited()
    settings = "policies: 1\nrules: {allowed-regions: {regions: [eu-central-*]}}\n"
    (project.root / "policies.yaml").write_text(settings)
    assert found(project, "dev") == [
        ("allowed-regions", "region", line_of(project, "region: eu-west-1"))
    ]


OWN = """
from mlops_iac.policy import Rule, Violation

def check(context):
    for each in context.of_type("aws:sagemaker/endpoint:Endpoint"):
        yield Violation(f"{each.name} is not approved", each, context.path_of(each, "model"))

RULE = Rule(id="no-endpoints", title="None", severity="mandatory", why="So.",
            remediation="none", source="us", check=check)
"""


def test_rules_of_the_team_run_unless_left_out(edited) -> None:
    project = edited(excepted("serving.api", rule="no-endpoints"))
    with pytest.raises(BlueprintInvalid):
        project.policies("prod")
    folder = project.root / "policies"
    folder.mkdir()
    (folder / "no_endpoints.py").write_text(OWN)
    assert validate(project.path) == []
    (finding,) = policies(project, "prod", today=TODAY)
    assert (finding.rule, finding.path) == ("no-endpoints", "serving.api.model")
    assert finding.suppressed_by
    assert policies(project, "prod", own=False, today=TODAY) == []
    (folder / "no_endpoints.py").write_text("raise SystemError('no')")
    assert validate(project.path) == []  # runs nothing
    with pytest.raises(UsageError, match="SystemError"):
        project.policies("prod")


def test_what_is_required_names_place_and_fix(edited) -> None:
    from mlops_iac.api.compile.guard_rail_checks import require

    project = edited(("scaling: {min: 2, max: 20}", "scaling: {min: 1, max: 20}"))
    require(project.policies("prod"), "prod")  # advice stops nobody
    (project.root / "policies.yaml").write_text(
        "policies: 1\nrules: {single-instance: {severity: mandatory}}\n"
    )
    with pytest.raises(PolicyViolation) as caught:
        require(project.policies("prod"), "prod")
    assert caught.value.exit_code == 5
    assert (
        f"blueprint.yaml:{line_of(project, 'scaling: {min: 1, max: 20}')}" in caught.value.message
    )
    assert "scaling: {min: 2" in caught.value.hint


def test_the_rules_cost_little_beside_a_capture(edited) -> None:
    from time import process_time

    project = edited()
    graph = project.capture("prod")
    project.policies("prod", graph=graph)
    begun = process_time()
    project.policies("prod", graph=graph)
    assert process_time() - begun < 0.2
