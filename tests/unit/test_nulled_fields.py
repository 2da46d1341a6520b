"""A field that an upper layer takes away is told at the line that takes it away."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.blueprint import inspect
from mlops_iac.errors import Diagnostic
from tests.template_support import TEAM, read, template, workspace


def told(text: str, found: list[Diagnostic]) -> list[tuple[str, str]]:
    """The line as written, and the message."""
    lines = text.splitlines()
    return [(lines[each.line - 1].strip(), each.message) for each in found]


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("models: {churn: {code: null}}", "models.churn needs 'code'"),
        ("models: {churn: {runtime: {framework: null, version: null}}}", "models.churn.runtime"),
        ("models: {churn: {train: {script: null}}}", "models.churn.train needs 'script'"),
        ("serving: {api: {mode: null}}", "serving.api needs 'mode'"),
        ("datasets: {customers: {format: null, source: s3://b/k}}", "datasets.customers needs"),
        ("region: ~", "a blueprint needs 'region'"),
    ],
)
def test_an_overlay_that_takes_away_what_is_needed(
    tmp_path: Path, overlay: str, message: str
) -> None:
    line = f"prod: {{account: 210987654321, {overlay}}}"
    text = TEAM.replace("extends: [{template: standard}]\n", "").replace(
        "environments: {dev: {}, prod: {account: 210987654321}}",
        f"environments:\n  dev: {{}}\n  {line}",
    )
    assert line in text
    _, found = inspect(workspace(tmp_path, text), shown="blueprint.yaml")
    mine = [each for each in told(text, found) if message in each[1]]
    assert mine, found
    assert {written for written, _ in mine} == {line}


def test_what_is_written_again_above_is_not_missing(tmp_path: Path) -> None:
    text = TEAM.replace("extends: [{template: standard}]\n", "").replace(
        "prod: {account", "prod: {region: null, account"
    )
    path = workspace(tmp_path, text)
    for given, missing in (("eu-west-1", False), ("null", True)):
        line = (f"region={given}",)
        _, found = inspect(path, shown="blueprint.yaml", command_line=line)
        assert any("needs 'region'" in each.message for each in found) == missing


def test_what_a_team_takes_away_from_its_template_is_told_in_its_own_file(tmp_path: Path) -> None:
    standard = template(blueprint="serving: {api: {mode: real-time}}\n")
    text = TEAM.replace("serving: {api: {mode: real-time}}", "serving:\n  api:\n    mode: null")
    _, found = read(tmp_path, text, standard=standard)
    (line,) = {(each.file, each.line) for each in found if "'mode'" in each.message}
    assert line == ("blueprint.yaml", text.splitlines().index("    mode: null") + 1)
