"""The Gaussian process of a Bayesian search, held against scikit-learn's."""

from __future__ import annotations

import math

import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from mlops_iac.pipeline.gaussian import GaussianProcess


def test_the_process_predicts_as_scikit_learns_does() -> None:
    points = [(0.1, 0.9), (0.4, 0.2), (0.5, 0.5), (0.8, 0.1), (0.9, 0.8), (0.15, 0.6)]
    values = [math.sin(5 * x) + y for x, y in points]
    fits = {
        length: GaussianProcessRegressor(
            Matern(length, nu=2.5), alpha=0.01, optimizer=None, normalize_y=True
        ).fit(points, values)
        for length in (0.1, 0.4, 1.6)
    }
    likeliest = max(fits.values(), key=lambda fit: fit.log_marginal_likelihood())
    process = GaussianProcess(points, values, lengths=list(fits), noises=[0.01])
    for point in [(0.3, 0.3), (0.5, 0.5), (1.0, 0.0)]:
        (mean,), (deviation,) = likeliest.predict([point], return_std=True)
        assert process.at(point) == pytest.approx((mean, deviation))
    only = GaussianProcess(points, values, lengths=[1.6], noises=[0.01])
    assert only.at((0.3, 0.3))[0] == pytest.approx(fits[1.6].predict([(0.3, 0.3)])[0])
