"""Property paths as Pulumi writes them."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.engine.embedded import paths
from mlops_iac.errors import MlopsError
from mlops_iac.values import Secret


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("tags", ("tags",)),
        ("tags.Name", ("tags", "Name")),
        ("variants[0].instanceType", ("variants", 0, "instanceType")),
        ('tags["a.b"].c', ("tags", "a.b", "c")),
        ("variants[*].x", ("variants", "*", "x")),
        ("*", ("*",)),
    ],
)
def test_parse(text: str, segments: tuple[Any, ...]) -> None:
    assert paths.parse(text) == segments


@pytest.mark.parametrize("text", ["", "a[", 'a["b', "a[x]"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(MlopsError, match="path"):
        paths.parse(text)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a", "a.b", True),
        ("a.b", "a", False),
        ("a[*].c", "a[3].c.d", True),
        ("a[*].c", "a[3].d", False),
        ("*", "x.y", True),
    ],
)
def test_covers(pattern: str, path: str, expected: bool) -> None:
    assert paths.covers(paths.parse(pattern), paths.parse(path)) is expected


@pytest.mark.parametrize(
    ("new", "old", "pattern", "expected"),
    [
        ({"a": 1, "b": 1}, {"a": 2, "b": 2}, "a", {"a": 2, "b": 1}),
        ({"a": 1}, {}, "a", {}),
        ({}, {"a": 1}, "a", {"a": 1}),
        ({"t": {"x": 1, "y": 1}}, {"t": {"x": 2}}, "t.y", {"t": {"x": 1}}),
        ({"t": {"x": 1}}, {}, "t.x", {"t": {"x": 1}}),  # an added container stays
        (
            {"v": [{"n": 1}, {"n": 2}]},
            {"v": [{"n": 8}, {"n": 9}]},
            "v[*].n",
            {"v": [{"n": 8}, {"n": 9}]},
        ),
        ({"v": [{"n": 1}, {"n": 2}]}, {"v": [{"n": 8}]}, "v[1].n", {"v": [{"n": 1}, {"n": 2}]}),
        ({"t": {"x": 1}}, {"t": {"x": 2, "z": 3}}, "t[*]", {"t": {"x": 2, "z": 3}}),
    ],
)
def test_reset(new: Any, old: Any, pattern: str, expected: Any) -> None:
    before = repr(new)
    assert paths.reset(new, old, [pattern]) == expected
    assert repr(new) == before


def test_get_keeps_what_is_secret_secret() -> None:
    assert paths.get({"a": Secret({"b": 1})}, ("a", "b")) == Secret(1)
    assert paths.get({"a": [1]}, ("a", 0)) == 1
    assert paths.get({"a": [1]}, ("a", 4, "x")) is None
