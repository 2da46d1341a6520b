"""Records: values with named fields, and what they refuse."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from mlops_iac.records import Record, as_json, from_json


class Point(Record):
    x: int
    y: int = 2
    names: Mapping[str, int] = {}


class Place(Point):
    z: int = 3


def test_fields_by_position_by_name_and_by_default() -> None:
    assert (Point(1).x, Point(1).y) == (1, 2)
    assert Point(1, y=5) == Point(x=1, y=5) != Point(1)
    assert Place(1, 2, {"a": 1}, 4).z == 4
    assert repr(Place(1)) == "Place(x=1, y=2, names={}, z=3)"


def test_a_default_is_not_shared() -> None:
    changed: Any = Point(1).names
    changed["a"] = 1
    assert Point(1).names == {}


def test_records_of_other_classes_are_not_equal() -> None:
    assert Point(1) != Place(1)
    assert Point(1) != (1, 2, {})


@pytest.mark.parametrize(
    ("args", "values"),
    [((), {}), ((1, 2, {}, 4), {}), ((1,), {"x": 1}), ((1,), {"w": 1})],
    ids=["none", "too many", "twice", "unknown"],
)
def test_what_does_not_fit_is_refused(args: tuple[Any, ...], values: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Point(*args, **values)


def test_nothing_changes() -> None:
    made: Any = Point(1)
    with pytest.raises(AttributeError, match="frozen"):
        made.x = 2
    with pytest.raises(AttributeError, match="frozen"):
        del made.x


def test_match_copy_pickle_and_hash() -> None:
    match Point(1, 7):
        case Point(x, y=y):
            assert (x, y) == (1, 7)
    assert copy.deepcopy(Point(1)) == pickle.loads(pickle.dumps(Point(1))) == Point(1)
    assert len({Pair(1, 2), Pair(1, 2), Pair(2, 1)}) == 2


class Pair(Record):
    a: int
    b: int


def test_records_go_through_json_and_come_back() -> None:
    class Inner(Record):
        names: tuple[str, ...]
        by_name: Mapping[str, object]

    class Outer(Record):
        inner: tuple[Inner, ...]
        left: Inner | None = None

    value = Outer((Inner(("a", "b"), {"x": 1, "y": 0.5, "z": True}), Inner((), {})))
    written = json.loads(json.dumps(as_json(value)))
    assert from_json(written, {"Inner": Inner, "Outer": Outer}) == value
    with pytest.raises(KeyError):
        from_json(written, {"Outer": Outer})
    with pytest.raises(TypeError):
        from_json({"": "Inner", "other": 1}, {"Inner": Inner})
