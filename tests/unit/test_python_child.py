"""Python processes of ours import nothing by the name of a file in the folder they run in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mlops_iac import python_child

SOURCES = Path(__file__).parents[2] / "src" / "mlops_iac"
# The interpreter of the workload, which is to find its own modules (and of what tries it and keeps it in MLflow), of the
# steps' own code, a script that finds what lies beside it, and of the real engine's program; and the
# one that an environment is made of.
OTHERS = {
    "python_child.py",
    "clouds/azure/runtime/job.py",
    "runtime/examples.py",
    "runtime/step.py",
    "runtime/tracking.py",
    "workload/environments.py",
    "pipeline/local_prediction.py",
    "engine/pulumi_workspace.py",
}


def test_every_python_is_started_in_the_one_way() -> None:
    found = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if "sys.executable" in path.read_text(encoding="utf-8")
    }
    assert found == OTHERS


@pytest.mark.parametrize("given", ["", ".", "here", "here:", ":{kept}", "{kept}::./here:{kept}"])
def test_no_folder_that_is_relative_is_one_of_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    (tmp_path / "here").mkdir()
    kept = str(tmp_path / "kept")
    monkeypatch.setenv("PYTHONPATH", given.format(kept=kept))
    # A child of the child is another `python -c`, and no option says it to that one.
    asks = "import json, sys; json.dump(sys.path, sys.stdout)"
    again = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {asks!r}], check=True)"
    for code in (asks, again):
        answer = subprocess.run(
            python_child.command("-c", code),
            env=python_child.environment(),
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        path = json.loads(answer.stdout)
        assert not {"", str(tmp_path), str(tmp_path / "here")} & set(path)
        assert (kept in path) is ("{kept}" in given)
