"""What `mlops_iac.__all__` says is there, is typed for a user's own checker, and is described."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

import mlops_iac
from tools import python_api

GOOD = """\
import mlops_iac

project: mlops_iac.Project = mlops_iac.load("blueprint.yaml")
try:
    plan: mlops_iac.Plan = project.preview("prod")
except mlops_iac.BlueprintInvalid as error:
    told: list[mlops_iac.Diagnostic] = list(error.diagnostics)
for step in plan.changes:
    words: str = step.op + step.urn
def heard(event: mlops_iac.RunEvent) -> None:
    print(event.step)
def served(versions: mlops_iac.Registry) -> list[int]:
    return [each.version for each in versions.versions() if each.status == "Approved"]
with project.deployment("local") as deployment:
    seconds: float = deployment.up().duration_seconds
run: mlops_iac.Run = project.run(on_event=heard)
metrics: float = run.result.metrics["accuracy"]
owner: str | None = project.resolve("prod").blueprint.owner
"""
TYPOS = [
    ("mlops_iac.load(", "mlops_iac.lod(", "attr-defined"),
    ("plan.changes", "plan.chnages", "attr-defined"),
    ("step.urn", "step.unr", "attr-defined"),
    ("error.diagnostics", "error.diagnotics", "attr-defined"),
    ("mlops_iac.Plan ", "mlops_iac.Pln ", "name-defined"),
    ('preview("prod")', 'preview("prod", agianst="lock")', "call-arg"),
    ("event.step", "event.setp", "attr-defined"),
    ("each.version ", "each.versoin ", "attr-defined"),
    ("deployment.up()", "deployment.pu()", "attr-defined"),
    ("run.result", "run.reslut", "attr-defined"),
    ("blueprint.owner", "blueprint.ownr", "attr-defined"),
    ("seconds: float", "seconds: str", "assignment"),
]


def test_a_typo_fails_a_users_type_checker(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    for number, (right, wrong, _) in enumerate(TYPOS):
        assert GOOD.count(right) == 1, right
        (tmp_path / f"typo{number}.py").write_text(GOOD.replace(right, wrong))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "cache", "--no-pretty", "."],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    said = re.findall(r"^(\w+)\.py:\d+: error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    assert "good" not in {file for file, _ in said}, done.stdout
    for number, (_, wrong, code) in enumerate(TYPOS):
        assert (f"typo{number}", code) in said, f"{wrong}: {done.stdout}{done.stderr}"


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys; before = {*sys.modules}; import mlops_iac; print({*sys.modules} - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name for name in eval(done.stdout) if name.startswith("mlops_iac")} == {"mlops_iac"}


def test_a_name_that_is_not_there_is_none_at_runtime() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = mlops_iac.lod  # type: ignore[attr-defined]
    assert dir(mlops_iac) == sorted(mlops_iac.__all__)


def ours(hint: Any) -> set[str]:
    """The classes of this package in a type."""
    inner = {name for each in get_args(hint) for name in ours(each)}
    return inner | (
        {hint.__name__}
        if isinstance(hint, type) and hint.__module__.startswith("mlops_iac.")
        else set()
    )


@pytest.mark.parametrize("name", sorted(python_api.EXPORTED))
def test_everything_public_is_described_and_leads_to_nothing_that_is_not(name: str) -> None:
    item = python_api.EXPORTED[name]
    items = {name: item} if callable(item) else {}
    hints = dict(python_api.fields_of(item)) if isinstance(item, type) else {}
    if isinstance(item, type):
        items |= {f"{name}.{key}": python_api.plain(each) for key, each in python_api.members(item)}
    for at, each in items.items():
        said = inspect.getdoc(each) or ""
        assert said.strip(), f"{at} has no docstring"
        if inspect.isfunction(each):
            hints |= {f"{at}.{key}": hint for key, hint in python_api.hints_of(each).items()}
        raised = re.findall(r"\b[A-Z]\w+(?:Error|Invalid|NotFound|Failed|Moved|Out)\b", said)
        assert {*raised} <= {*mlops_iac.__all__}, f"{at} raises what is not exported"
    for at, hint in hints.items():
        assert ours(hint) <= {*mlops_iac.__all__}, f"{at}: {hint} is not exported"


def test_what_is_said_to_be_internal_is_there() -> None:
    """Or a renamed attribute would silently become part of the page."""
    for name, hidden in python_api.INTERNAL.items():
        item = python_api.EXPORTED[name]
        assert {*hidden.split()} <= {*dir(item), *getattr(item, "__match_args__", ())}
