"""Ruff and mypy accept the program compiled from the example, and mypy notices wrong arguments."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mlops_iac
from mlops_iac.api.compile import captures

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "schedule-adherence"

# The provider SDK is what takes a minute to check; the components' own arguments are what counts.
CONFIG = """
[mypy]
strict = True
[mypy-pulumi_aws.*]
follow_imports = skip
ignore_missing_imports = True
[mypy-mlops_iac.*]
follow_imports = silent
disallow_subclassing_any = False
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("program")
    project = mlops_iac.load(EXAMPLE / "blueprint.yaml")
    main = captures.build(project, out).files["__main__.py"]
    (out / "__main__.py").write_bytes(main)
    (out / "mypy.ini").write_text(CONFIG)
    return out


# The defect's kind for mypy → what stands in the program and what stands there instead.
DEFECTS = {
    "arg-type": (
        'settings.integer("budget.monthly_usd")',
        'settings.text("budget.monthly_usd")',
    ),
    "call-arg": ("monthly_usd=", "monthly_euro="),
    "attr-defined": ("alerts.topic_arn", "alerts.topik_arn"),
}


@pytest.fixture(scope="module")
def errors(program: Path) -> set[tuple[str, str]]:
    """What mypy finds, as `(module, kind)`: in the program, and in a copy for each defect."""
    sound = (program / "__main__.py").read_text()
    names = ["__main__.py"]
    for kind, (right, wrong) in DEFECTS.items():
        assert right in sound
        names.append(f"{kind.replace('-', '_')}.py")
        (program / names[-1]).write_text(sound.replace(right, wrong))
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", "cache"]
    done = subprocess.run([*command, *names], cwd=program, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"checked {len(names)} source files" in done.stdout
    return set(re.findall(r"^(\w+)\.py:\d+: error: .* \[([\w-]+)\]$", done.stdout, re.MULTILINE))


def test_the_program_is_strictly_typed(errors: set[tuple[str, str]]) -> None:
    assert {kind for module, kind in errors if module == "__main__"} == set()


@pytest.mark.parametrize("kind", DEFECTS)
def test_a_seeded_defect_is_rejected(errors: set[tuple[str, str]], kind: str) -> None:
    assert (kind.replace("-", "_"), kind) in errors


@pytest.mark.parametrize("command", [["format", "--diff"], ["check", "--select", "E4,E7,E9,F,I,W"]])
def test_the_program_is_formatted_and_linted(program: Path, command: list[str]) -> None:
    ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "__main__.py"]
    result = subprocess.run(ruff, cwd=program, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


SUM = """
import hashlib, sys
from pathlib import Path
import mlops_iac
from mlops_iac.api.compile import captures
program = captures.build(mlops_iac.load(sys.argv[1]), Path(sys.argv[2]))
print(hashlib.sha256(repr((program.files, program.config)).encode()).hexdigest())
"""


def test_the_program_does_not_depend_on_the_order_of_sets(tmp_path: Path) -> None:
    sums = {
        subprocess.run(
            [sys.executable, "-c", SUM, EXAMPLE / "blueprint.yaml", tmp_path],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(sums) == 1
