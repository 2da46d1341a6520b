"""What a lock hides is told apart, and neither shown nor told by a plan."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.graph import redact
from mlops_iac.graph.lock import lock_bytes, lock_plan
from mlops_iac.graph.model import STACK_TYPE, Resource, ResourceGraph
from mlops_iac.graph.plan import Plan
from mlops_iac.values import Secret

TYPE = "aws:x/y:Z"


def graph(inputs: dict[str, Any], outputs: dict[str, Any] | None = None) -> ResourceGraph:
    stack = Resource(urn="urn:stack", type=STACK_TYPE, name="demo-prod", custom=False)
    one = Resource("urn:a", TYPE, "a", custom=True, parent="urn:stack", inputs=inputs)
    return ResourceGraph("demo", "prod", (stack, one), outputs or {})


def planned(lock: Path, old: ResourceGraph, new: ResourceGraph) -> Plan:
    lock.write_bytes(lock_bytes(old, {}))
    return lock_plan(lock, new, lambda *_: (False, ""))


PLACES = {
    "a name": (lambda v: {"env": {"API_TOKEN": v}}, "env.API_TOKEN"),
    "a list of names and values": (lambda v: {"env": [{"name": "DB_PASSWORD", "value": v}]}, ""),
    "a document": (lambda v: {"doc": json.dumps({"password": v, "n": 1})}, "doc.password"),
    "a URL": (lambda v: {"url": f"postgres://me:{v}@host/db"}, "url"),
    "the schema": (lambda v: {"pin": v}, "pin"),
    "something deep": (lambda v: {"CLIENT_SECRET": {"a": [v]}}, "CLIENT_SECRET"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_hidden_value_that_changes_is_a_change_and_one_that_does_not_is_none(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact, "_sensitive_paths", lambda _type: {"pin"})
    made, path = PLACES[place]
    lock = tmp_path / "lock.json"
    same = planned(lock, graph(made("hunter2")), graph(made("hunter2")))
    assert (same.changes, same.incomparable) == ([], [])
    plan = planned(lock, graph(made("hunter2")), graph(made("hunter3")))
    [change] = plan.changes[0].changes
    assert path in change.path
    assert plan.incomparable == []
    assert b"hunter" not in lock.read_bytes()
    assert b"scrypt" in lock.read_bytes()
    told = str(asdict(plan))
    assert "hunter" not in told
    assert "scrypt" not in told


def test_an_output_that_is_hidden_is_compared_too(tmp_path: Path) -> None:
    old, new = (graph({}, {"admin_password": each}) for each in ("hunter2", "hunter3"))
    plan = planned(tmp_path / "lock", old, new)
    assert [change.path for change in plan.changes[0].changes] == ["(outputs) admin_password"]
    assert "scrypt" not in str(asdict(plan))


def test_what_is_marked_as_secret_has_no_digest_and_is_said_not_to_be_compared(
    tmp_path: Path,
) -> None:
    old, new = (graph({"text": Secret(each), "b": 1}) for each in ("hunter2", "hunter3"))
    plan = planned(tmp_path / "lock", old, new)
    assert "scrypt" not in (tmp_path / "lock").read_text()
    assert plan.changes == []
    assert plan.incomparable == ["x.Z/a text"]
    [note] = plan.doubts
    assert "cannot be compared, as it is hidden: x.Z/a text" in note


def test_a_lock_without_digests_is_no_proof_that_nothing_changed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    held = graph({"env": {"API_TOKEN": "hunter2"}})
    text = re.sub(r"\[[a-z ]*scrypt:\w+\]", "[secret]", lock_bytes(held, {}).decode())
    lock.write_text(text)
    plan = lock_plan(lock, held, lambda *_: (False, ""))
    assert plan.changes
    assert plan.incomparable == ["x.Z/a env.API_TOKEN"]


def test_no_table_serves_two_projects() -> None:
    one = graph({"env": {"API_TOKEN": "hunter2"}})
    locks = [lock_bytes(each, {}).decode() for each in (one, replace(one, project="other"))]
    first, second = (re.findall(r"scrypt:(\w+)", each) for each in locks)
    assert len(first) == len(second) == 1
    assert first != second
