"""`kill -9` at every write to the disk and every provider call: the next `up` converges."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import make_target, write_program

from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.embedded.store import Store

FIRST = """
topic = sns.Topic("topic", tags={"v": "1"})
role = iam.Role("role", assume_role_policy=topic.arn.apply(lambda a: json.dumps({"a": a})))
queue = sqs.Queue("queue", name="fixed", fifo_queue=True)
gone = ssm.Parameter("gone", type="String", value=pulumi.Output.secret("hush"))
"""
# An update, a replacement, a delete-before-replace with a cascade, a deletion.
SECOND = """
topic = sns.Topic("topic", tags={"v": "2"})
role = iam.Role("role", path="/x/", assume_role_policy=topic.arn.apply(lambda a: json.dumps({"a": a})))
queue = sqs.Queue("queue", name="fixed", fifo_queue=False)
"""
EXPECTED = {"topic", "role", "fixed"}


class Bomb:
    """Counts the places where a process can die, and dies at one of them."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.lock = threading.Lock()

    def tick(self) -> bool:
        with self.lock:
            self.count += 1
            return self.count == self.at

    def point(self, *_: Any) -> None:
        if self.tick():
            os.kill(os.getpid(), signal.SIGKILL)

    def arm(self, provider: MemoryProvider) -> None:
        provider.hook = self.point
        write, fsync, replace, unlink = os.write, os.fsync, Path.replace, Path.unlink

        def torn_write(handle: int, data: bytes) -> int:
            if self.tick():
                write(handle, data[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return write(handle, data)

        def after(call: Callable[..., Any]) -> Callable[..., Any]:
            def wrapped(*args: Any, **kwargs: Any) -> Any:
                result = call(*args, **kwargs)
                self.point()
                return result

            return wrapped

        os.write = torn_write  # type: ignore[assignment]
        os.fsync = after(fsync)
        Path.replace = after(replace)  # type: ignore[method-assign]
        Path.unlink = after(unlink)  # type: ignore[method-assign]


def in_child(work: Callable[[], int]) -> int:
    """Run in a fork; returns its exit code, or minus the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def up(folder: Path, bomb: Bomb | None = None) -> int:
    provider = MemoryProvider(folder / "cloud.json")
    if bomb:
        bomb.arm(provider)
    result = EmbeddedEngine({"aws": provider}).up(make_target(folder), parallel=2)
    return 1 if result.failures else 0


def count_points(folder: Path) -> int:
    def work() -> int:
        bomb = Bomb(-1)
        assert up(folder, bomb) == 0
        (folder / "count").write_text(str(bomb.count))
        return 0

    assert in_child(work) == 0
    return int((folder / "count").read_text())


def prepare(folder: Path, second: bool) -> None:
    write_program(folder / "program", FIRST)
    if second:
        assert in_child(lambda: up(folder)) == 0
        write_program(folder / "program", SECOND)


def copied(prepared: Path, folder: Path) -> Path:
    """No state names its folder: a copy stands as if it had been prepared there."""
    assert str(prepared) not in "".join(
        path.read_text() for path in (prepared / ".mlops-iac").rglob("*.json")
    )
    return Path(shutil.copytree(prepared, folder))


def assert_converged(folder: Path, expected: set[str]) -> None:
    assert in_child(lambda: up(folder)) == 0
    cloud = MemoryProvider(folder / "cloud.json").things
    names = sorted(key.split("|")[1] for key in cloud)
    assert {name.split("-")[0] for name in names} == expected
    assert len(names) == len(expected), names
    snapshot = Store(make_target(folder), persist=False).snapshot
    assert sorted(e.id for e in snapshot.entries.values() if e.managed) == names
    assert not snapshot.pending
    assert not any(e.delete or e.pending_replacement for e in snapshot.entries.values())
    assert "hush" not in (folder / ".mlops-iac/state/local.json").read_text()
    plan = EmbeddedEngine({"aws": MemoryProvider(folder / "cloud.json")}).preview(
        make_target(folder)
    )
    assert plan.changes == []


@pytest.mark.parametrize("second", [False, True], ids=["creating", "changing"])
def test_a_kill_anywhere_loses_and_doubles_nothing(tmp_path: Path, second: bool) -> None:
    expected = EXPECTED if second else EXPECTED | {"gone"}
    prepare(tmp_path / "prepared", second)
    points = count_points(copied(tmp_path / "prepared", tmp_path / "count"))
    assert points > 25
    killed = 0
    for point in range(1, points + 1):
        folder = copied(tmp_path / "prepared", tmp_path / str(point))
        code = in_child(lambda folder=folder, point=point: up(folder, Bomb(point)))
        assert code in (0, -signal.SIGKILL), code
        killed += code != 0
        assert_converged(folder, expected)
    assert killed > points * 0.8  # threads make the last few points move
