"""`run` says what it would not take into account, and tells a failure once.

The tests of this module build on each other and run in the order they stand in.
"""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import warm
from tests.cli.harness import Cli, copy_example, environment, teach_nothing

GATE = "models.adherence.evaluate.gates.accuracy.at_least: 0.75 → 0.999  ← blueprint.yaml:35"


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    folder = teach_nothing(copy_example(tmp_path_factory.mktemp("run") / "project"))
    command = Cli(folder, environment())
    command("up", "--yes")
    yield command
    command("local", "stop", expect=None)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def versions(walk: Cli) -> int:
    return len(walk("models", "ls", "--json").json)


def test_what_is_deployed_runs_without_a_word_about_it(walk: Cli) -> None:
    change(walk.folder / "blueprint.yaml", "max: 4", "max: 5")  # no run depends on it
    (walk.folder / "workload" / "__pycache__").mkdir()
    (walk.folder / "workload" / "__pycache__" / "train.pyc").touch()
    said = walk("run").err
    assert "changed since" not in said
    assert versions(walk) == 1


def test_hyperparameters_of_one_run_are_told_and_its_page_is_found(walk: Cli) -> None:
    refused = walk("run", "--set", "cv_fold=4", expect=2)
    assert "did you mean 'cv_folds'?" in refused.err
    done = walk("run", "--set", "cv_folds=4", "--cache", "--json").json
    assert (done["steps"]["Prepare"], done["steps"]["Train"]) == ("reused", "succeeded")
    assert done["set"] == {"cv_folds": "4"}
    assert done["usage"]["Train"]["peak_bytes"] > 0
    assert walk("open", "run").out.strip() == done["report"]
    found = walk("open", "run", done["run"][:16], "--json").json
    assert (found["run"], found["opened"]) == (done["run"], False)
    page = Path(found["path"]).read_text(encoding="utf-8")
    assert "of this run alone (--set)" in page
    missing = walk("open", "run", "1999", expect=2)
    assert f"there is: {done['run']}" in missing.err


def test_what_has_changed_since_is_told_with_its_place_and_nothing_runs(walk: Cli) -> None:
    change(walk.folder / "blueprint.yaml", "at_least: 0.75", "at_least: 0.999")
    train = walk.folder / "workload" / "train.py"
    change(train, "given = dict", "# better\ngiven = dict")
    (walk.folder / "workload" / "extra.py").touch()
    with (walk.folder / "data" / "schedule_management.csv").open("a") as file:
        file.write("\n")
    line = 1 + train.read_text().split("# better")[0].count("\n")
    expected = [
        GATE,
        "data/schedule_management.csv has changed",
        "workload/extra.py is new",
        f"workload/train.py:{line} has changed",
    ]
    answer = walk("run", "--json", expect=2)
    assert answer.json["differences"] == expected
    assert answer.json["error"]["exit_code"] == 2
    said = walk("run", expect=2).err
    assert [each.strip() for each in said.splitlines()[1:5]] == expected
    assert "`mlops-iac up`" in said
    assert "--deployed" in said
    assert versions(walk) == 2


def test_the_deployed_one_runs_where_somebody_says_so(walk: Cli) -> None:
    answer = walk("run", "--deployed", "--json")  # the old gate: 0.8 passes
    assert answer.json["status"] == "registered"
    assert versions(walk) == 3


def test_a_person_is_asked_and_no_leaves_everything(walk: Cli) -> None:
    said = type_in(walk.folder, "n\n", 8)
    assert GATE in said
    assert "Deploy that first, and run it then?" in said
    assert walk("run", "--json", expect=2).json["differences"]


def test_yes_deploys_first_and_a_missed_gate_is_told_once(walk: Cli) -> None:
    answer = walk("run", "--yes", expect=1)
    assert answer.err.count("accuracy is 0.8, must be at least 0.999") == 1
    assert answer.err.count("GateFailed") == 0
    walk("preview", "--expect-no-changes")
    assert versions(walk) == 3


def test_a_script_that_fails_is_told_once_with_what_to_do(walk: Cli) -> None:
    train = walk.folder / "workload" / "train.py"
    change(train, "# better", 'raise SystemExit("the disk is full")')
    answer = walk("run", "--yes", expect=4)
    assert answer.err.count("the disk is full") == 1
    assert answer.err.count("Train failed") == 1
    assert "run --from STEP" in answer.err
    assert walk("run", "--json", expect=4).json["error"]["message"].count("the disk is full") == 1
    assert "failed in Train: the disk is full" in walk("status").out
    run = walk("status", "--json").json["models"][0]["last_run"]
    assert (run["status"], run["step"], run["reason"]) == ("failed", "Train", "the disk is full")


def test_a_stack_that_is_not_there_is_not_sent_to_its_cloud(walk: Cli) -> None:
    assert "there is no stack 'nix'" in walk("run", "-s", "nix", expect=6).err
    assert "on this machine" in walk("run", "-s", "dev", expect=2).err


@pytest.mark.parametrize("command", [["status"], ["outputs"], ["models", "ls"], ["up", "--yes"]])
def test_a_real_stack_that_was_never_compiled_is_told_as_that(
    walk: Cli, command: list[str]
) -> None:
    error = walk(*command, "-s", "dev", expect=2).err
    if "Pulumi CLI" not in error:  # which is missing on this machine
        assert "is not compiled" in error
        assert "mlops-iac compile" in error


def test_a_file_in_the_place_of_the_work_folder_is_told(tmp_path: Path) -> None:
    folder = copy_example(tmp_path / "project")
    (folder / ".mlops-iac").write_text("")
    for command in (["up", "--yes"], ["run"], ["status"]):
        error = Cli(folder, environment())(*command, expect=2).err
        assert ".mlops-iac is a file" in error
        assert "fix: move it away" in error


def type_in(folder: Path, answer: str, code: int) -> str:
    """Run `run` on a terminal and answer its question; what it said."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        ["sh", "-c", "exec mlops-iac run"], cwd=folder,
        env=environment() | {"TERM": "dumb", "COLUMNS": "200", "PATH": warm.on_path()},
        stdin=follower, stdout=follower, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    said, typed, end = "", False, time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([leader], [], [], 0.2)[0]:
            try:
                said += os.read(leader, 65536).decode()
            except OSError:
                break
        elif not typed and said.endswith(": "):
            os.write(leader, answer.encode())
            typed = True
    assert process.wait(60) == code, said
    os.close(leader)
    return said
