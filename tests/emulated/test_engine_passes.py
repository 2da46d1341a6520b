"""Several passes of one program: planned on each other, applied in turn, and gone on with."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from passing import Stack, told
from programs import make_target

from mlops_iac.api.deploy.planned_deployment import guarded
from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.passes import runs
from mlops_iac.engine.protocol import Event
from mlops_iac.errors import PlanMoved
from mlops_iac.graph.plan_moves import moved
from mlops_iac.graph.saved_plan import SavedPlan, operations_of, parse_plan

FIRST, SECOND, THIRD = (
    "1 of 3: make the slot",
    "2 of 3: switch the traffic",
    "3 of 3: drop the old slot",
)
ALL = [
    (FIRST, "create", "slot2"),
    (SECOND, "update", "traffic"),
    (THIRD, "delete", "slot1"),
]


class Lab(Stack):
    def __init__(self, folder: Path, cloud: MemoryProvider | None = None) -> None:
        self.cloud = cloud or MemoryProvider(folder / "cloud.json")
        super().__init__(folder, EmbeddedEngine({"aws": self.cloud}))

    def things(self) -> set[str]:
        return {key.partition("|")[2] for key in self.cloud.things}

    def traffic(self) -> str:
        thing = self.cloud.things["aws:sqs/queue:Queue|traffic"]
        return str(thing["inputs"]["tags"]["to"]).rpartition(":")[2]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def saved(lab: Lab, version: str) -> SavedPlan:
    steps = lab.preview(version).steps
    plan = SavedPlan("proj", "local", "embedded", "state", {}, operations_of(steps))
    return parse_plan(plan.to_bytes(), "plan.json")


def test_the_first_deployment_has_one_pass_with_something_to_do(lab: Lab) -> None:
    plan = lab.preview("1")
    assert [step[0] for step in told(plan)] == [FIRST, FIRST]
    assert lab.cloud.calls == []
    assert lab.up("1").failures == {}
    assert (lab.things(), lab.traffic(), lab.waited) == ({"slot1", "traffic"}, "slot1", [])
    assert lab.outputs().get("pass") is None  # the last pass settled what the first one left
    assert told(lab.preview("1")) == []
    assert lab.preview("1").diagnostics == ()


def test_each_pass_is_planned_on_what_those_before_it_leave(lab: Lab) -> None:
    lab.up("1")
    plan = lab.preview("2")
    assert told(plan) == ALL
    assert plan.diagnostics == (f"before {SECOND}: waits until the slot answers",)
    # What stays is there once, and of no pass.
    others = Counter(step.urn for step in plan.steps if step.op == "same")
    assert set(others.values()) == {1}
    assert not (others.keys() & {step.urn for step in plan.changes})
    heard: list[Event] = []
    result = lab.up("2", heard.append)
    assert [(op, name) for _, op, name in told(result)] == [(op, name) for _, op, name in ALL]
    wait = f"{SECOND}: waits until the slot answers"
    assert [event.message for event in heard if event.kind == "note"] == [
        FIRST,
        wait,
        SECOND,
        THIRD,
    ]
    assert (lab.things(), lab.traffic(), lab.waited) == (
        {"slot2", "traffic"},
        "slot2",
        ["waits until the slot answers"],
    )
    assert lab.preview("2").changes == []


def die(folder: Path, at: str, when: str) -> None:
    """A process that deploys version 2 and is killed at an operation."""
    pid = os.fork()
    if pid == 0:
        lab = Lab(folder)

        def bomb(moment: str, what: str) -> None:
            if (moment, what) == (when, at):
                os.kill(os.getpid(), signal.SIGKILL)

        lab.cloud.hook = bomb
        lab.up("2", lambda event: bomb(event.kind, event.message))
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("at", "when", "left", "note"),
    [
        ("create:slot2", "before", ALL, ()),
        ("create:slot2", "after", ALL[1:], ()),
        (SECOND, "note", ALL[1:], (f"the last deployment ended after {FIRST}; resumes at {SECOND}",)),
        (THIRD, "note", ALL[2:], (f"the last deployment ended after {SECOND}; resumes at {THIRD}",)),
        # Nobody knows whether it was done, so it is done again, in whichever pass comes first.
        ("update:traffic", "before", [(FIRST, "update", "traffic"), *ALL[1:]], ()),
        ("update:traffic", "after", [(FIRST, "update", "traffic"), *ALL[1:]], ()),
        # Deletions come last, when outputs are settled: what is left over goes with any pass.
        ("delete:slot1", "before", [(FIRST, "delete", "slot1")], ()),
        ("delete:slot1", "after", [], ()),
    ],
)  # fmt: skip
def test_a_deployment_that_died_is_gone_on_with(
    tmp_path: Path, at: str, when: str, left: list[tuple[str, str, str]], note: tuple[str, ...]
) -> None:
    Lab(tmp_path).up("1")
    die(tmp_path, at, when)
    lab = Lab(tmp_path)
    plan = lab.preview("2")
    assert told(plan) == left
    assert plan.diagnostics[: len(note)] == note
    assert lab.up("2").failures == {}
    assert (lab.things(), lab.traffic()) == ({"slot2", "traffic"}, "slot2")
    plan = lab.preview("2")
    assert (plan.changes, plan.diagnostics, lab.outputs().get("pass")) == ([], (), None)


def test_a_pass_that_fails_is_the_last_one_begun(lab: Lab) -> None:
    lab.up("1")
    lab.cloud.fail["update:traffic"] = "no"
    result = lab.up("2")
    assert list(result.failures.values()) == ["no"]
    assert lab.things() == {"slot1", "slot2", "traffic"}
    assert lab.outputs()["pass"] == "slot"


def test_a_saved_plan_holds_every_pass_and_names_the_one_that_moved(lab: Lab) -> None:
    lab.up("1")
    plan = saved(lab, "2")
    assert not moved(plan, saved(lab, "2"))
    planned = [
        {**each, "op": "replace"} if each.get("pass") == SECOND else each
        for each in plan.operations
    ]
    words = [move.words for move in moved(replace(plan, operations=planned), saved(lab, "2"))]
    assert words == [f"sqs.Queue/traffic in {SECOND}: replace was planned, now update"]


def test_what_a_later_pass_does_beyond_the_plan_ends_it_there(lab: Lab) -> None:
    lab.up("1")
    plan = saved(lab, "2")
    first, second = guarded(plan.of(FIRST), None, FIRST), guarded(plan.of(SECOND), None, SECOND)
    steps = {step.name: step for step in lab.preview("2").changes}
    first(Event("start", steps["slot2"]))
    second(Event("start", steps["traffic"]))
    with pytest.raises(PlanMoved, match=f"what was done so far is kept: {SECOND}: create of"):
        second(Event("start", steps["slot2"]))


def test_one_pass_is_no_pass(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    target = make_target(tmp_path)
    for passes in ([], lab.passes("1")[2:]):
        assert [(run.target, run.words) for run in runs(target, passes)] == [(target, "")]
