"""Canonical form and lock files: the same stack is the same bytes, and no secret is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.errors import UsageError
from mlops_iac.graph.canonical import canonical
from mlops_iac.graph.lock import lock_bytes, lock_name, lock_plan, parse_lock, read_lock, same_lock
from mlops_iac.graph.model import STACK_TYPE, Resource, ResourceGraph
from mlops_iac.values import UNKNOWN, Asset, Secret

POLICY = '{"Version": "2012", "Statement": [{"Action": "s3:GetObject"}]}'


def bucket(name: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> Resource:
    fields: dict[str, Any] = {"parent": "urn:stack", "custom": True, "type": "aws:s3/bucket:Bucket"}
    return Resource(urn=f"urn:{name}", name=name, inputs=inputs or {}, **(fields | more))


def graph(*resources: Resource, outputs: Mapping[str, Any] | None = None) -> ResourceGraph:
    stack = Resource(urn="urn:stack", type=STACK_TYPE, name="demo-prod", custom=False)
    return ResourceGraph("demo", "prod", (stack, *resources), outputs or {})


def inputs_of(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return canonical(graph(bucket("a", value))).resources[1].inputs


def test_equal_graphs_are_equal_bytes_whatever_the_order() -> None:
    one = bucket("a", {"x": 1, "y": {"b": 1.0, "a": None}})
    same_one = bucket("a", {"y": {"b": 1}, "x": 1.0})
    two = bucket("b", dependencies=("urn:a", "urn:stack"))
    same_two = bucket("b", dependencies=("urn:stack", "urn:a", "urn:a"))
    left, right = lock_bytes(graph(one, two), {}), lock_bytes(graph(same_two, same_one), {})
    assert left == right
    assert [r["urn"] for r in json.loads(left)["resources"]] == ["urn:stack", "urn:a", "urn:b"]


def test_dependencies_come_first_and_then_urns() -> None:
    found = canonical(graph(bucket("a", dependencies=("urn:z",)), bucket("m"), bucket("z")))
    assert [resource.name for resource in found.resources] == ["demo-prod", "m", "z", "a"]


def test_documents_inside_texts_are_taken_apart_and_other_texts_are_not() -> None:
    found = inputs_of({"policy": POLICY, "text": "{not json}", "number": "[3", "name": "x"})
    assert found["policy"] == {
        "$json": {"Statement": [{"Action": "s3:GetObject"}], "Version": "2012"}
    }
    assert found["text"] == "{not json}"
    assert inputs_of({"p": '{"a":1}'}) == inputs_of({"p": '{ "a" : 1.0 }'})


def test_assets_stand_by_content_and_never_by_path() -> None:
    raw = lock_bytes(graph(bucket("a", {"source": Asset("abc", path="/home/me/x")})), {})
    assert b'"$asset": "sha256:abc"' in raw
    assert b"/home/me" not in raw


def test_no_marked_secret_is_written_and_its_change_leaves_no_trace() -> None:
    def raw(secret: str) -> bytes:
        inputs = {
            "a": Secret({"deep": secret}),
            "env": {"API_KEY": Secret(secret), "TOKEN": {"deep": Secret(secret)}},
            "note": secret,
        }
        return lock_bytes(
            graph(
                bucket("a", inputs, additional_secret_outputs=("note",)),
                outputs={"o": Secret(secret), "p": 1},
            ),
            {},
        )

    assert b"hunter2" not in raw("hunter2")
    assert raw("hunter2") == raw("other")


def test_unknowns_have_a_text() -> None:
    assert inputs_of({"x": UNKNOWN}) == {"x": "[unknown]"}


def test_only_options_that_are_set_are_written() -> None:
    plain, set_ = canonical(
        graph(
            bucket("a"),
            bucket("b", protect=True, ignore_changes=("x",), delete_before_replace=False),
        )
    ).resources[1:]
    assert plain.options == {}
    assert set_.options == {"protect": True, "ignoreChanges": ["x"]}


def test_a_lock_is_read_back_as_it_was(tmp_path: Path) -> None:
    found = canonical(
        graph(bucket("a", {"policy": POLICY, "t": True, "n": 1}, protect=True), outputs={"o": [1]})
    )
    path = tmp_path / lock_name("prod")
    path.write_bytes(lock_bytes(found))
    assert read_lock(path) == found
    assert json.loads(path.read_bytes())["versions"]["pulumi"]


def test_one_property_is_one_line() -> None:
    before = lock_bytes(graph(bucket("a", {"x": 1, "y": 2})), {}).splitlines()
    after = lock_bytes(graph(bucket("a", {"x": 1, "y": 3})), {}).splitlines()
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not JSON"),
        (b'{"format": 1,', "line 1: this is not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"<<<<<<< HEAD\n{}\n=======\n", "merge conflicts"),
        (b"[]", "not a lock file"),
        (b"{}", "not a lock file"),
        (b'{"format": 1}', "not a lock file"),
        (
            b'{"format": 1, "project": 1, "stack": "s", "resources": [], "outputs": {}}',
            "not a lock",
        ),
        (
            b'{"format": 1, "project": "p", "stack": "s", "resources": 3, "outputs": {}}',
            "not a lock",
        ),
        (b'{"format": 2, "x": []}', "has format 2; this version reads up to 1"),
    ],
)
def test_a_lock_that_cannot_be_read_says_why_and_what_to_do(raw: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        parse_lock(raw, "mlops-iac.prod.lock.json")
    assert "mlops-iac.prod.lock.json" in caught.value.message
    assert caught.value.hint


def test_a_missing_lock_says_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no lock file") as caught:
        read_lock(tmp_path / "x.lock.json")
    assert "mlops-iac compile" in caught.value.hint


def test_versions_do_not_make_a_lock_another_one() -> None:
    one = graph(bucket("a"))
    assert same_lock(lock_bytes(one, {"pulumi": "1"}), lock_bytes(one, {"pulumi": "2"}))
    assert not same_lock(lock_bytes(one, {}), lock_bytes(graph(bucket("b")), {}))
    assert not same_lock(b"{", b"{")


def test_without_a_lock_everything_is_created(tmp_path: Path) -> None:
    plan = lock_plan(tmp_path / "none", graph(bucket("a")), lambda _type, _path: (False, ""))
    assert plan.summary() == {"create": 2}
    assert (plan.against, plan.stack, plan.project) == ("lock", "prod", "demo")
