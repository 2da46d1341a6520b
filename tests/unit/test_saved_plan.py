"""Saved plans: the same bytes, what moved by name, no secrets, and files that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mlops_iac.errors import UsageError
from mlops_iac.graph import redact
from mlops_iac.graph.plan import PropertyChange, Step
from mlops_iac.graph.plan_moves import exceeding, moved
from mlops_iac.graph.saved_plan import SavedPlan, operations_of, parse_plan
from mlops_iac.values import UNKNOWN, Asset, Secret

BUCKET = "urn:pulumi:prod::churn::aws:s3/bucket:Bucket::data"
ENDPOINT = "urn:pulumi:prod::churn::aws:sagemaker/endpoint:Endpoint::api"


def step(op: Any = "update", urn: str = BUCKET, **more: Any) -> Step:
    type_ = urn.split("::")[2]
    return Step(op=op, urn=urn, type=type_, name=urn.split("::")[3], **more)


def plan(*steps: Step, **bound: dict[str, Any]) -> SavedPlan:
    return SavedPlan(
        project="churn",
        stack="prod",
        engine="embedded",
        basis="state",
        bound=bound,
        operations=operations_of(steps),
    )


def test_a_plan_is_read_back_as_it_was_and_written_the_same() -> None:
    saved = plan(step(new_inputs={"bucket": "b"}), configuration={"churn:max": 4})
    assert parse_plan(saved.to_bytes(), "plan.json") == replace(saved, left_out=[])
    assert parse_plan(saved.to_bytes(), "plan.json").to_bytes() == saved.to_bytes()


def test_bound_names_stand_in_one_order_whatever_order_they_came_in() -> None:
    one = plan(versions={"a": "1", "b": "2"}, configuration={"x": 1})
    other = plan(configuration={"x": 1}, versions={"b": "2", "a": "1"})
    assert one.to_bytes() == other.to_bytes()


def test_no_secret_and_no_digest_of_one_is_in_a_plan_by_marker_by_name_or_by_schema(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redact, "_sensitive_paths", lambda _type: {"acl"})
    inputs = {
        "bucket": Secret("hunter2-marker"),
        "environment": {"API_KEY": "hunter2-name", "LEVEL": "info"},
        "document": json.dumps({"password": "hunter2-inside"}),
        "acl": "hunter2-schema",
    }
    changes = [PropertyChange("environment.API_KEY", "update", "hunter2-old", "hunter2-name")]
    text = json.dumps(operations_of([step(new_inputs=inputs, changes=changes)]))
    assert "hunter2" not in text
    assert "scrypt" not in text
    assert "info" in text


def test_unknowns_and_files_stand_in_it_by_what_they_are() -> None:
    inputs = {"arn": UNKNOWN, "source": Asset("ab" * 32, path="/somewhere/x.csv")}
    [operation] = operations_of([step("create", new_inputs=inputs)])
    assert operation["inputs"] == {"arn": "[unknown]", "source": {"$asset": "sha256:" + "ab" * 32}}


def test_nothing_moved_between_equal_plans() -> None:
    assert (
        moved(plan(step(), state={BUCKET: "sha256:1"}), plan(step(), state={BUCKET: "sha256:1"}))
        == []
    )


MOVES: list[tuple[str, SavedPlan, SavedPlan, str]] = [
    ("a value of the configuration", plan(configuration={"churn:max": 4}),
     plan(configuration={"churn:max": 5}), "the configuration churn:max was 4, is 5"),
    ("true and 1 are two values", plan(configuration={"churn:max": 1}),
     plan(configuration={"churn:max": True}), "the configuration churn:max was 1, is true"),
    ("a version of a tool", plan(versions={"pulumi": "3.1"}), plan(versions={"pulumi": "3.2"}),
     'the version of pulumi was "3.1", is "3.2"'),
    ("a file of the program", plan(program={"__main__.py": "sha256:1"}),
     plan(program={"__main__.py": "sha256:2"}), "the program's file __main__.py differs"),
    ("a file that is new", plan(program={}), plan(program={"x.json": "sha256:2"}),
     "the program's file x.json is new"),
    ("an upload", plan(assets={"s3.BucketObjectv2/data source": "sha256:1"}),
     plan(assets={"s3.BucketObjectv2/data source": "sha256:2"}),
     "the file uploaded by s3.BucketObjectv2/data source differs"),
    ("the tree", plan(git={"tree of .": "aa"}), plan(git={"tree of .": "bb"}),
     "the git tree of . differs"),
    ("a resource of the state", plan(state={BUCKET: "sha256:1"}), plan(state={}),
     "the state of s3.Bucket/data is gone"),
    ("an operation", plan(step("update")), plan(step("replace")),
     "s3.Bucket/data: update was planned, now replace"),
    ("an input", plan(step(new_inputs={"acl": "private"})),
     plan(step(new_inputs={"acl": "public-read"})), "s3.Bucket/data: update differs in"),
    ("what forces a replacement", plan(step("replace", replace_keys=["bucket"])),
     plan(step("replace", replace_keys=["acl"])), "s3.Bucket/data: replace differs in"),
    ("the symbolic graph", plan(graph={ENDPOINT: {"inputs": {"a": 1}}}),
     plan(graph={ENDPOINT: {"inputs": {"a": 2}}}),
     "the resource sagemaker.Endpoint/api differs in a"),
    ("a section of a later version", plan(), plan(weather={"x": 1}), "weather: not known"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "old", "new", "words"), MOVES, ids=[m[0] for m in MOVES])
def test_what_moved_is_named(what: str, old: SavedPlan, new: SavedPlan, words: str) -> None:
    found = moved(old, new)
    assert len(found) == 1
    assert found[0].words.startswith(words)


def test_causes_are_told_before_what_follows_from_them() -> None:
    old = plan(step("update"), configuration={"x": 1}, state={BUCKET: "sha256:1"})
    new = plan(step("replace"), configuration={"x": 2}, state={BUCKET: "sha256:2"})
    assert [m.section for m in moved(old, new)] == ["configuration", "state", "operations"]


def test_less_than_reviewed_may_happen_and_never_more() -> None:
    reviewed = plan(step("update"), step("replace", ENDPOINT))
    assert exceeding(reviewed, [step("same")]) == []
    assert exceeding(reviewed, [step("create-replacement", ENDPOINT)]) == []
    assert [m.words for m in exceeding(reviewed, [step("replace")])] == [
        "s3.Bucket/data: update was planned, now replace"
    ]
    other = step("create", "urn:pulumi:prod::churn::aws:s3/bucket:Bucket::other")
    assert [m.words for m in exceeding(reviewed, [other])] == [
        "s3.Bucket/other: nothing was planned, now create"
    ]


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    data = json.loads(plan(step(), configuration={"x": 1}).to_bytes())
    change(data)
    return json.dumps(data).encode()


BROKEN: list[tuple[str, bytes, str]] = [
    ("empty", b"", "not JSON"),
    ("cut off", plan(step()).to_bytes()[:-20], "not JSON"),
    ("deeply nested", b"[" * 200_000, "not JSON"),
    ("another file", b'{"format": 1, "kind": "review"}', "no plan of mlops-iac"),
    ("a list", b"[]", "no plan of mlops-iac"),
    ("newer", changed(lambda d: d.update(format=99)), "format 99; this version reads up to 1"),
    ("older than any", changed(lambda d: d.update(format=0)), "damaged"),
    ("edited", changed(lambda d: d["bound"]["configuration"].update(x=2)), "its digest differs"),
    ("an operation taken out", changed(lambda d: d["operations"].clear()), "its digest differs"),
    ("no steps", changed(lambda d: d.pop("operations")), "damaged"),
    ("another basis", changed(lambda d: d.update(basis="faith")), "damaged"),
    ("a name that moves the cursor", changed(lambda d: d.update(stack="\x1b[2J")), "damaged"),
    ("an operation of no resource", changed(lambda d: d["operations"].append({})), "damaged"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "raw", "words"), BROKEN, ids=[b[0] for b in BROKEN])
def test_what_is_no_plan_is_told_in_one_sentence_and_what_to_do(
    what: str, raw: bytes, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse_plan(raw, "plan.json")
    assert words in caught.value.message
    assert caught.value.message.startswith("plan.json")
    assert caught.value.hint
