"""`kill -9` at every change of the disk: blueprint and lock are both old or both new, and it is told."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlops_iac.api.core import interrupted_writes
from mlops_iac.api.core.atomic_files import Rewrite, rewrite
from mlops_iac.api.stacks.environments import remove_environment
from mlops_iac.blueprint.editing import TextFile
from mlops_iac.errors import UsageError
from mlops_iac.scaffold.writing import written
from tests.cli.killing import every_kill, killed
from tests.cli.template_sources import World, git

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


class Pair:
    """A blueprint and its lock, and what an update makes of them."""

    def __init__(
        self,
        folder: Path,
        *,
        lock: bytes | None = b"old lock\n",
        then: bytes | None = b"new lock\n",
    ) -> None:
        self.blueprint = folder / "blueprint.yaml"
        self.lock = folder / "blueprint.lock"
        self.journal = interrupted_writes.place(self.blueprint)
        self.old = (b"old: 1\n", lock)
        self.new = (b"new: 2\n", then)
        self._half: bytes | None = None

    def reset(self) -> None:
        self.journal.unlink(missing_ok=True)
        self.blueprint.write_bytes(self.old[0])
        self.lock.unlink(missing_ok=True)
        if self.old[1] is not None:
            self.lock.write_bytes(self.old[1])

    def update(self) -> None:
        files = [
            Rewrite(self.blueprint, self.old[0], self.new[0], "blueprint.yaml"),
            Rewrite(self.lock, self.old[1], self.new[1], "blueprint.lock"),
        ]
        rewrite(files, self.journal)

    def complete(self) -> str:
        return interrupted_writes.complete(self.blueprint, self.lock)

    @property
    def held(self) -> tuple[bytes, bytes | None]:
        return self.blueprint.read_bytes(), self.lock.read_bytes() if self.lock.exists() else None

    def left(self) -> list[str]:
        return [path.name for path in self.blueprint.parent.glob(".*.mlops-iac-*")]

    def half(self) -> None:
        """As it is when the process dies between the two renames."""
        if self._half is not None:
            self.blueprint.write_bytes(b"new: 2\n")
            self.lock.write_bytes(b"old lock\n")
            self.journal.write_bytes(self._half)
            return
        for at in range(1, 200):
            self.reset()
            assert killed(self.update, at)
            if self.held not in (self.old, self.new):
                self._half = self.journal.read_bytes()
                return
        raise AssertionError


@pytest.mark.parametrize(
    ("lock", "then"), [(b"old lock\n", b"new lock\n"), (None, b"new lock\n"), (b"old lock\n", None)]
)
def test_an_update_that_is_killed_is_completed_or_never_was(
    tmp_path: Path, lock: bytes | None, then: bytes | None
) -> None:
    pair = Pair(tmp_path, lock=lock, then=then)
    states, told = [], []
    for _ in every_kill(pair.update, pair.reset):
        states.append(pair.held)
        had_journal = pair.journal.exists()
        told.append(pair.complete())
        assert pair.held in (pair.old, pair.new)
        assert not pair.journal.exists()
        assert not (had_journal and pair.left())
        assert pair.complete() == ""
    assert states[0] == pair.old
    assert states[-1] == pair.new
    mixed = [state for state in states if state not in (pair.old, pair.new)]
    assert mixed
    assert len([words for words in told if words]) == len(mixed)
    assert len(states) > 6


def test_completing_that_is_killed_is_completed(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    for _ in every_kill(pair.complete, pair.half):
        pair.complete()
        assert pair.held == pair.new


def test_putting_back_that_is_killed_is_completed(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if Path(target).name == "blueprint.lock":
            raise OSError(28, "No space left on device")
        return replace(path, target)

    def update() -> None:
        Path.replace = full  # type: ignore[method-assign, assignment]
        with pytest.raises(Exception, match="disk is full"):
            pair.update()

    for _ in every_kill(update, pair.reset):
        pair.complete()
        assert pair.held in (pair.old, pair.new)


@pytest.mark.parametrize("which", ["blueprint", "lock"])
def test_what_was_changed_since_is_told_and_not_overwritten(tmp_path: Path, which: str) -> None:
    pair = Pair(tmp_path)
    pair.half()
    (pair.blueprint if which == "blueprint" else pair.lock).write_text("mine")
    before = pair.held
    with pytest.raises(UsageError, match="interrupted, and blueprint") as caught:
        pair.complete()
    assert str(pair.journal) in str(caught.value.hint)
    assert pair.held == before


def test_what_was_taken_back_is_forgotten(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.half()
    pair.blueprint.write_bytes(pair.old[0])
    assert pair.complete() == ""
    assert pair.held == pair.old


def test_who_reads_waits_for_who_writes(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.half()
    holding, done = threading.Event(), threading.Event()

    def writer() -> None:
        with interrupted_writes.alone(pair.journal):
            holding.set()
            done.wait(20)
            pair.blueprint.write_bytes(pair.new[0])
            pair.lock.write_bytes(pair.new[1])
            pair.journal.unlink()

    thread = threading.Thread(target=writer)
    thread.start()
    holding.wait(20)
    threading.Timer(0.3, done.set).start()
    assert pair.complete() == ""
    thread.join()
    assert pair.held == pair.new


def forged(pair: Pair, **files: tuple[bytes | None, bytes]) -> None:
    pair.journal.parent.mkdir(exist_ok=True)
    plain = {
        name: {
            "old": None if old is None else hashlib.sha256(old).hexdigest(),
            "new": base64.b64encode(new).decode(),
        }
        for name, (old, new) in files.items()
    }
    pair.journal.write_text(json.dumps({"update": 1, "files": plain}))


@pytest.mark.parametrize("name", ["../up", "/nowhere/x", "policies/mine.py", ".git/config"])
def test_a_checkout_that_brings_one_along_writes_nothing_else(tmp_path: Path, name: str) -> None:
    pair = Pair(tmp_path)
    pair.reset()
    blueprint = pair.old[0]
    forged(pair, **{"blueprint.yaml": (b"", blueprint), name: (None, b"x")})
    with pytest.raises(UsageError, match="cannot be read"):
        pair.complete()
    assert not (tmp_path / name).exists()


def test_a_checkout_that_brings_one_along_writes_through_no_link(tmp_path: Path) -> None:
    pair = Pair(tmp_path, lock=None)
    pair.reset()
    pair.lock.symlink_to(tmp_path / "elsewhere")
    forged(pair, **{"blueprint.yaml": (b"", pair.old[0]), "blueprint.lock": (None, b"x")})
    with pytest.raises(UsageError, match="interrupted"):
        pair.complete()
    assert not (tmp_path / "elsewhere").exists()


def test_a_checkout_that_brings_a_link_along_empties_nothing(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.half()
    (tmp_path / "mine").write_text("mine")
    lock = pair.journal.with_suffix(".update.lock")
    lock.unlink()
    lock.symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="is a link"):
        pair.complete()
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"update": 2, "files": {}}', '{"update": 1}'])
def test_one_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    pair = Pair(tmp_path)
    pair.reset()
    pair.journal.parent.mkdir(exist_ok=True)
    pair.journal.write_text(text)
    with pytest.raises(UsageError, match="cannot be read"):
        pair.complete()


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


@pytest.mark.parametrize("existing", [False, True])
def test_an_init_that_is_killed_is_taken_back_by_the_next(tmp_path: Path, existing: bool) -> None:
    target = tmp_path / "project"
    mine = {"mine.txt": b"1"} if existing else {}

    def reset() -> None:
        shutil.rmtree(target, ignore_errors=True)
        for name, content in mine.items():
            target.mkdir()
            (target / name).write_bytes(content)

    def init() -> None:
        with written(target, NEW, ["blueprint.lock"]):
            (target / "blueprint.lock").write_bytes(b"lock")

    whole = {**mine, **NEW, "blueprint.lock": b"lock"}
    states = []
    for _ in every_kill(init, reset):
        states.append(all_below(target))
        if "blueprint.yaml" in states[-1]:
            assert states[-1].items() >= NEW.items()  # no project that is only half of one
        if states[-1] == whole:
            continue
        other = {"other.yaml": b"2"}  # another template, other answers
        with written(target, other):
            pass
        assert all_below(target) == {**mine, **other}
        (target / "other.yaml").unlink()
        assert not [path for path in target.rglob("*") if path.is_dir()]
    assert states[-1] == whole
    assert len(states) > 10


def test_an_init_that_was_killed_and_gone_on_with_is_not_taken_back(tmp_path: Path) -> None:
    assert killed(lambda: written(tmp_path, NEW).__enter__(), 12)
    (tmp_path / "README.md").write_text("mine")
    before = all_below(tmp_path)
    with pytest.raises(UsageError, match="somebody went on with README"), written(tmp_path, NEW):
        pass
    assert all_below(tmp_path) == before


@pytest.mark.parametrize("name", ["../up", "/nowhere", "a/../../up", "link/up", ".git/config", ""])
def test_a_folder_that_says_what_init_wrote_has_nothing_else_removed(
    tmp_path: Path, name: str
) -> None:
    target = tmp_path / "project"
    target.mkdir()
    (tmp_path / "up").write_bytes(b"1")
    (target / "link").symlink_to(tmp_path)
    digest = hashlib.sha256(b"1").hexdigest()
    for marker in ({"files": {name: digest}, "made": []}, {"files": {}, "made": [name]}):
        (target / ".mlops-iac-init").write_text(json.dumps({"init": 1, **marker}))
        with pytest.raises(UsageError, match="cannot be read"), written(target, NEW):
            pass
    assert (tmp_path / "up").exists()


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


def test_the_next_command_completes_an_update_that_was_killed(tmp_path: Path) -> None:
    world = World(tmp_path)
    words = ["--yes", "template", "update", "--to", "2.0.0"]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *words],
        cwd=world.folder, env=world.cli.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    assert "oncall:" in world.blueprint.read_text()
    assert "2.0.0" not in world.lock.read_text()
    answer = world.cli("validate")
    assert "an update of blueprint.yaml and blueprint.lock was interrupted" in answer.err
    assert "version: 2.0.0" in world.lock.read_text()
    assert "interrupted" not in world.cli("validate").err
    assert git(world.folder, "status", "--porcelain").splitlines() == [
        "M blueprint.lock",
        " M blueprint.yaml",
    ]
    assert "nothing to update" in world.cli("template", "update").err
