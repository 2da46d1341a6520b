"""An ejected program under the plain Pulumi CLI, in a Python that has no mlops-iac."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.api import load
from mlops_iac.emulators import wire
from mlops_iac.emulators.plugin import serve
from tests.cli.harness import Cli, copy_example, environment
from tests.oracles.test_pulumi_example import comparable

pytestmark = [
    pytest.mark.pulumi_cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no `pulumi` on PATH"),
]

BLOCKED = """\
import importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "mlops_iac":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
"""


def test_plain_pulumi_sees_the_same_resources_without_the_package(tmp_path: Path) -> None:
    folder = copy_example(tmp_path / "project")
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BLOCKED)
    cli = Cli(folder, {**environment(), "PULUMI_HOME": str(home), "HOME": str(home)})
    cli("compile", "-q")
    project = load(folder / "blueprint.yaml")
    program = folder / "stacks" / project.name
    with serve(project.emulated_cloud.providers("local")["aws"]) as served:
        variables = {
            **cli.environment,
            **served.environment,
            "PULUMI_BACKEND_URL": tmp_path.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_PYTHON_CMD": sys.executable,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

        def pulumi(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                ["pulumi", *arguments, "--non-interactive"],
                cwd=program, env={**variables, **more}, capture_output=True, text=True, timeout=120,
            )  # fmt: skip

        def planned(**more: str) -> dict[str, Any]:
            """What each resource is given, by URN."""
            done = pulumi("preview", "--json", **more)
            assert done.returncode == 0, done.stdout + done.stderr
            steps = json.loads(done.stdout)["steps"]
            return {
                step["urn"]: comparable(wire.from_json(step["newState"].get("inputs", {})))
                for step in steps
            }

        assert pulumi("stack", "init", "local").returncode == 0
        alone = {"PYTHONPATH": str(tmp_path / "site")}
        assert pulumi("preview", **alone).returncode != 0
        before = planned()
        cli("eject", "--all", "-q")
        assert planned(**alone) == before
