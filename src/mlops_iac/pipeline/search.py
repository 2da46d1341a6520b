"""Which hyperparameters a tuning tries next, by its strategy; the same for the same seed and results."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence

from mlops_iac.pipeline.gaussian import GaussianProcess
from mlops_iac.pipeline.steps import Range, Tune

Trial = Mapping[str, str]  # hyperparameters, as text

# Of a Bayesian search: how many points are weighed for the next trial, and how many trials it knows at
# most, because what it does grows with their cube.
_CANDIDATES, _KNOWN = 500, 100
_DRAWS = 2_000


def next_trial(
    tune: Tune, seed: str, tried: Sequence[Trial], values: Sequence[float | None]
) -> Trial | None:
    """The trial that comes after those `tried`; None where nothing is left to try.

    `values` are what came of them, more being better: None of one that goes on, minus infinity of one
    that failed.
    """
    if tune.strategy == "grid":
        grid = itertools.product(*(item.values for item in tune.search.values()))
        found = next(itertools.islice(grid, len(tried), None), None)
        return None if found is None else dict(zip(tune.search, found, strict=True))
    chance = random.Random(f"{seed} {len(tried)}")  # noqa: S311 - seeded, not secret
    fresh = _fresh(tune, chance, tried)
    known = [value for value in values if value is not None and math.isfinite(value)]
    if tune.strategy != "bayesian" or len(known) < _at_random(tune):
        return next(fresh, None)
    # A trial that goes on is taken for an ordinary one, so that the next is not beside it; one that
    # failed for as bad as the worst.
    mean, worst = sum(known) / len(known), min(known)
    taken = [mean if value is None else max(value, worst) for value in values]
    points = [_point(tune.search, trial) for trial in tried]
    process = GaussianProcess(points[-_KNOWN:], taken[-_KNOWN:])
    best = max(known)
    return max(
        itertools.islice(fresh, _CANDIDATES),
        key=lambda trial: process.expected_improvement(_point(tune.search, trial), best),
        default=None,
    )


def _at_random(tune: Tune) -> int:
    """How many trials come before there is anything to learn from: no more than half of them."""
    return max(1, min(2 * len(tune.search), tune.trials // 2))


def _fresh(tune: Tune, chance: random.Random, tried: Sequence[Trial]) -> Iterator[Trial]:
    """Trials at random, none twice, as far as there are any."""
    seen = {tuple(trial.values()) for trial in tried}
    for _ in range(_DRAWS):
        trial = {name: _drawn(item, chance) for name, item in tune.search.items()}
        if (found := tuple(trial.values())) not in seen:
            seen.add(found)
            yield trial


def _drawn(item: Range, chance: random.Random) -> str:
    if item.kind == "values":
        return chance.choice(item.values)
    low, high = float(item.low), float(item.high)
    if item.kind == "integer" and item.scale != "logarithmic":
        return f"{chance.randint(int(low), int(high))}"
    value = low + (high - low) * chance.random()
    if item.scale == "logarithmic":
        value = low * (high / low) ** chance.random()
    if item.kind == "integer":
        return f"{min(max(round(value), int(low)), int(high))}"
    return f"{value:.8g}"


def _point(search: Mapping[str, Range], trial: Trial) -> list[float]:
    """A trial among others: each range is one long, and so is the way between two of some values."""
    found: list[float] = []
    for name, item in search.items():
        if item.kind == "values":
            found += [math.sqrt(0.5) * (value == trial[name]) for value in item.values]
            continue
        low, high, value = float(item.low), float(item.high), float(trial[name])
        if item.scale == "logarithmic":
            low, high, value = math.log(low), math.log(high), math.log(value)
        found.append((value - low) / (high - low))
    return found
