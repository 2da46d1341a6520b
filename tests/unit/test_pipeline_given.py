"""Hyperparameters that one run is given: typed and judged by those that are deployed."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.errors import UsageError
from mlops_iac.pipeline.given import with_given
from mlops_iac.pipeline.steps import Lifecycle, Range, Register, Train, Tune

TRAIN = Train(
    script="train.py",
    hyperparameters={"depth": 5, "rate": 0.1, "warm": False, "solver": "lbfgs"},
)
SEARCH = {
    "kernel": Range("values", values=("linear", "rbf")),
    "leaves": Range("integer", low="2", high="30"),
    "alpha": Range("continuous", low="0.1", high="1"),
}
TUNE = Tune(TRAIN, "random", "accuracy", "maximize", 4, 2, SEARCH)


def life(training: Train | Tune = TRAIN) -> Lifecycle:
    return Lifecycle("churn", (), (), None, training, None, (), Register())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("depth", "9", 9),
        ("depth", "0.5", 0.5),
        ("rate", "1e-3", 0.001),
        ("warm", "true", True),
        ("solver", "7", "7"),
    ],
)
def test_a_value_is_of_the_deployed_type(name: str, text: str, value: Any) -> None:
    found = with_given(life(), {name: text}).train.hyperparameters
    assert (found[name], type(found[name])) == (value, type(value))
    assert found == {**TRAIN.hyperparameters, name: value}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("depth", "deep", "'deep' is not a number, as 5 is"),
        ("rate", "nan", "'nan' is not a number"),
        ("warm", "yes", "'yes' is not true or false, as false is"),
        ("solver", "", "'' is not some text"),
        ("solver", "a\x1b[31m", "is not some text that can be printed"),
        ("kernel", "poly", "'poly' is not one of linear, rbf, which are searched"),
        ("leaves", "2.5", "not a whole number from 2 to 30"),
        ("leaves", "31", "not a whole number from 2 to 30"),
        ("alpha", "0.01", "not a number from 0.1 to 1"),
        ("dept", "9", "the training of churn has no such hyperparameter"),
    ],
)
def test_another_value_is_refused_with_what_is_allowed(name: str, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        with_given(life(TUNE), {name: text})


def test_a_name_that_is_nearly_right_is_meant() -> None:
    with pytest.raises(UsageError) as caught:
        with_given(life(TUNE), {"kernle": "rbf"})
    assert "did you mean 'kernel'?" in caught.value.hint


def test_what_is_searched_is_tried_with_the_given_value_alone() -> None:
    found = with_given(life(TUNE), {"leaves": "8"}).training
    assert isinstance(found, Tune)
    assert found.search == {**SEARCH, "leaves": Range("values", values=("8",))}
