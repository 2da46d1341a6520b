"""Locks, full disks, damaged files, Ctrl-C: clear errors, nothing lost, the next command works."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import make_target

from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.embedded.store import Store, open_store
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.errors import Cancelled, MlopsError, UsageError
from mlops_iac.graph.standins import StandIns

SUPPORT = Path(__file__).parents[1] / "engine_support"
BODY = 'a = sns.Topic("a")\nb = sns.Topic("b", tags={"a": a.arn})\npulumi.export("b", b.arn)'


@pytest.fixture
def target(tmp_path: Path) -> StackTarget:
    return make_target(tmp_path, BODY)


@pytest.fixture
def cloud(tmp_path: Path) -> MemoryProvider:
    return MemoryProvider(tmp_path / "cloud.json")


def engine(cloud: MemoryProvider) -> EmbeddedEngine:
    return EmbeddedEngine({"aws": cloud})


def test_a_second_up_at_the_same_time_is_refused(
    target: StackTarget, cloud: MemoryProvider
) -> None:
    with open_store(target, "up"):
        code = (
            f"import sys; sys.path.insert(0, {str(SUPPORT)!r})\n"
            "from memory_provider import MemoryProvider\n"
            "from programs import make_target\n"
            "from pathlib import Path\n"
            "from mlops_iac.engine.embedded import EmbeddedEngine\n"
            "from mlops_iac.errors import MlopsError\n"
            "try:\n"
            f"    EmbeddedEngine({{'aws': MemoryProvider()}}).up(make_target(Path({str(target.work.parent)!r})))\n"
            "except MlopsError as error:\n"
            "    print(error.exit_code, error.message)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("1 the stack local is in use: `up`, process")
    assert str(os.getpid()) in done.stdout
    assert done.stderr == ""
    assert engine(cloud).up(target).failures == {}


def test_a_plan_beside_a_running_up_says_so(target: StackTarget, cloud: MemoryProvider) -> None:
    with open_store(target, "up"):
        [note] = engine(cloud).preview(target).diagnostics
    assert note.startswith(f"`up`, process {os.getpid()} works on this stack")
    assert engine(cloud).preview(target).diagnostics == ()


def test_the_lock_goes_with_its_holder(target: StackTarget, cloud: MemoryProvider) -> None:
    pid = os.fork()
    if pid == 0:
        with open_store(target, "up"):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert engine(cloud).up(target).failures == {}


@pytest.mark.parametrize("writes", range(8))
def test_a_full_disk_loses_nothing(
    target: StackTarget,
    cloud: MemoryProvider,
    monkeypatch: pytest.MonkeyPatch,
    writes: int,
) -> None:
    left = [writes]
    real = os.write

    def full(handle: int, data: bytes) -> int:
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1
        if left[0] == 0 and len(data) > 1:
            return real(handle, data[: len(data) // 2])  # the last block is cut short
        return real(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(MlopsError, match="No space left") as caught:
            engine(cloud).up(target)
    assert caught.value.hint
    assert engine(cloud).up(target).failures == {}
    assert len(cloud.things) == 2
    assert engine(cloud).preview(target).changes == []


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": 2}', '{"version": 3, "checkpoint": {"latest": {}}}']
)
def test_a_damaged_state_is_named_and_left_alone(
    target: StackTarget, cloud: MemoryProvider, content: str
) -> None:
    engine(cloud).up(target)
    file = target.work / "state/local.json"
    file.write_text(content)
    for call in (engine(cloud).up, engine(cloud).preview, engine(cloud).destroy):
        with pytest.raises(MlopsError, match=r"local\.json is damaged") as caught:
            call(target)  # type: ignore[operator]
        assert "nothing was changed" in caught.value.hint
    assert file.read_text() == content
    assert len(cloud.things) == 2


def test_a_damaged_journal_is_named_and_left_alone(
    target: StackTarget, cloud: MemoryProvider
) -> None:
    engine(cloud).up(target)
    journal = target.work / "state/local.journal"
    journal.write_bytes(b"deadbeef {}\nmore\n")
    with pytest.raises(MlopsError, match=r"local\.journal is damaged: line 1"):
        engine(cloud).up(target)
    assert journal.read_bytes() == b"deadbeef {}\nmore\n"


def test_a_journal_of_another_state_is_refused(target: StackTarget, cloud: MemoryProvider) -> None:
    from mlops_iac.engine.embedded.journal import Journal

    engine(cloud).up(target)
    journal = Journal(target.work / "state/local.journal", 99)
    journal.append({"kind": "salt", "salt": "x"}, durable=True)
    journal.close()
    with pytest.raises(MlopsError, match="continues the state with serial 99"):
        engine(cloud).preview(target)


def test_a_folder_that_cannot_be_written(tmp_path: Path, cloud: MemoryProvider) -> None:
    (tmp_path / "file").write_text("")
    target = make_target(tmp_path, BODY, work=tmp_path / "file" / "work")
    with pytest.raises(MlopsError, match="cannot write"):
        engine(cloud).up(target)
    assert cloud.things == {}


def test_a_stack_name_is_no_path(tmp_path: Path, cloud: MemoryProvider) -> None:
    with pytest.raises(UsageError, match="not a stack name"):
        engine(cloud).up(make_target(tmp_path, BODY, stack="../local"))
    assert list(tmp_path.iterdir()) == [tmp_path / "program"]


def test_the_first_interrupt_ends_in_order(target: StackTarget, cloud: MemoryProvider) -> None:
    def third(when: str, what: str) -> None:
        if (when, what) == ("after", "create:t2"):
            os.kill(os.getpid(), signal.SIGINT)

    cloud.hook = third
    cloud.latency = 0.3  # between two creations the signal is surely heard
    many = make_target(
        target.work.parent,
        "previous = None\nfor i in range(20):\n"
        "    previous = sns.Topic(f't{i}', opts=O(depends_on=[previous] if previous else []))",
    )
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Cancelled):
        engine(cloud).up(many)
    assert signal.getsignal(signal.SIGINT) is before
    done = len(cloud.things)
    assert 0 < done < 20
    known = [r for r in engine(cloud).resources(many) if r.type == "aws:sns/topic:Topic"]
    assert len(known) == done
    cloud.latency, cloud.hook = 0, lambda when, what: None
    assert engine(cloud).up(many).failures == {}
    assert len(cloud.things) == 20


def test_the_second_interrupt_ends_at_once(tmp_path: Path) -> None:
    make_target(tmp_path, BODY)
    code = (
        f"import sys; sys.path.insert(0, {str(SUPPORT)!r})\n"
        "from memory_provider import MemoryProvider\n"
        "from programs import make_target\n"
        "from pathlib import Path\n"
        "from mlops_iac.engine.embedded import EmbeddedEngine\n"
        "from mlops_iac.engine.embedded.interrupt import Interrupt\n"
        f"cloud = MemoryProvider(Path({str(tmp_path / 'cloud.json')!r})); cloud.latency = 300\n"
        "cloud.hook = lambda when, what: print(when, flush=True)\n"
        "hear = Interrupt._hear\n"
        "def heard(self, *signal):\n"
        "    hear(self, *signal)\n"
        "    print('heard', flush=True)\n"
        "Interrupt._hear = heard\n"
        f"EmbeddedEngine({{'aws': cloud}}).up(make_target(Path({str(tmp_path)!r})))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "before\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "heard\n"  # two at once would be one
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == Cancelled.exit_code
    process.stdout.close()
    cloud = MemoryProvider(tmp_path / "cloud.json")
    assert engine(cloud).up(make_target(tmp_path)).failures == {}
    assert len(cloud.things) == 2


def test_an_error_that_is_no_answer_leaves_the_operation_to_be_found(
    target: StackTarget, cloud: MemoryProvider
) -> None:
    def lost(when: str, what: str) -> None:
        if (when, what) == ("after", "create:a"):
            raise ConnectionError("the emulator went away")

    cloud.hook = lost
    result = engine(cloud).up(target)
    assert list(result.failures.values()) == ["ConnectionError: the emulator went away"]
    assert Store(target, persist=False).snapshot.pending
    cloud.hook = lambda when, what: None
    notes: list[str] = []
    engine(cloud).up(
        target, on_event=lambda e: notes.append(e.message) if e.kind == "note" else None
    )
    assert any("is adopted" in note for note in notes)
    assert len(cloud.things) == 2
    assert engine(cloud).preview(target).changes == []


def test_an_unchanged_stack_writes_nothing(target: StackTarget, cloud: MemoryProvider) -> None:
    engine(cloud).up(target)
    file = target.work / "state/local.json"
    before = file.stat().st_mtime_ns
    engine(cloud).up(target)
    assert file.stat().st_mtime_ns == before
    assert not (target.work / "state/local.journal").exists()


def test_a_stand_in_never_reaches_the_emulator(tmp_path: Path, cloud: MemoryProvider) -> None:
    text = StandIns().make("a.B/c", "arn")
    target = make_target(tmp_path, f'sns.Topic("t", display_name="{text}")')
    with pytest.raises(AssertionError, match="stand-in"):
        engine(cloud).up(target)
    assert cloud.things == {}


def test_the_work_folder_is_kept_out_of_git(target: StackTarget, cloud: MemoryProvider) -> None:
    engine(cloud).up(target)
    assert (target.work / ".gitignore").read_text() == "*\n"
