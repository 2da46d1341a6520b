"""The executor, with tasks of its own: order, resuming, and how runs end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.errors import Cancelled, ResourceFailed, UsageError
from mlops_iac.pipeline.executor import Run, RunEvent, Stopped, execute
from mlops_iac.pipeline.run_record import last_record
from mlops_iac.pipeline.steps import Task


class Add(Task):
    """Adds to what the task `to` has left."""

    number: int
    to: str = ""


class Ask(Task):
    """May end the run; what it asks is asked again by whoever continues behind it."""


class Then(Task):
    """Comes after a question."""

    @property
    def starts_at(self) -> str:
        return "ask"


TASKS = [Add("one", 1), Add("two", 2, "one"), Ask("ask"), Then("then")]
Handle = Callable[[], Any]


def go(work: Path, ask: Handle = dict, then: Handle = dict, **options: Any) -> Run:
    def start(run: Run) -> Any:
        def add(task: Add) -> dict[str, int]:
            return {"sum": task.number + (run.left(task.to)["sum"] if task.to else 0)}

        return {Add: add, Ask: lambda _: ask(), Then: lambda _: then()}

    return execute(TASKS, start, name="sums", work=work / ".mlops-iac", done="added", **options)


def fail(error: BaseException) -> Handle:
    def handle() -> Any:
        raise error

    return handle


def test_tasks_run_in_their_order_and_read_what_was_left(tmp_path: Path) -> None:
    events: list[RunEvent] = []
    run = go(tmp_path, on_event=events.append)
    assert run.left("two") == {"sum": 3}
    assert [each.step for each in events if each.kind == "start"] == ["one", "two", "ask", "then"]
    written = json.loads((run.folder / "run.json").read_text())
    assert written["status"] == "added"
    assert {name: each["type"] for name, each in written["steps"].items()} == {
        "one": "Add", "two": "Add", "ask": "Ask", "then": "Then",
    }  # fmt: skip


def test_a_handler_ends_a_run_in_good_order(tmp_path: Path) -> None:
    run = go(tmp_path, ask=fail(Stopped("askNo", "refused", ["too little", "too late"])))
    steps = run.record.steps
    assert {name: each.status for name, each in steps.items()} == {
        "one": "succeeded", "two": "succeeded", "ask": "succeeded", "askNo": "failed",
    }  # fmt: skip
    assert steps["askNo"].error == "too little; too late"
    assert last_record(tmp_path / ".mlops-iac" / "runs", "sums").status == "refused"


def test_a_run_continues_with_what_was_left_and_no_question_is_walked_around(
    tmp_path: Path,
) -> None:
    with pytest.raises(ResourceFailed):
        go(tmp_path, then=fail(ResourceFailed("no")))
    asked: list[str] = []
    run = go(tmp_path, ask=lambda: asked.append("again") or {}, from_step="then")
    assert asked == ["again"]
    assert {name: each.status for name, each in run.record.steps.items()} == {
        "one": "reused", "two": "reused", "ask": "succeeded", "then": "succeeded",
    }  # fmt: skip


def test_a_run_that_has_come_to_its_end_is_not_continued(tmp_path: Path) -> None:
    go(tmp_path)
    with pytest.raises(UsageError, match=r"has come to its end \(added\)"):
        go(tmp_path, from_step="two")


def test_a_record_in_another_shape_is_not_continued(tmp_path: Path) -> None:
    run = go(tmp_path)
    file = run.folder / "run.json"
    file.write_text(file.read_text().replace('"version": 2', '"version": 1'))
    with pytest.raises(UsageError, match="another version of mlops-iac wrote it"):
        go(tmp_path, from_step="two")


def test_an_interruption_says_where_to_continue(tmp_path: Path) -> None:
    with pytest.raises(Cancelled) as caught:
        go(tmp_path, ask=fail(KeyboardInterrupt()))
    assert "--from ask" in caught.value.hint
    assert go(tmp_path, from_step="ask").record.status == "added"


def test_what_comes_before_is_recorded_where_it_fails(tmp_path: Path) -> None:
    def start(run: Run) -> Any:
        with run.before("environment"):
            raise ResourceFailed("no packages")

    with pytest.raises(ResourceFailed):
        execute(TASKS, start, name="sums", work=tmp_path / ".mlops-iac", done="added")
    record = last_record(tmp_path / ".mlops-iac" / "runs", "sums")
    assert (record.status, record.steps["environment"].error) == ("failed", "no packages")
