"""The generated job for pull requests from forks, run as the CI system would, on a hostile fork."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_iac.api import delivering, load
from tests.cli.harness import EXAMPLE, ROOT, copy_example, environment

EVIL = "import pathlib; pathlib.Path({marker!r}).write_text('ran')\n"
BIN = Path(sys.executable).parent


def git(folder: Path, *words: str) -> str:
    author = ("-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false")
    answer = subprocess.run(
        ["git", *author, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the example and its compiled program, as it stands on a server."""
    folder = copy_example(tmp_path_factory.mktemp("base") / "project")
    shutil.copytree(ROOT / "stacks" / EXAMPLE.name, folder / "stacks" / EXAMPLE.name)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    subprocess.run(
        [sys.executable, "-m", "mlops_iac", "compile", "-q"],
        cwd=folder, env=environment(), check=True,
    )  # fmt: skip
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "base")
    return folder


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "the-forks-code-ran"


@pytest.fixture
def fork(base: Path, tmp_path: Path, marker: Path) -> Path:
    """A clone of it whose every file that could be run says so when it is."""
    folder = tmp_path / "fork"
    git(tmp_path, "clone", "--quiet", str(base), str(folder))
    evil = EVIL.format(marker=str(marker))
    for place in (
        ".mlops-iac/program/pulumi_aws.py",
        ".mlops-iac/program/pulumi.py",
        ".mlops-iac/program/json.py",
        "policies/evil.py",
        "stacks/schedule-adherence/__main__.py",
        "mlops_iac/__init__.py",
        "pulumi/__init__.py",
        "sitecustomize.py",
        "conftest.py",
        "workload/train.py",
        "setup.py",
    ):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(evil, encoding="utf-8")
    (folder / ".gitattributes").write_text("* filter=evil\n", encoding="utf-8")
    (folder / "workload" / "link.py").symlink_to("/etc/passwd")
    text = (folder / "blueprint.yaml").read_text(encoding="utf-8")
    text = text.replace("scaling: {min: 2, max: 20}", "scaling: {min: 2, max: 30}")
    (folder / "blueprint.yaml").write_text(text, encoding="utf-8")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "fork")
    return folder


def steps(base: Path) -> list[dict[str, Any]]:
    files = delivering.workflows(load(base / "blueprint.yaml"), "github", root=base)
    [text] = [text for path, text in files.items() if "fork" in path.name]
    [job] = yaml.safe_load(text)["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def run_job(base: Path, fork: Path, work: Path, head: str) -> subprocess.CompletedProcess[str]:
    """Everything the job runs between the installation and the comments, in one shell each."""
    checkout = work / "checkout"
    git(work, "clone", "--quiet", "--depth=1", base.as_uri(), str(checkout))
    pull = git(fork, "rev-parse", "HEAD")
    git(base, "fetch", "--quiet", str(fork), f"+{pull}:refs/pull/7/head")
    known = {
        "github.event.pull_request.number": "7",
        "github.event.pull_request.head.sha": head,
        "github.event.pull_request.base.sha": git(base, "rev-parse", "main"),
        "github.token": "the-jobs-token",
    }
    temp = work / "temp"
    temp.mkdir()
    chosen = [s for s in steps(base) if "fork" in s.get("run", "")]
    assert len(chosen) == 2
    for step in chosen:
        extra = {
            key: known[value.removeprefix("${{ ").removesuffix(" }}")]
            if value.startswith("${{")
            else value
            for key, value in step["env"].items()
        }
        answer = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=checkout,
            env={
                **environment(),
                "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
                "RUNNER_TEMP": str(temp),
                "GITHUB_WORKSPACE": str(checkout),
                **extra,
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        if answer.returncode:
            break
    return answer


def test_a_hostile_fork_is_previewed_and_nothing_of_it_runs(
    base: Path, fork: Path, marker: Path, tmp_path: Path
) -> None:
    answer = run_job(base, fork, tmp_path, git(fork, "rev-parse", "HEAD"))
    assert answer.returncode in (0, 5), answer.stderr
    assert not marker.exists(), marker.read_text(encoding="utf-8")
    saved = json.loads((tmp_path / "temp" / "prod.json").read_text(encoding="utf-8"))
    changed = {
        reviewed["step"]["urn"].split("::")[-1]
        for reviewed in saved["review"]["steps"]
        if reviewed["step"]["op"] != "same" and reviewed["step"]["custom"]
    }
    assert any("scaling" in name for name in changed)
    assert any("own rules were not run" in note for note in saved["review"]["notes"])
    assert "the-jobs-token" not in answer.stdout + answer.stderr + json.dumps(saved)
    link = tmp_path / "temp" / "fork" / "workload" / "link.py"
    assert link.read_text(encoding="utf-8") == "/etc/passwd"
    assert not link.is_symlink()


def test_a_pull_request_that_moved_on_is_left_to_its_newest_run(
    base: Path, fork: Path, tmp_path: Path
) -> None:
    answer = run_job(base, fork, tmp_path, "0" * 40)
    assert answer.returncode == 1
    assert "moved on" in answer.stdout
    assert not list((tmp_path / "temp").iterdir())


def test_the_marker_tells_when_the_forks_code_does_run(fork: Path, marker: Path) -> None:
    subprocess.run([sys.executable, "workload/train.py"], cwd=fork, check=True)
    assert marker.exists()
