"""What each extra is enough for: nothing can be imported but what its requirements bring."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.cli.harness import ROOT, environment

INSTALLED_ONLY = """
import json, sys
absent = set(json.loads(sys.argv.pop(1)))

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        known = name.partition(".")[0] not in absent
        return self.finder.find_spec(name, path, target) if known else None

sys.meta_path[:] = map(Without, sys.meta_path)
from mlops_iac.cli._app import run
sys.exit(run(sys.argv[1:]))
"""


def distributions(extra: str) -> set[str]:
    """Names of all that `mlops-iac[extra]` brings, by what is declared now."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    own = {"": project["dependencies"], **project["optional-dependencies"]}
    todo = [Requirement(text) for text in [*own[""], *own.get(extra, [])]]
    seen: set[tuple[str, str]] = set()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        for part in ("", *wanted.extras):
            if (name, part) in seen:
                continue
            seen.add((name, part))
            if name == "mlops-iac":
                todo += map(Requirement, own[part])
                continue
            try:
                more = map(Requirement, requires(name) or ())
            except PackageNotFoundError:  # of another system
                continue
            todo += [r for r in more if r.marker is None or r.marker.evaluate({"extra": part})]
    return {name for name, _ in seen}


def absent(extra: str) -> list[str]:
    """Modules that are installed here, and would not be with that extra alone."""
    brought = distributions(extra) | {"mlops-iac"}
    return [
        module
        for module, owners in packages_distributions().items()
        if brought.isdisjoint(map(canonicalize_name, owners))
    ]


def with_extra(extra: str, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", INSTALLED_ONLY, json.dumps(absent(extra)), *words],
        cwd=project, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("words", [["validate"], ["schema"], ["explain", "serving.api"]])
def test_reading_a_blueprint_needs_no_provider_sdk(project: Path, words: list[str]) -> None:
    answer = with_extra("", project, *words)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    "words",
    [["compile"], ["preview"], ["preview", "-s", "prod"], ["up", "--yes"], ["graph"]],
)
def test_what_needs_one_says_how_to_get_it(project: Path, words: list[str]) -> None:
    answer = with_extra("", project, *words)
    assert answer.returncode == 2
    assert "pip install 'mlops-iac[aws]', or 'mlops-iac[emulate]'" in answer.stderr
    assert "internal error" not in answer.stderr


def test_what_deploys_brings_no_emulator() -> None:
    assert distributions("aws").isdisjoint({"moto", "cfn-lint", "docker", "flask", "cryptography"})
    assert distributions("emulate") >= distributions("aws") | {"moto", "cryptography"}


@pytest.mark.parametrize(
    "words",
    [
        ["compile"],
        ["preview", "-s", "prod", "--policy"],
        ["policy", "check"],
        ["ci", "generate", "github", "--json"],
        ["doctor"],
    ],
)
def test_what_ci_does_needs_what_deploys_alone(project: Path, words: list[str]) -> None:
    answer = with_extra("aws", project, *words)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_emulated_cloud_says_what_it_lacks(project: Path) -> None:
    answer = with_extra("aws", project, "up", "--yes")
    assert answer.returncode == 2
    assert "pip install 'mlops-iac[emulate]'" in answer.stderr


def imported(file: Path) -> set[str]:
    """Every module that a file of ours may import, also inside of functions; what is imported from
    one may be a module, too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def test_only_the_emulated_cloud_imports_what_deploying_does_not_bring() -> None:
    lacking = {cloud: set(absent(cloud)) for cloud in ("aws", "azure")}
    source = ROOT / "src"
    imports = {
        ".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__"): imported(file)
        for file in source.rglob("*.py")
        if "template" not in file.relative_to(source).parts
    }  # fmt: skip
    lacks = {
        name: {each.partition(".")[0] for each in of}
        & lacking["azure" if name.startswith("mlops_iac.clouds.azure.") else "aws"]
        for name, of in imports.items()
    }
    # Moto's process, and what it imports: whatever imports one of these needs moto, too.
    emulated = {name for name, of in lacks.items() if of & {"moto", "werkzeug"}}
    while more := {name for name, of in imports.items() if of & emulated} - emulated:
        emulated |= more
    assert "mlops_iac.emulators.aws.moto_process" in emulated
    assert {name for name in emulated if not name.startswith("mlops_iac.emulators.aws.")} == set()
    assert {name: of for name, of in lacks.items() if of and name not in emulated} == {
        "mlops_iac.engine.embedded.secretbox": {"cryptography"},  # secrets in the state of `local`
        "mlops_iac.runtime.rows": {"pandas"},  # in the containers of jobs
        "mlops_iac.runtime.tracking": {"mlflow"},  # likewise
        "mlops_iac.clouds.azure.runtime.job": {"mlflow"},  # likewise
        "mlops_iac.emulators.azure.certificates": {"cryptography"},  # of the emulated cloud
    }
