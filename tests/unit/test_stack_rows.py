"""What an environment adds to the blueprint, and which of it is told first."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.api import load
from mlops_iac.api.core.stack_state import State
from mlops_iac.api.deploy import states
from mlops_iac.api.stacks import listing
from mlops_iac.api.stacks.listing import adds, headlines, stacks, told
from mlops_iac.errors import AuthenticationError

TEXT = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
tags: {team: risk, place: "${environment}"}
budget: {monthly_usd: 100}
alerts: {oncall: {email: a@acme.example}}
environments:
  local: {tags: {here: only}}
  dev: {account: "111111111111", tags: {team: risk}, budget: null}
  prod: {account: "222222222222", security: {keys: customer}, tags: {team: prod-risk}}
"""


def write(folder: Path, text: str = TEXT) -> Path:
    path = folder / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_an_overlay_repeats_is_not_added_and_what_it_removes_is(tmp_path: Path) -> None:
    project = load(write(tmp_path))
    assert adds(project, "dev") == {
        "account": "111111111111",
        "budget.monthly_usd": None,
    }
    assert adds(project, "prod") == {
        "account": "222222222222",
        "security.keys": "customer",
        "tags.team": "prod-risk",
    }
    assert adds(project, "local") == {"tags.here": "only"}


def test_what_a_template_says_of_an_environment_is_its_own(tmp_path: Path) -> None:
    template = tmp_path / "standard"
    template.mkdir()
    (template / "template.yaml").write_text(
        "template: 1\nname: acme/standard\nversion: 1.0.0\ndescription: x\nlimits:\n"
        "  environments.dev.security.keys: {fixed: customer, because: x}\n"
        "  tracking: {fixed: native, because: x}\n",
        encoding="utf-8",
    )
    (template / "blueprint.yaml").write_text(
        "owner: acme\nenvironments:\n  prod: {security: {keys: customer}}\n"
        '  "*": {tags: {cost: shared}}\n',
        encoding="utf-8",
    )
    text = TEXT.replace("security: {keys: customer}, ", "")
    text = text.replace("platform:", "extends: [{template: ./standard}]\nplatform:")
    project = load(write(tmp_path, text))
    assert adds(project, "prod") == {
        "account": "222222222222",
        "security.keys": "customer",
        "tags.team": "prod-risk",
        "tags.cost": "shared",
    }
    assert adds(project, "dev")["tags.cost"] == "shared"
    assert adds(project, "dev")["security.keys"] == "customer"
    for everywhere in ("owner", "tracking"):
        assert everywhere not in adds(project, "dev")


def test_what_people_ask_first_comes_first() -> None:
    found = headlines(
        {
            "account": "1",
            "protect": False,
            "tags.team": "risk",
            "budget.monthly_usd": 500,
            "serving.api.scaling.max": 20,
            "models.m.promote_from": "staging",
            "alerts.oncall.email": None,
            "existing.subnets": ("a", "b"),
        }
    )
    assert found == [
        "models.m.promote_from staging",
        "existing.subnets a, b",
        "serving.api.scaling.max 20",
        "budget.monthly_usd 500",
        "2 more",
    ]
    assert told({"account": "1", "protect": False, "tags.team": "risk"}) == 1


def test_what_the_platform_refuses_does_not_hide_the_stacks(tmp_path: Path) -> None:
    path = write(tmp_path)
    out = tmp_path / "stacks" / "churn"
    out.mkdir(parents=True)
    (out / "Pulumi.yaml").touch()
    path.write_text(TEXT.replace("alerts: {oncall: {email: a@acme.example}}\n", ""), "utf-8")
    found = stacks(load(path), offline=True)
    assert [(row.stack, row.program) for row in found.rows] == [
        ("local", "agrees"),
        ("dev", "unknown"),
        ("prod", "unknown"),
    ]
    assert "nobody to tell" in found.rows[1].program_why


def test_a_stack_of_nobody_is_told_with_what_it_has_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = {"type": "aws:s3/bucket:Bucket", "custom": True, "urn": "urn:pulumi:x::y::z::b"}
    left = State("old", {"resources": [bucket]})
    found = states.States(dict.fromkeys(("local", "dev", "prod"), State("")), {}, [left])
    monkeypatch.setattr(listing, "states", lambda _: found)
    (note,) = stacks(load(write(tmp_path))).notes
    assert "a stack old that is no environment of the blueprint: 1 resource(s) run on" in note
    assert "mlops-iac destroy -s old" in note


def test_who_looks_is_not_told_that_nothing_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = AuthenticationError("nobody is logged in; nothing was changed", hint="log in")

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(states, "_ask", refuse)
    found = stacks(load(write(tmp_path)))
    assert found.notes == ["states are unknown: nobody is logged in; log in"]
    assert {row.state_why for row in found.rows[1:]} == {"nobody is logged in"}
