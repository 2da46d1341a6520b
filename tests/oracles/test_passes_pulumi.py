"""Passes under the real engine: the first is planned exactly, the others by what programs say."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from passing import Stack, told

from mlops_iac.engine.protocol import Event
from mlops_iac.engine.pulumi_cli import PulumiEngine
from mlops_iac.errors import Cancelled

pytestmark = [
    pytest.mark.pulumi_cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="there is no `pulumi` on PATH"),
]
FIRST, SECOND, THIRD = (
    "1 of 3: make the slot",
    "2 of 3: switch the traffic",
    "3 of 3: drop the old slot",
)


def test_passes_are_planned_applied_and_gone_on_with(tmp_path: Path) -> None:
    cloud = MemoryProvider()
    stack = Stack(tmp_path, PulumiEngine({"aws": cloud}))
    assert stack.up("1").failures == {}
    assert "pass" not in stack.outputs()
    plan = stack.preview("2")
    assert told(plan) == [
        (FIRST, "create", "slot2"),
        (SECOND, "update", "traffic"),
        (THIRD, "delete", "slot1"),
    ]
    note = "what a later pass does is told by the program, and planned exactly before it starts"
    assert note in plan.diagnostics

    def end(event: Event) -> None:
        if event.message == SECOND:
            raise Cancelled("between two passes")

    with pytest.raises(Cancelled):
        stack.up("2", end, plan)
    assert stack.outputs() == {"live": "1", "old": "1", "pass": "slot"}
    plan = stack.preview("2")
    assert told(plan) == [(SECOND, "update", "traffic"), (THIRD, "delete", "slot1")]
    assert plan.diagnostics[0] == f"the last deployment ended after {FIRST}; resumes at {SECOND}"
    assert stack.up("2", plan=plan).failures == {}
    assert {key.partition("|")[2] for key in cloud.things} == {"slot2", "traffic"}
    assert stack.outputs() == {"live": "2"}
