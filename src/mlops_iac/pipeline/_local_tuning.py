"""Tuning on this machine: real trials over the grid, or over a seeded random sample."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mlops_iac.errors import MlopsError, ResourceFailed

Trial = dict[str, str]


def trials(config: Mapping[str, Any], seed: str) -> list[Trial]:
    """The hyperparameters of every trial, as text; the same for the same seed."""
    ranges = config["ParameterRanges"]
    count = config["ResourceLimits"]["MaxNumberOfTrainingJobs"]
    categories = ranges.get("CategoricalParameterRanges", [])
    if config["Strategy"] == "Grid":
        names = [item["Name"] for item in categories]
        grid = itertools.product(*(item["Values"] for item in categories))
        return [dict(zip(names, values, strict=True)) for values in grid][:count]
    # Seeded, not secret.
    chance = random.Random(seed)  # noqa: S311
    found: list[Trial] = []
    for _ in range(count * 20):
        trial = _sample(ranges, chance)
        if trial not in found:
            found.append(trial)
        if len(found) == count:
            break
    return found


def note(config: Mapping[str, Any]) -> str:
    """What a person must know about this tuning, or nothing."""
    strategy = config["Strategy"]
    if strategy in ("Grid", "Random"):
        return ""
    return f"{strategy} search is SageMaker's own: here the trials are a seeded random sample"


def best_of(
    wanted: list[Trial],
    run_trial: Callable[[int, Trial], Mapping[str, Any]],
    *,
    objective: Mapping[str, str],
    parallel: int,
    on_note: Callable[[str], None],
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """Run every trial; the properties of the best, and those of all.

    A trial that fails is noted and does not count, as in the service. Raises ResourceFailed where
    none is left, ending with the last failure.
    """
    metric, sign = objective["MetricName"], 1 if objective["Type"] == "Maximize" else -1
    failures: list[MlopsError] = []

    def attempt(numbered: tuple[int, Trial]) -> Mapping[str, Any] | None:
        number, trial = numbered
        words = " ".join(f"{name}={value}" for name, value in trial.items())
        try:
            properties = run_trial(number, trial)
            value = properties["Metrics"].get(metric)
            if value is None:
                raise ResourceFailed(f"trial {number} did not report {metric}")
        except MlopsError as error:
            failures.append(error)
            on_note(f"trial {number} failed: {words}: {error.message.splitlines()[0]}")
            return None
        on_note(f"trial {number}: {metric} {value:.6g} with {words}")
        return {**properties, "Hyperparameters": trial, "Objective": value}

    with ThreadPoolExecutor(max_workers=max(1, parallel)) as pool:
        done = [item for item in pool.map(attempt, enumerate(wanted, 1)) if item is not None]
    if not done:
        last = failures[-1]
        raise ResourceFailed(f"all {len(wanted)} trials failed; {last.message}", hint=last.hint)
    return max(done, key=lambda item: sign * item["Objective"]), done


def _sample(ranges: Mapping[str, Any], chance: random.Random) -> Trial:
    trial = {
        item["Name"]: chance.choice(item["Values"])
        for item in ranges.get("CategoricalParameterRanges", [])
    }
    for item in ranges.get("IntegerParameterRanges", []):
        low, high = int(item["MinValue"]), int(item["MaxValue"])
        number = round(_between(low, high, item.get("ScalingType", "Auto"), chance))
        trial[item["Name"]] = str(min(max(number, low), high))
    for item in ranges.get("ContinuousParameterRanges", []):
        low_, high_ = float(item["MinValue"]), float(item["MaxValue"])
        value = _between(low_, high_, item.get("ScalingType", "Auto"), chance)
        trial[item["Name"]] = f"{value:.8g}"
    return trial


def _between(low: float, high: float, scaling: str, chance: random.Random) -> float:
    if scaling == "Logarithmic" and low > 0:
        return math.exp(chance.uniform(math.log(low), math.log(high)))
    if scaling == "ReverseLogarithmic" and low >= 0 and high < 1:
        return 1 - math.exp(chance.uniform(math.log(1 - high), math.log(1 - low)))
    return chance.uniform(low, high)
