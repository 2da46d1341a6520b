"""What is said to a terminal fits into it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlops_iac.cli._app import run
from mlops_iac.cli._width import columns, folded

TEXT = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
extends: [{template: realtime}]
datasets: {rows: {source: rows.csv, format: csv, target: y}}
owner: risk@acme.example
environments:
  dev: {account: "111111111111", budget: {monthly_usd: 50}, protect: false}
  prod:
    account: "222222222222"
    serving: {api: {scaling: {min: 2, max: 8}, compute: {size: large}}}
    security: {network: private, keys: customer}
"""


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (0, ["one · two · three"]),
        (17, ["one · two · three"]),
        (16, ["one · two ·", "three"]),
        (3, ["one ·", "two ·", "three"]),
    ],
)
def test_folded(width: int, lines: list[str]) -> None:
    assert folded("one · two · three", " · ", width) == lines


def test_no_terminal_has_no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    assert columns() == 0


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "blueprint.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "rows.csv").write_text("x,y\n1,0\n")
    (tmp_path / "workload").mkdir()
    for name in ("prepare", "train", "evaluate", "predict"):
        (tmp_path / "workload" / f"{name}.py").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "words", [("stack", "ls", "--offline"), ("explain", "--diff", "dev", "prod")]
)
def test_eighty_columns(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    assert run(list(words)) == 0
    wide = capsys.readouterr().out
    assert max(map(len, wide.splitlines())) > 80
    # A layer that stands in the place already is not said again.
    assert "(template realtime@" not in wide
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert run(list(words)) == 0
    narrow = capsys.readouterr().out
    assert max(map(len, narrow.splitlines())) <= 80
    assert sorted(narrow.split()) == sorted(wide.split())
