"""The numbers of the monitoring, against scipy's divergences, numpy's quantiles and scikit-learn's metrics."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn import metrics

from mlops_iac.runtime import drift, quality

_DRAWN = np.random.default_rng(7)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_psi_of_numbers_is_the_sum_of_both_divergences(shift: float) -> None:
    was, now = _DRAWN.normal(size=4000), _DRAWN.normal(shift, 1.2, size=900)
    inner = np.quantile(was, np.arange(1, 10) / 10, method="inverted_cdf")
    # Bins are closed above, numpy's below.
    r, c = (np.histogram(-each, [-np.inf, *sorted(-inner), np.inf])[0] for each in (was, now))
    found = drift.column(was.tolist(), now.tolist())
    assert found["psi"] == pytest.approx(entropy(c, r) + entropy(r, c), abs=1e-6)


def test_psi_of_categories_is_the_sum_of_both_divergences() -> None:
    names = ["a", "b", "c"]
    was = _DRAWN.choice(names, 3000, p=[0.5, 0.3, 0.2])
    now = _DRAWN.choice(names, 800, p=[0.2, 0.3, 0.5])
    r, c = ([np.mean(each == name) for name in names] for each in (was, now))
    found = drift.column(was.tolist(), now.tolist())["psi"]
    assert found == pytest.approx(entropy(c, r) + entropy(r, c), abs=1e-6)


@pytest.mark.parametrize("classes", [[0, 1], ["late", "early", "in time"]])
def test_metrics_of_classes_are_scikit_learns(classes: list[object]) -> None:
    truth = [classes[at] for at in _DRAWN.integers(0, len(classes), 300)]
    said = [
        each if _DRAWN.random() < 0.7 else classes[int(_DRAWN.integers(0, len(classes)))]
        for each in truth
    ]
    average = "binary" if len(classes) == 2 else "macro"
    expected = {
        "accuracy": metrics.accuracy_score(truth, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, said),
        "precision": metrics.precision_score(truth, said, average=average),
        "recall": metrics.recall_score(truth, said, average=average),
        "f1": metrics.f1_score(truth, said, average=average),
    }
    pairs = quality.pairs(zip(truth, said, strict=True))
    assert {name: quality.measured(name, pairs) for name in expected} == pytest.approx(expected)


def test_metrics_of_numbers_are_scikit_learns() -> None:
    truth = _DRAWN.normal(10, 3, 300)
    said = truth + _DRAWN.normal(0, 1, 300)
    expected = {
        "mae": metrics.mean_absolute_error(truth, said),
        "mse": metrics.mean_squared_error(truth, said),
        "rmse": metrics.root_mean_squared_error(truth, said),
        "r2": metrics.r2_score(truth, said),
    }
    pairs = quality.pairs(zip(truth.tolist(), said.tolist(), strict=True))
    assert {name: quality.measured(name, pairs) for name in expected} == pytest.approx(expected)
    assert {*quality.METRICS} == {*expected} | {
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
    }
