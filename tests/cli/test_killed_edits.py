"""`kill -9` at every change of the disk: a file is old or new, and what was begun can be begun again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_iac.api.stacks.environments import remove_environment
from mlops_iac.blueprint.editing import TextFile
from mlops_iac.errors import UsageError
from mlops_iac.scaffold.writing import written
from tests.cli.killing import every_kill, killed
from tests.cli.template_sources import World, git

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


# -- one file ---------------------------------------------------------------------------------
def test_a_single_file_is_old_or_new(tmp_path: Path) -> None:
    """`stack add` and `promote` write the blueprint alone."""
    path = tmp_path / "blueprint.yaml"
    path.write_text("old: 1\n")
    kills = every_kill(lambda: TextFile(path).write("new: 2\n"), lambda: None)
    seen = [path.read_text() for _ in kills]
    assert set(seen) == {"old: 1\n", "new: 2\n"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("killed"))


def test_an_environment_that_goes_is_gone_after_a_second_time(world: World) -> None:
    """The blueprint goes first: what is left then are stack files of no environment."""
    program = world.folder / "stacks" / "churn"

    def reset() -> None:
        git(world.folder, "checkout", "-q", ".")
        assert program.joinpath("Pulumi.prod.yaml").exists()

    def remove() -> None:
        os.chdir(world.folder)
        remove_environment("blueprint.yaml", "prod", gone=True)

    states = []
    for _ in every_kill(remove, reset):
        there = "prod:" in world.blueprint.read_text()
        files = sorted(path.name for path in program.glob("*prod*"))
        states.append((there, len(files)))
        assert not there or len(files) == 2  # never an environment without its files
        if there or files:
            assert not killed(remove, 10_000)
        assert "prod:" not in world.blueprint.read_text()
        assert not list(program.glob("*prod*"))
    assert set(states) == {(True, 2), (False, 2), (False, 1), (False, 0)}


# -- a new project ----------------------------------------------------------------------------
NEW = {
    "blueprint.yaml": b"blueprint: 1\n",
    "README.md": b"read me\n",
    "workload/train.py": b"",
    "workload/deep/er.py": b"x = 1\n",
}


def all_below(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_an_init_that_is_killed_leaves_no_project_that_is_only_half_of_one(tmp_path: Path) -> None:
    target = tmp_path / "project"

    def init() -> None:
        with written(target, NEW, ["blueprint.lock"]):
            (target / "blueprint.lock").write_bytes(b"lock")

    states = []
    for _ in every_kill(init, lambda: shutil.rmtree(target, ignore_errors=True)):
        states.append(all_below(target))
        if states[-1].get("blueprint.yaml"):
            assert states[-1].items() >= NEW.items()
        if set(states[-1]) & set(NEW):
            with pytest.raises(UsageError, match="already has") as caught, written(target, NEW):
                pass
            assert "interrupted init" in str(caught.value.hint)
    assert states[-1] == {**NEW, "blueprint.lock": b"lock"}


# -- the command ------------------------------------------------------------------------------
KILLED = """
import os, signal, sys
from pathlib import Path
replace = Path.replace
def killed(self, target):
    found = replace(self, target)
    if Path(target).name == "blueprint.yaml":
        os.kill(os.getpid(), signal.SIGKILL)
    return found
Path.replace = killed
sys.argv = ["mlops-iac", *sys.argv[1:]]
from mlops_iac.cli import main
main()
"""


def test_an_update_that_was_killed_is_completed_by_the_next(tmp_path: Path) -> None:
    """The blueprint is written first, and its migrations find nothing more to do."""
    world = World(tmp_path)
    words = ["--yes", "template", "update", "--to", "2.0.0"]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *words],
        cwd=world.folder, env=world.cli.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    text = world.blueprint.read_text()
    assert "oncall:" in text
    assert "2.0.0" not in world.lock.read_text()
    world.cli(*words)
    assert "version: 2.0.0" in world.lock.read_text()
    assert world.blueprint.read_text() == text
    assert "nothing to update" in world.cli("template", "update").err
