"""`policy check | ls | pack`, and guard rails beside `preview`, `up` and `validate`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.cli.harness import Cli

NO_OWNER = ("owner: analytics@acme.example\n", "")
Edit = Callable[[str, str], None]


def test_check_looks_at_every_environment(cli: Cli) -> None:
    answer = cli("policy", "check")
    assert "error[" not in answer.out
    assert "warning[single-instance]" in answer.out
    assert "(in staging)" in answer.out
    assert "dev, staging, prod: 0 mandatory, 1 advisory, 0 suppressed" in answer.err
    assert cli("policy", "check", "-s", "prod", "--json").json == {
        "stacks": ["prod"],
        "findings": [],
        "mandatory": 0,
        "advisory": 0,
        "suppressed": 0,
    }
    one = cli("policy", "check", "-s", "prod", "--all-stacks", "--json").json
    assert one["totals"] == {"blueprints": 1, "stacks": 1, "kept": 1}


def test_an_environment_without_an_account_is_no_stranger_to_itself(cli: Cli, edit: Edit) -> None:
    edit("\nenvironments:\n", "\nenvironments:\n  sandbox: {}\n")
    assert "cross-account" not in cli("policy", "check", "-s", "sandbox").out


def test_a_broken_rule_exits_with_5_in_every_form(cli: Cli, edit: Edit) -> None:
    edit(*NO_OWNER)
    answer = cli("policy", "check", expect=5)
    assert "error[owner-tag]: nothing has the tag 'owner'" in answer.out
    assert "error: 1 mandatory finding(s): owner-tag" in answer.err
    told = cli("policy", "check", "-s", "dev", "--format", "json", expect=5).json
    (finding,) = told["findings"]
    assert (finding["rule"], finding["path"], finding["file"]) == (
        "owner-tag",
        "owner",
        "blueprint.yaml",
    )
    assert finding["stacks"] == ["dev"]
    log = cli("policy", "check", "-s", "dev", "--format", "sarif", expect=5).json
    assert [each["ruleId"] for each in log["runs"][0]["results"]] == ["owner-tag"]
    line = cli("policy", "check", "-s", "dev", "--format", "github", expect=5).out
    assert line.startswith("::error file=blueprint.yaml,title=owner-tag,line=")


def test_preview_shows_findings_under_the_plan(cli: Cli, edit: Edit) -> None:
    cli("compile")
    shown = cli("preview", "-s", "staging", "--policy")
    assert "warning[single-instance]" in shown.err
    assert "guard rails: 0 mandatory, 1 advisory, 0 suppressed" in shown.err
    assert "guard rails" not in cli("preview", "-s", "staging").err
    edit(*NO_OWNER)
    plan = cli("preview", "-s", "staging", "--policy", "--json", expect=5).json
    assert [each["rule"] for each in plan["policies"]] == ["owner-tag", "single-instance"]
    assert plan["steps"]


def test_up_refuses_before_anything_is_done(cli: Cli, edit: Edit, project: Path) -> None:
    edit(*NO_OWNER)
    answer = cli("up", "-s", "prod", "--yes", expect=5)
    assert "prod breaks owner-tag: blueprint.yaml:" in answer.err
    assert "fix: write `owner:` in the blueprint" in answer.err
    assert not (project / ".mlops-iac" / "state").exists()
    told = cli("up", "-s", "prod", "--yes", "--json", expect=5).json
    assert told["error"]["exit_code"] == 5


def test_local_is_free_of_guard_rails(cli: Cli, edit: Edit) -> None:
    edit(*NO_OWNER)
    assert "owner-tag" not in cli("up", "--yes").err


def test_rules_are_listed_and_explained(cli: Cli, project: Path) -> None:
    (project / "policies.yaml").write_text(
        "policies: 1\nrules: {log-encryption: {enabled: false}, cost-tag: {severity: mandatory}}\n"
    )
    rows = {line.split()[0]: line.split()[1] for line in cli("policy", "ls").out.splitlines()}
    assert len(rows) >= 30
    assert (rows["tls-only"], rows["log-encryption"], rows["cost-tag"]) == (
        "mandatory",
        "off",
        "mandatory",
    )
    explained = cli("policy", "ls", "log-retention").out
    assert "least_days: The shortest retention, in days. Default: 30" in explained
    assert "https://" in explained
    unknown = cli("policy", "ls", "tls-onyl", expect=2)
    assert "did you mean 'tls-only'?" in unknown.err
    assert {each["id"] for each in cli("policy", "ls", "--json").json} == set(rows)


def test_what_is_wrong_in_the_teams_settings_is_told_at_its_line(cli: Cli, project: Path) -> None:
    (project / "policies.yaml").write_text("policies: 1\nrules:\n  tls-only: {enabled: false}\n")
    for command in (("validate",), ("policy", "check", "-s", "dev")):
        answer = cli(*command, expect=2)
        assert "policies.yaml:3:23: error[mandatory-rule]" in answer.err


def test_rules_of_the_team_can_be_left_out_and_that_is_told(cli: Cli, project: Path) -> None:
    (project / "policies").mkdir()
    (project / "policies" / "no_way.py").write_text("raise SystemError('ran')\n")
    broken = cli("policy", "check", "-s", "dev", expect=2)
    assert "policies/no_way.py:1 cannot be loaded: SystemError: ran" in broken.err
    answer = cli("policy", "check", "-s", "dev", "--no-team-rules")
    assert "the team's own rules were not run: no-way" in answer.err


def test_a_pack_is_written(cli: Cli, project: Path) -> None:
    cli("policy", "pack", "--out", "guard-rails")
    written = {path.name for path in (project / "guard-rails").iterdir()}
    assert written == {
        "PulumiPolicy.yaml", "__main__.py", "requirements.txt", "README.md", ".gitignore",
        "settings.json",
    }  # fmt: skip
    settings = json.loads((project / "guard-rails" / "settings.json").read_text())
    assert settings["stacks"]["prod"]["production"]
    assert not settings["stacks"]["dev"]["production"]
    assert "123456789012" not in settings["stacks"]["prod"]["accounts"]
    cli("policy", "pack", "--out", "guard-rails")
    assert "holds something else" in cli("policy", "pack", "--out", "workload", expect=2).err


def test_what_an_ephemeral_stack_breaks_is_told_where_it_can_be_mended(
    cli: Cli, edit: Callable[[str, str], None]
) -> None:
    edit("tags: {cost-centre: 4711}\n", "")
    said = cli("preview", "-s", "pr-1", "--from", "dev", "--policy").err
    assert "warning[cost-tag]" in said
    assert "blueprint.yaml:" in said
    assert "command line" not in said
