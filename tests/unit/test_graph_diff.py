"""Two captures compared: operations, property paths, replacements and what they pull along."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from mlops_iac.graph.canonical import canonical
from mlops_iac.graph.changes import property_changes
from mlops_iac.graph.diff import diff
from mlops_iac.graph.model import STACK_TYPE, Resource, ResourceGraph
from mlops_iac.graph.plan import Step


def bucket(name: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> Resource:
    fields: dict[str, Any] = {"parent": "urn:stack", "custom": True, "type": "aws:s3/bucket:Bucket"}
    return Resource(urn=f"urn:{name}", name=name, inputs=inputs or {}, **(fields | more))


def graph(*resources: Resource, outputs: Mapping[str, Any] | None = None) -> ResourceGraph:
    stack = Resource(urn="urn:stack", type=STACK_TYPE, name="demo-prod", custom=False)
    return ResourceGraph("demo", "prod", (stack, *resources), outputs or {})


def facts(_type: str, path: str) -> tuple[bool | None, str]:
    if path.startswith("name"):
        return True, "test facts"
    return (None, "") if path.startswith("odd") else (False, "test facts")


def steps(old: ResourceGraph, new: ResourceGraph) -> dict[str, Step]:
    return {step.name: step for step in diff(canonical(old), canonical(new), facts)}


def told(old: Any, new: Any) -> list[tuple[str, str, Any, Any]]:
    left = canonical(graph(bucket("a", old))).resources[1].inputs
    right = canonical(graph(bucket("a", new))).resources[1].inputs
    return [
        (c.path, c.kind, c.old, c.new)
        for c in property_changes(left, right, lambda _p: (False, ""))
    ]


def test_operations_by_what_became_of_a_resource() -> None:
    old = graph(
        bucket("same", {"x": 1}),
        bucket("changed", {"x": 1}),
        bucket("renamed", {"name": "a"}),
        bucket("gone"),
    )
    new = graph(
        bucket("same", {"x": 1.0}),
        bucket("changed", {"x": 2}),
        bucket("renamed", {"name": "b"}),
        bucket("new"),
    )
    found = steps(old, new)
    assert {name: step.op for name, step in found.items()} == {
        "demo-prod": "same",
        "same": "same",
        "changed": "update",
        "renamed": "replace",
        "new": "create",
        "gone": "delete",
    }
    assert found["renamed"].replace_keys == ["name"]
    assert found["renamed"].changes[0].source == "test facts"
    assert found["gone"].old_inputs == {}


def test_a_property_without_a_fact_may_replace() -> None:
    found = steps(graph(bucket("a", {"odd": 1})), graph(bucket("a", {"odd": 2})))["a"]
    assert found.op == "update"
    assert found.changes[0].replaces is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"x": 1}, {"x": True}, [("x", "update", 1, True)]),
        ({"x": 1}, {}, [("x", "delete", 1, None)]),
        ({"x": None}, {}, []),
        ({}, {"a": {"b": 1}}, [("a", "add", None, {"b": 1})]),
        ({"tags": {"a.b": "1"}}, {"tags": {"a.b": "2"}}, [('tags["a.b"]', "update", "1", "2")]),
        ({"l": [1, 2, 3]}, {"l": [0, 1, 2, 3]}, [("l[0]", "add", None, 0)]),
        ({"l": [1, 2, 3]}, {"l": [1, 3]}, [("l[1]", "delete", 2, None)]),
        ({"l": [1, 2]}, {"l": [1, 9]}, [("l[1]", "update", 2, 9)]),
        (
            {"v": [{"variantName": "a", "n": 1}, {"variantName": "b", "n": 1}]},
            {"v": [{"variantName": "b", "n": 2}, {"variantName": "a", "n": 1}]},
            [("v[0].n", "update", 1, 2)],
        ),
        (
            {"v": [{"name": "a"}, {"name": "b"}]},
            {"v": [{"name": "b"}, {"name": "a"}]},
            [("v", "update", [{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}])],
        ),
        ({"p": "{}"}, {"p": "text"}, [("p", "update", {}, "text")]),
        ({"p": '{"a": [1]}'}, {"p": '{"a":[1.0]}'}, []),
    ],
)
def test_what_differs_is_said_by_its_path(old: Any, new: Any, expected: Any) -> None:
    assert told(old, new) == expected


def test_one_word_changed_inside_a_policy_document_shows() -> None:
    def policy(action: str) -> dict[str, str]:
        statements = [
            {
                "Sid": "Read",
                "Action": [action, "s3:ListBucket"],
                "Resource": "${s3.Bucket/b.arn}/*",
            },
            {"Sid": "Write", "Action": "s3:PutObject", "Resource": "*"},
        ]
        return {"policy": json.dumps({"Statement": statements})}

    assert told(policy("s3:GetObject"), policy("s3:*")) == [
        ("policy.Statement[0].Action[0]", "update", "s3:GetObject", "s3:*")
    ]


def test_facts_are_asked_for_the_property_and_not_for_a_place_inside_its_document() -> None:
    asked: list[str] = []

    def remember(_type: str, path: str) -> tuple[bool | None, str]:
        asked.append(path)
        return True, "f"

    old = canonical(graph(bucket("a", {"v": [{"doc": '{"a": {"b": 1}}'}]})))
    new = canonical(graph(bucket("a", {"v": [{"doc": '{"a": {"b": 2}}'}]})))
    step = diff(old, new, remember)[1]
    assert asked == ["v[0].doc"]
    assert step.replace_keys == ["v[0].doc.a.b"]


def test_a_replacement_pulls_along_what_refers_to_it() -> None:
    def stack(name: str) -> ResourceGraph:
        on = ("urn:model",)
        return graph(
            bucket("model", {"name": name}),
            bucket("config", {"name": "${s3.Bucket/model.arn}"}, dependencies=on),
            bucket("tagged", {"tag": "x ${s3.Bucket/model.id}"}, dependencies=on),
            bucket("fixed", {"name": "${s3.Bucket/model.name}"}, dependencies=on),
            bucket("endpoint", {"name": "${s3.Bucket/config.id}"}, dependencies=("urn:config",)),
            bucket("after", {"name": "z"}, dependencies=on),
            bucket(
                "both",
                {"a": "${s3.Bucket/model.arn}", "b": "${s3.Bucket/config.arn}"},
                dependencies=(*on, "urn:config"),
            ),
            bucket(
                "deaf",
                {"name": "${s3.Bucket/model.arn}"},
                dependencies=on,
                ignore_changes=("name",),
            ),
        )

    found = steps(stack("one"), stack("two"))
    assert {name: step.op for name, step in found.items()} == {
        "demo-prod": "same",
        "model": "replace",
        "config": "replace",
        "tagged": "update",
        "fixed": "same",
        "endpoint": "replace",
        "after": "same",
        "both": "update",
        "deaf": "same",
    }
    assert found["config"].reason == "s3.Bucket/model is replaced"
    assert found["endpoint"].reason == "s3.Bucket/config is replaced"
    assert found["both"].reason == "s3.Bucket/model, s3.Bucket/config are replaced"


def test_options_of_the_program_are_honoured() -> None:
    old = graph(
        bucket("ignored", {"x": {"y": 1}, "z": 1}),
        bucket("forced", {"v": [{"x": 1}]}),
        bucket("kept", retain_on_delete=True),
        bucket("guarded", protect=True),
    )
    new = graph(
        bucket("ignored", {"x": {"y": 2}, "z": 1}, ignore_changes=("x.y",)),
        bucket("forced", {"v": [{"x": 2}]}, replace_on_changes=("v[*].x",)),
    )
    found = steps(old, new)
    assert [change.path for change in found["ignored"].changes] == ["(options) ignoreChanges"]
    assert found["forced"].op == "replace"
    assert any(change.source == "replaceOnChanges" for change in found["forced"].changes)
    assert found["kept"].retained
    assert found["guarded"].protect
    assert found["guarded"].op == "delete"


def test_a_resource_that_was_renamed_with_an_alias_stays() -> None:
    old = graph(bucket("before", {"x": 1}))
    new = graph(bucket("after", {"x": 1}, aliases=("urn:before",)))
    found = steps(old, new)
    assert set(found) == {"demo-prod", "after"}
    assert found["after"].op == "same"
    assert found["after"].reason == "was s3.Bucket/before"


def test_deletions_come_last_and_dependants_before_what_they_need() -> None:
    old = graph(bucket("a"), bucket("b", dependencies=("urn:a",)))
    found = diff(canonical(old), canonical(graph(bucket("c"))), facts)
    assert [(step.op, step.name) for step in found[1:]] == [
        ("create", "c"),
        ("delete", "b"),
        ("delete", "a"),
    ]


def test_changed_outputs_are_told_with_the_stack() -> None:
    step = steps(graph(outputs={"a": 1}), graph(outputs={"a": 2}))["demo-prod"]
    assert [(c.path, c.old, c.new) for c in step.changes] == [("(outputs) a", 1, 2)]


def test_a_component_is_never_replaced() -> None:
    component = {"custom": False, "type": "mlops-iac:aws:Data"}
    old = graph(bucket("c", {"name": "a"}, **component))
    new = graph(bucket("c", {"name": "b"}, **component))
    assert steps(old, new)["c"].op == "update"


def test_five_thousand_resources_take_less_than_a_second() -> None:
    document = json.dumps({"Statement": [{"Sid": str(n), "Action": ["a", "b"]} for n in range(4)]})

    def many(size: int) -> ResourceGraph:
        return graph(
            *(
                bucket(
                    f"b{n:04}",
                    {"name": f"n{n}", "policy": document, "size": size if n % 10 == 0 else 0},
                    dependencies=("urn:b0000",) if n else (),
                )
                for n in range(5000)
            )
        )

    old, new = canonical(many(1)), canonical(many(2))
    started = time.process_time()
    found = diff(old, new, facts)
    assert time.process_time() - started < 3  # 0.3
    assert sum(step.op == "update" for step in found) == 500
