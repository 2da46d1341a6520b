"""Tuning on this machine: real trials over the grid, or over a seeded random sample."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from mlops_iac.errors import MlopsError, ResourceFailed
from mlops_iac.pipeline.run_record import now
from mlops_iac.pipeline.steps import Range, Tune
from mlops_iac.records import Record

Trial = Mapping[str, str]  # hyperparameters, as text


class Outcome(Record):
    """A trial that has ended well: where its model lies, and the metric that tuning goes by.

    Times are ISO 8601 in UTC.
    """

    number: int
    trial: Trial
    uri: str
    value: float
    began: str
    ended: str


def trials(tune: Tune, seed: str) -> Sequence[Trial]:
    """The hyperparameters of every trial; the same for the same seed."""
    if tune.strategy == "grid":
        grid = itertools.product(*(item.values for item in tune.search.values()))
        return [dict(zip(tune.search, each, strict=True)) for each in grid][: tune.trials]
    # Seeded, not secret.
    chance = random.Random(seed)  # noqa: S311
    found: list[dict[str, str]] = []
    for _ in range(tune.trials * 20):
        trial = {name: _sample(item, chance) for name, item in tune.search.items()}
        if trial not in found:
            found.append(trial)
        if len(found) == tune.trials:
            break
    return found


def note(tune: Tune) -> str:
    """What a person must know about this tuning, or nothing."""
    if tune.strategy in ("grid", "random"):
        return ""
    search = f"{tune.strategy.capitalize()} search"
    return f"{search} is the service's own: here the trials are a seeded random sample"


def best_of(
    wanted: Sequence[Trial],
    run_trial: Callable[[int, Trial], tuple[str, float]],
    tune: Tune,
    on_note: Callable[[str], None],
) -> tuple[Outcome, list[Outcome]]:
    """Run every trial, which gives the URI of its model and its metric; the best of them, and all.

    A trial that fails is noted and does not count, as in a service. Raises ResourceFailed where
    none is left, ending with the last failure.
    """
    failures: list[MlopsError] = []

    def attempt(numbered: tuple[int, Trial]) -> Outcome | None:
        number, trial = numbered
        began = now()
        words = " ".join(f"{name}={value}" for name, value in trial.items())
        try:
            uri, value = run_trial(number, trial)
        except MlopsError as error:
            failures.append(error)
            on_note(f"trial {number} failed: {words}: {error.message.splitlines()[0]}")
            return None
        on_note(f"trial {number}: {tune.metric} {value:.6g} with {words}")
        return Outcome(number, trial, uri, value, began, now())

    with ThreadPoolExecutor(max_workers=max(1, tune.parallel)) as pool:
        done = [item for item in pool.map(attempt, enumerate(wanted, 1)) if item is not None]
    if not done:
        last = failures[-1]
        raise ResourceFailed(f"all {len(wanted)} trials failed; {last.message}", hint=last.hint)
    sign = 1 if tune.goal == "maximize" else -1
    return max(done, key=lambda item: sign * item.value), done


def _sample(item: Range, chance: random.Random) -> str:
    if item.kind == "values":
        return chance.choice(item.values)
    low, high = float(item.low), float(item.high)
    value = _between(low, high, item.scale, chance)
    if item.kind == "integer":
        return f"{min(max(round(value), int(low)), int(high))}"
    return f"{value:.8g}"


def _between(low: float, high: float, scale: str, chance: random.Random) -> float:
    if scale == "logarithmic" and low > 0:
        return math.exp(chance.uniform(math.log(low), math.log(high)))
    if scale == "reverse-logarithmic" and low >= 0 and high < 1:
        return 1 - math.exp(chance.uniform(math.log(1 - high), math.log(1 - low)))
    return chance.uniform(low, high)
