"""Blocks and modes: each says what follows from it, and nothing else names it."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.clouds.aws import sagemaker
from mlops_iac.clouds.aws.sagemaker import modes, stack
from mlops_iac.clouds.aws.sagemaker.modes import MODES
from mlops_iac.clouds.aws.sagemaker.parts import Mode, Needs
from mlops_iac.clouds.aws.sagemaker.scope import Scope, call
from mlops_iac.clouds.aws.sagemaker.stack import PARTS
from mlops_iac.clouds.base import ComponentCall, Setting
from tests.sagemaker_blueprints import MAXIMAL, MINIMAL, loaded

ROOM = Path(sagemaker.__file__).parent


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_names_that_a_plan_takes_are_stated(tmp_path: Path, environment: str) -> None:
    scope = Scope(loaded(tmp_path, MAXIMAL).resolve(environment))
    stated = {variable for part in PARTS for variable, _ in part.names(scope)}
    assert {made.variable for made in stack.plan(scope)} <= stated


def test_no_field_is_decided_by_two_parts() -> None:
    blocks = [part for part in PARTS if part not in MODES]
    for mode in MODES:
        patterns = Counter(pattern for part in (*blocks, mode) for pattern in part.planned)
        assert [pattern for pattern, count in patterns.items() if count > 1] == []


def test_only_its_own_files_name_a_mode() -> None:
    sections = {mode.section.__name__ for mode in MODES}
    named = {
        str(file.relative_to(ROOM))
        for file in ROOM.rglob("*.py")
        if file.parent.name != "modes"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Name) and node.id in sections)
        or (isinstance(node, ast.Constant) and node.value in {mode.name for mode in MODES})
    }
    assert named == set()


def test_another_mode_is_a_line_in_a_tuple(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its calls stand in the program, and the components that all share are told what it needs."""

    def plan(scope: Scope) -> list[ComponentCall]:
        entries = scope.entries(RealTime)
        return [call(f"{name}_twin", "twin:Twin", {}, path="") for name in entries]

    def needs(_: Scope) -> Needs:
        days = Setting(3, "serving.api.capture.retention_days")
        return Needs(endpoints=["twin"], captures={"twin": days}, rollback_alarms=["twin-alarm"])

    twin = Mode(name="twin", section=RealTime, plan=plan, needs=needs)
    at = PARTS.index(MODES[-1]) + 1
    monkeypatch.setattr(stack, "PARTS", (*PARTS[:at], twin, *PARTS[at:]))
    monkeypatch.setattr(modes, "MODES", (*MODES, twin))
    made = {each.variable: each for each in stack.plan(Scope(loaded(tmp_path, MINIMAL).resolve()))}
    assert [name for name in made if name.endswith("_twin")] == [
        f"{name}_twin" for name in Scope(loaded(tmp_path, MINIMAL).resolve()).entries(RealTime)
    ]
    assert made["identity"].args["endpoints"][-1] == "twin"
    assert made["identity"].args["captures"] == ["twin"]
    assert made["identity"].args["rollback_alarms"][-1] == "twin-alarm"
    assert made["data"].args["captures"]["twin"].value == 3
