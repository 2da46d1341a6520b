"""A checkout of somebody else's: what lies in it is neither run nor a way to other files."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.harness import Cli

# `python -m` itself imports some before anything of ours (`contextlib`): no package can help that.
STRAY = [
    "argparse",
    "json",
    "typing",
    "click",
    "yaml",
    "pulumi",
    "pulumi_aws",
    "moto",
    "subprocess",
]
STRAY += ["venv", "pip", "ensurepip", "logging", "filelock", "tempfile", "site", "sitecustomize"]
PLACES = ["", ".mlops-iac", ".mlops-iac/emulator", ".mlops-iac/program"]


@pytest.fixture
def ran(project: Path, tmp_path: Path) -> Path:
    """A file that says which of the modules in the project were imported."""
    told = tmp_path / "ran"
    told.touch()
    for place in PLACES:
        folder = project / place
        folder.mkdir(parents=True, exist_ok=True)
        for name in STRAY:
            path = folder / f"{name}.py"
            path.write_text(f"open({str(told)!r}, 'a').write({f'{place}/{name} '!r})\n")
    return told


@pytest.mark.parametrize(
    "words",
    [
        ["local", "start"],
        ["up", "--yes"],
        ["compile"],
        ["init", "realtime", "new", "--defaults"],
        ["template", "ls"],
    ],
    ids=" ".join,
)
def test_no_module_of_a_checkout_is_imported(cli: Cli, ran: Path, words: list[str]) -> None:
    replace(cli, warm=False)(*words)
    assert ran.read_text() == ""


def test_nothing_is_importable_beside_a_program_whatever_it_is_called(cli: Cli) -> None:
    """Where names differ in case only, `Pulumi.py` is the SDK; `Pulumi.local.yaml` is the user's."""
    folder = cli.folder / ".mlops-iac" / "program"
    folder.mkdir(parents=True)
    for name in ("Pulumi.py", "Pulumi.local.yaml"):
        (folder / name).write_text("config: {}\n")
    cli("preview")
    assert not (folder / "Pulumi.py").exists()
    assert (folder / "Pulumi.local.yaml").exists()


def test_making_the_environment_of_a_workload_imports_none_either(ran: Path, project: Path) -> None:
    code = (
        "from mlops_iac.workload.processes import Processes;"
        "from mlops_iac.workload.environments import workload_python;"
        "print(workload_python('', Processes(), print))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=project, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    assert ran.read_text() == ""


@pytest.mark.parametrize(
    "words",
    [
        ["compile"],
        ["preview"],
        ["preview", "-s", "dev", "--against", "lock"],
        ["up", "--yes"],
        ["run"],
        ["refresh"],
        ["destroy", "--yes"],
        ["status"],
        ["outputs"],
        ["policy", "check"],
        ["local", "start"],
        ["local", "stop"],
        ["local", "status"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("link", ["program", "emulator/server.log"])
def test_no_command_follows_a_link_out_of_the_work_folder(
    cli: Cli, project: Path, tmp_path: Path, words: list[str], link: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("mine")
    path = project / ".mlops-iac" / link
    path.parent.mkdir(parents=True)
    path.symlink_to(outside if link == "program" else outside / "precious")
    answer = cli(*words, expect=2)
    assert f"{path} is a link to {outside}" in answer.err
    assert "fix: delete the link" in answer.err
    assert {item.name: item.read_text() for item in outside.iterdir()} == {"precious": "mine"}
    assert {item.name for item in path.parent.iterdir()} == {path.name}
    path.unlink()
