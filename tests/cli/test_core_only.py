"""The core package without the `[aws]` extra: what works, and what the rest says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.harness import environment

WITHOUT_EXTRA = """
import sys
from mlops_iac.cli._app import AWS_EXTRA, run

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in AWS_EXTRA:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
sys.exit(run(sys.argv[1:]))
"""


def core(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA, *words],
        cwd=project, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("words", [["validate"], ["schema"], ["explain", "serving.api"]])
def test_reading_a_blueprint_needs_no_provider_sdk(project: Path, words: list[str]) -> None:
    answer = core(project, *words)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    "words",
    [["compile"], ["preview"], ["preview", "-s", "prod"], ["up", "--yes"], ["graph"]],
)
def test_what_needs_one_says_how_to_get_it(project: Path, words: list[str]) -> None:
    answer = core(project, *words)
    assert answer.returncode == 2
    assert "pip install 'mlops-iac[aws]'" in answer.stderr
    assert "internal error" not in answer.stderr
