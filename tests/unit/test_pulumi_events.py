"""The real engine's events: what a refresh found, what took how long, what is only recorded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from mlops_iac.engine.protocol import Event
from mlops_iac.engine.pulumi_events import EventLog, resource_of

TOPIC = "aws:sns/topic:Topic"


def metadata(op: str, name: str, type_: str = TOPIC, **more: Any) -> SimpleNamespace:
    state = SimpleNamespace(
        custom=type_.startswith("aws:"),
        id=name, parent="", protect=False, inputs={"tags": {"a": "1"}}, outputs={},
    )  # fmt: skip
    values = {
        "op": op, "urn": f"urn:pulumi:local::p::{type_}::{name}", "type": type_, "old": state,
        "new": None if op == "delete" else state, "keys": None, "diffs": None,
        "detailed_diff": None, "provider": "",
    }  # fmt: skip
    return SimpleNamespace(**{**values, **more})


def event(kind: str, content: Any) -> SimpleNamespace:
    names = ("resource_pre_event", "res_outputs_event", "res_op_failed_event", "diagnostic_event")
    empty = dict.fromkeys(names)
    return SimpleNamespace(**{**empty, kind: content})


def pre(*args: str) -> SimpleNamespace:
    return event("resource_pre_event", SimpleNamespace(metadata=metadata(*args)))


def done(*args: str) -> SimpleNamespace:
    return event("res_outputs_event", SimpleNamespace(metadata=metadata(*args)))


def test_a_refresh_tells_what_came_of_it() -> None:
    heard: list[Event] = []
    log = EventLog(heard.append)
    for name in ("gone", "drifted", "same"):
        log.hear(pre("refresh", name))
    log.hear(pre("refresh", "comp", "mlops-iac:aws:Keys"))
    log.hear(pre("refresh", "default", "pulumi:providers:aws"))
    log.hear(done("delete", "gone"))
    log.hear(done("update", "drifted"))
    log.hear(done("same", "same"))
    log.hear(done("same", "comp", "mlops-iac:aws:Keys"))
    log.hear(done("same", "default", "pulumi:providers:aws"))
    assert [(step.op, step.name) for step in log.steps] == [
        ("delete", "gone"),
        ("refresh", "drifted"),
        ("same", "same"),
    ]
    assert [(item.kind, item.step.name) for item in heard if item.step] == [
        ("done", "gone"),
        ("done", "drifted"),
    ]


def test_an_update_is_an_update() -> None:
    log = EventLog(recorded=lambda type_: type_ == TOPIC)
    log.hear(pre("update", "t"))
    log.hear(done("update", "t"))
    assert [(step.op, step.name, step.recorded) for step in log.steps] == [("update", "t", True)]


def test_a_states_secrets_are_left_out() -> None:
    resource = resource_of(
        {
            "urn": "urn:pulumi:local::p::aws:sns/topic:Topic::t",
            "type": TOPIC,
            "custom": True,
            "inputs": {
                "a": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
                      "ciphertext": "v1:x"},
                "b": [1],
            },
        }
    )  # fmt: skip
    assert "v1:x" not in repr(resource)
    assert resource.inputs["b"] == [1]
    assert resource.name == "t"
