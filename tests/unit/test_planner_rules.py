"""Rules of planning and of order that need no program."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_iac.emulators.provider import CheckResult, DiffResult, PropertyDiff
from mlops_iac.engine.embedded import planner, removal
from mlops_iac.engine.embedded.entries import renamed
from mlops_iac.engine.embedded.registration import Registration, make_urn
from mlops_iac.engine.embedded.state import Entry, Snapshot
from mlops_iac.errors import MlopsError
from mlops_iac.graph.model import address_of_urn
from mlops_iac.graph.order import topological
from mlops_iac.values import UNKNOWN, Unknown


class Rules:
    """A provider of which only check and diff are asked: `force` replaces, `free` may."""

    package = "t"
    version = ""

    def check(
        self, urn: str, type_: str, olds: Any, news: Any, seed: bytes, _: Any = None
    ) -> CheckResult:
        name = (olds or {}).get("name") or seed.hex()[:6]
        return CheckResult({"name": name, **news})

    def diff(self, type_: str, id_: str, oi: Any, oo: Any, ni: Any, ignore: Any = ()) -> DiffResult:
        detailed = {
            key: PropertyDiff("update", {"force": True, "free": None}.get(key, False))
            for key in sorted({*oi, *ni} - {"name"})
            if oi.get(key) != ni.get(key) or isinstance(ni.get(key), Unknown)
        }
        return DiffResult(detailed, delete_before_replace=oi.get("name") == ni.get("name"))


def urn(name: str) -> str:
    return f"urn:pulumi:local::p::t:m:T::{name}"


def entry(name: str, *needs: str, **changes: Any) -> Entry:
    made = Entry(
        urn(name), "t:m:T", name, True, id=name, dependencies=tuple(urn(need) for need in needs)
    )
    return replace(made, **changes)


def decide(old: Entry | None, inputs: Any, **options: Any) -> planner.Decision:
    registration = Registration(urn("a"), "t:m:T", "a", True, inputs=inputs, **options)
    return planner.decide(
        registration, old, Rules(), salt="s", counter=0, replaced=set()  # type: ignore[arg-type]
    )  # fmt: skip


OLD = entry("a", inputs={"name": "n", "force": 1, "plain": 1})


@pytest.mark.parametrize(
    ("inputs", "options", "op"),
    [
        ({"force": 1, "plain": 1}, {}, "same"),
        ({"force": 1, "plain": 2}, {}, "update"),
        ({"force": 2, "plain": 1}, {}, "replace"),
        ({"force": UNKNOWN, "plain": 1}, {}, "replace"),
        ({"force": 2, "plain": 1}, {"ignore_changes": ["force"]}, "same"),
        ({"force": 1, "plain": 2}, {"replace_on_changes": ["plain"]}, "replace"),
        ({"force": 1, "plain": 2}, {"replace_on_changes": ["*"]}, "replace"),
        ({"force": 1, "plain": 1, "free": 2}, {}, "update"),
    ],
)
def test_decisions(inputs: Any, options: Any, op: str) -> None:
    assert decide(OLD, inputs, **options).op == op


def test_no_fact_means_may_replace() -> None:
    assert [c.replaces for c in decide(OLD, {"force": 1, "plain": 1, "free": 2}).changes] == [None]


def test_a_new_name_is_made_for_a_replacement_and_only_then() -> None:
    assert decide(OLD, {"force": 1, "plain": 2}).inputs["name"] == "n"
    made = decide(OLD, {"force": 2, "plain": 1})
    assert made.inputs["name"] == planner.seed("s", urn("a"), 1).hex()[:6]
    assert not made.delete_before_replace
    assert made.counter == 1


def test_a_fixed_name_deletes_first_unless_told_otherwise() -> None:
    fixed = {"name": "n", "force": 2, "plain": 1}
    assert decide(OLD, fixed).delete_before_replace
    assert not decide(OLD, fixed, delete_before_replace=False).delete_before_replace


def test_unprotecting_and_replacing_in_one_go_is_allowed() -> None:
    guarded = replace(OLD, protect=True)
    assert decide(guarded, {"force": 2, "plain": 1}).op == "replace"
    with pytest.raises(MlopsError, match="protected"):
        decide(guarded, {"force": 2, "plain": 1}, protect=True)


def test_the_cascade_takes_only_what_is_replaced_by_it() -> None:
    root = entry("root")
    through = {"force": (urn("root"),)}
    first = entry("first", "root", inputs={"force": 1}, property_dependencies=through)
    loose = entry(
        "loose", "root", inputs={"plain": 1}, property_dependencies={"plain": (urn("root"),)}
    )
    second = entry(
        "second", "first", inputs={"force": 1}, property_dependencies={"force": (urn("first"),)}
    )
    ordered = entry("ordered", "root", inputs={"force": 1})
    along = entry("along", "root", deleted_with=urn("root"))
    provider = Rules()
    going = planner.cascade(root, [first, loose, second, ordered, along], lambda _e: provider)  # type: ignore[arg-type,return-value]
    assert set(going) == {urn("first"), urn("second"), urn("along")}


def test_urns_have_the_whole_chain_of_types() -> None:
    stack = make_urn("s", "p", "", "pulumi:pulumi:Stack", "p-s")
    outer = make_urn("s", "p", stack, "x:y:A", "a")
    inner = make_urn("s", "p", outer, "x:y:B", "b")
    leaf = make_urn("s", "p", inner, "aws:s3/bucket:Bucket", "a::b")
    assert leaf == "urn:pulumi:s::p::x:y:A$x:y:B$aws:s3/bucket:Bucket::a::b"
    assert address_of_urn(leaf) == "s3.Bucket/a::b"


def test_a_rename_reaches_every_reference() -> None:
    snapshot = Snapshot({e.urn: e for e in (entry("a"), entry("b", "a"), entry("c"))})
    snapshot.apply(renamed(snapshot, urn("a"), urn("z")))
    assert set(snapshot.entries) == {urn("z"), urn("b"), urn("c")}
    assert snapshot.entries[urn("b")].dependencies == (urn("z"),)


graphs = st.dictionaries(
    st.sampled_from("abcdefgh"), st.lists(st.sampled_from("abcdefgh"), max_size=3), max_size=8
)


@given(graphs)
def test_the_order_is_total_stable_and_follows_dependencies(graph: dict[str, list[str]]) -> None:
    order = topological(graph)
    assert sorted(order) == sorted(graph)
    assert order == topological(dict(reversed(graph.items())))
    acyclic = {key: [d for d in needs if d < key] for key, needs in graph.items()}
    position = {key: index for index, key in enumerate(topological(acyclic))}
    for key, needs in acyclic.items():
        assert all(position[need] < position[key] for need in needs if need in position)


def test_removals_go_dependants_first_and_stop_at_a_failure() -> None:
    snapshot = Snapshot(
        {e.urn: e for e in (entry("a"), entry("b", "a"), entry("c", "b"), entry("d"))}
    )
    removals = removal.plan_removals(snapshot, (), lambda _e: True)
    order = [r.entry.id for r in removals]
    assert order.index("c") < order.index("b") < order.index("a")
    done: list[str] = []
    lock = threading.Lock()

    def delete(item: removal.Removal) -> bool:
        with lock:
            done.append(item.entry.id)
        return item.entry.id != "b"

    left = removal.perform(removals, delete, parallel=1, stop=lambda: False)
    assert "a" not in done
    assert [item.entry.id for item in left if item.entry.id == "a"] == ["a"]
    assert done.index("c") < done.index("b")


def test_nothing_is_begun_once_stopped() -> None:
    snapshot = Snapshot({e.urn: e for e in (entry("a"), entry("b"))})
    removals = removal.plan_removals(snapshot, (), lambda _e: True)
    left = removal.perform(removals, lambda _r: True, parallel=2, stop=lambda: True)
    assert len(left) == 2
