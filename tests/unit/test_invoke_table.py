"""A table of rows and predictions that fits."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.cli._rows import table

ROWS = [{"id": "P1", "size": 10, "note": "a\nb"}, {"id": "P22", "size": None, "extra": [1]}]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            0,
            [
                "id   size  note  extra  prediction",
                "P1   10    a b   -      1",
                "P22  -     -     [1]    0.5",
            ],
        ),
        (
            21,
            [
                "id   size  prediction",
                "P1   10    1",
                "P22  -     0.5",
                "(2 more columns: --json has all)",
            ],
        ),
        (5, ["prediction", "1", "0.5", "(4 more columns: --json has all)"]),
    ],
)
def test_as_many_columns_as_fit_and_the_prediction(width: int, lines: list[str]) -> None:
    assert [*table(ROWS, [1, 0.5], width)] == lines


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([[1, 2]], ["row     prediction", "[1, 2]  yes"]),
        ([{"a": "x" * 50}], [f"a{' ' * 39}  prediction", f"{'x' * 39}…  yes"]),
        (None, ["yes"]),
    ],
)
def test_rows_that_are_no_columns(rows: Any, lines: list[str]) -> None:
    assert [*table(rows, ["yes"], 0)] == lines
