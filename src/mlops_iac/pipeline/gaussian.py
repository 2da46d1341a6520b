"""A Gaussian process over points of a few dimensions, and how much better a point may be than the best.

Plain Python, because the controlling process has no numpy and a workload need not have scikit-learn, with
which a test compares it. For the hundred points that a tuning has it takes milliseconds.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), algorithm 2.1; the kernel
is Matérn's with nu = 5/2, as in Snoek et al., Practical Bayesian Optimization (2012).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from operator import mul
from statistics import NormalDist, fmean, pstdev

Point = Sequence[float]

_LENGTHS = (0.1, 0.2, 0.4, 0.8, 1.6)  # where a dimension is one long
_NOISES = (1e-4, 1e-2, 1e-1)  # variance, where that of the values is one
_NORMAL = NormalDist()


class GaussianProcess:
    """What `values` at `points` say of other points; lengths and noise are the likeliest of a few."""

    def __init__(
        self,
        points: Sequence[Point],
        values: Sequence[float],
        lengths: Sequence[float] = _LENGTHS,
        noises: Sequence[float] = _NOISES,
    ) -> None:
        self._points = points
        self._mean, self._deviation = fmean(values), pstdev(values) or 1.0
        scaled = [(value - self._mean) / self._deviation for value in values]
        fits = (self._fit(scaled, *each) for each in itertools.product(lengths, noises))
        _, self._length, self._lower, self._weights = max(fits, key=lambda fit: fit[0])

    def _fit(
        self, values: Sequence[float], length: float, noise: float
    ) -> tuple[float, float, list[list[float]], list[float]]:
        """The logarithm of the likelihood, without what all fits share, and what predictions need."""
        lower: list[list[float]] = []
        for point in self._points:
            row: list[float] = []
            for other, known in zip(self._points, lower, strict=False):
                row.append((_kernel(point, other, length) - sum(map(mul, row, known))) / known[-1])
            row.append(math.sqrt(1 + noise - sum(map(mul, row, row))))
            lower.append(row)
        weights = _solve(lower, values)
        likelihood = -sum(map(mul, weights, weights)) / 2 - sum(math.log(row[-1]) for row in lower)
        return likelihood, length, lower, weights

    def at(self, point: Point) -> tuple[float, float]:
        """Mean and standard deviation of the value at a point, without the noise of a measurement."""
        found = _solve(self._lower, [_kernel(point, each, self._length) for each in self._points])
        variance = max(1 - sum(map(mul, found, found)), 1e-12)
        mean = sum(map(mul, found, self._weights))
        return self._mean + self._deviation * mean, self._deviation * math.sqrt(variance)

    def expected_improvement(self, point: Point, best: float) -> float:
        """By how much the value at a point is expected to exceed the best one."""
        mean, deviation = self.at(point)
        z = (mean - best) / deviation
        return (mean - best) * _NORMAL.cdf(z) + deviation * _NORMAL.pdf(z)


def _kernel(one: Point, other: Point, length: float) -> float:
    scaled = math.sqrt(5) * math.dist(one, other) / length
    return (1 + scaled + scaled * scaled / 3) * math.exp(-scaled)


def _solve(lower: Sequence[Sequence[float]], values: Sequence[float]) -> list[float]:
    """What a lower triangular matrix makes `values` of."""
    found: list[float] = []
    for row, value in zip(lower, values, strict=True):
        found.append((value - sum(map(mul, row, found))) / row[-1])
    return found
