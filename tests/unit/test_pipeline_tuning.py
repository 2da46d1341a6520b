"""The trials of a tuning: which come next, which are ended early, how many run at once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from statistics import fmean

import pytest

from mlops_iac.errors import ResourceFailed
from mlops_iac.pipeline import tuning
from mlops_iac.pipeline.search import Trial, next_trial
from mlops_iac.pipeline.steps import Range, Strategy, Train, Tune
from mlops_iac.pipeline.tuning import Outcome, Reports, best_of
from mlops_iac.records import replace


def tune(strategy: Strategy, count: int, **search: Range) -> Tune:
    return Tune(
        train=Train(script="train.py"),
        strategy=strategy,
        metric="accuracy",
        goal="maximize",
        trials=count,
        parallel=1,
        search=search,
    )


KINDS = {
    "kind": Range("values", values=("a", "b")),
    "fast": Range("values", values=("true", "false")),
}
DEPTH = Range("integer", low="2", high="12")
RATE = Range("continuous", low="0.0001", high="1", scale="logarithmic")


def accuracy(trial: Trial) -> float:
    """Best, with 1, at a depth of 9, a rate of 0.01 and kind b."""
    away = (int(trial["depth"]) - 9) / 10, (math.log10(float(trial["rate"])) + 2) / 4
    return 1 - sum(each * each for each in away) - 0.1 * (trial["kind"] == "a")


def trials(wanted: Tune, seed: str, value: Callable[[Trial], float] = lambda _: 0.0) -> list[Trial]:
    tried: list[Trial] = []
    while len(tried) < wanted.trials and (
        trial := next_trial(wanted, seed, tried, [value(each) for each in tried])
    ):
        tried.append(trial)
    return tried


def test_a_grid_is_every_combination_once() -> None:
    found = trials(tune("grid", 4, **KINDS), "seed")
    assert len({tuple(trial.items()) for trial in found}) == 4


def test_a_sample_is_the_same_for_the_same_seed_and_within_its_ranges() -> None:
    wanted = tune("random", 40, **KINDS, depth=DEPTH, rate=RATE)
    found = trials(wanted, "seed")
    assert found == trials(wanted, "seed")
    assert found != trials(wanted, "other")
    assert len(found) == 40
    assert {int(trial["depth"]) for trial in found} <= set(range(2, 13))
    assert all(0.0001 <= float(trial["rate"]) <= 1 for trial in found)
    # A logarithmic range spends as much on each order of magnitude.
    assert sum(float(trial["rate"]) < 0.01 for trial in found) > 10


@pytest.mark.parametrize("strategy", ["random", "bayesian", "hyperband"])
def test_a_small_space_is_not_tried_twice(strategy: Strategy) -> None:
    assert len(trials(tune(strategy, 50, **KINDS), "seed")) == 4


def test_a_bayesian_search_learns_where_to_look() -> None:
    search = {"kind": KINDS["kind"], "depth": DEPTH, "rate": RATE}
    found = {
        strategy: [max(map(accuracy, trials(wanted, f"{seed}", accuracy))) for seed in range(5)]
        for strategy in ("random", "bayesian")
        for wanted in [tune(strategy, 20, **search)]
    }
    assert 1 - fmean(found["bayesian"]) < (1 - fmean(found["random"])) / 3


def test_a_trial_that_goes_on_or_failed_is_kept_away_from() -> None:
    wanted = tune("bayesian", 30, rate=RATE)
    tried: list[Trial] = [{"rate": f"{10.0**-power}"} for power in (0, 1, 2, 3, 4)]
    values = [0.1, 0.5, 0.9, 0.5, 0.1]

    def distance(value: float | None) -> float:
        """How far the next one is from a trial of the best place."""
        more = [*tried, {"rate": "0.012"}]
        found = next_trial(wanted, "seed", more, [*values, value])
        assert found is not None
        return abs(math.log10(float(found["rate"]) / 0.012))

    assert distance(1.0) < 0.3 < min(distance(None), distance(float("-inf")))


def reported(into: Reports, number: int, *values: float) -> int:
    """After how many reports a trial is ended; 0 where it comes to its end."""
    found = (at for at, value in enumerate(values, 1) if into.add(number, value))
    ended = next(found, 0)
    into.end(number)
    return ended


@pytest.mark.parametrize(("goal", "sign"), [("maximize", 1), ("minimize", -1)])
def test_a_trial_below_the_median_of_running_averages_is_ended(goal: str, sign: int) -> None:
    wanted = replace(tune("random", 9, rate=RATE), goal=goal, early_stopping=True)
    reports = Reports(wanted)

    def ended(number: int, *values: float) -> int:
        return reported(reports, number, *(sign * value for value in values))

    assert ended(1, 0.2, 0.6, 0.7) == 0  # on average 0.2, 0.4, 0.5
    assert ended(2, 0.4, 0.8, 0.9) == 0  # 0.4, 0.6, 0.7
    assert ended(3, 0.35, 0.45, 0.9) == 3  # the medians are 0.3, 0.5: what it reported second
    assert ended(4, 0.1) == 0  # its last: it is at its end anyhow
    assert ended(5, 0.1, 0.9) == 2


def test_a_trial_that_goes_on_is_no_measure_for_others() -> None:
    reports = Reports(replace(tune("random", 9, rate=RATE), early_stopping=True))
    assert not any(reports.add(1, value) for value in (0.8, 0.9))
    assert not any(reports.add(2, value) for value in (0.1, 0.2, 0.3))
    assert not any(Reports(tune("random", 9)).add(1, each) for each in (0.9, 0.1, 0.1))


def test_hyperband_lets_the_best_third_of_a_rung_go_on() -> None:
    reports = Reports(tune("hyperband", 9, rate=RATE))

    def ended(number: int, value: float) -> int:
        return reported(reports, number, *[value] * 12)

    assert [ended(1, 0.5), ended(2, 0.4)] == [0, 0]  # too few to compare
    assert ended(4, 0.3) == 2  # at the first report
    assert ended(5, 0.3) == 4  # of the second bracket: at the third
    assert ended(6, 0.3) == 10  # of the third
    assert ended(7, 0.6) == 0


def run(
    wanted: Tune, run_trial: Callable[[int, Trial], float]
) -> tuple[Outcome, list[Outcome], list[str]]:
    notes: list[str] = []
    best, done = best_of(
        wanted, "seed", lambda n, trial: (f"s3://{n}", run_trial(n, trial)), lambda: None, notes.append
    )  # fmt: skip
    return best, done, notes


def test_a_parallel_search_does_not_depend_on_how_long_trials_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tuning, "processors", lambda: 3)
    search = {"kind": KINDS["kind"], "depth": DEPTH, "rate": RATE}
    wanted = replace(tune("bayesian", 12, **search), parallel=3)
    going, most = 0, 0

    def slow(remainder: int) -> Callable[[int, Trial], float]:
        def run_trial(number: int, trial: Trial) -> float:
            nonlocal going, most
            going += 1
            most = max(most, going)
            time.sleep(0.02 * (number % 3 == remainder))
            going -= 1
            if number == 4:
                raise ResourceFailed("no memory")
            return accuracy(trial)

        return run_trial

    best, done, notes = run(wanted, slow(0))
    assert [each.trial for each in run(wanted, slow(1))[1]] == [each.trial for each in done]
    assert (len(done), most) == (11, 3)
    assert best.value == max(each.value for each in done)
    assert [note for note in notes if note.startswith("trial 4 failed: ")]


def test_no_more_run_at_once_than_there_are_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "processors", lambda: 1)
    threads: set[int] = set()

    def run_trial(*_: object) -> float:
        threads.add(threading.get_ident())
        return 0.0

    _, _, notes = run(replace(tune("grid", 4, **KINDS), parallel=4), run_trial)
    assert len(threads) == 1
    assert notes[0] == "trials at once: 1, the number of processors, and not 4"


def test_an_interruption_ends_what_runs_and_begins_nothing_more() -> None:
    begun: list[int] = []
    stopped: list[bool] = []

    def run_trial(number: int, _: Trial) -> tuple[str, float]:
        begun.append(number)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        best_of(
            tune("grid", 4, **KINDS), "", run_trial, lambda: stopped.append(True), lambda _: None
        )
    assert stopped
    assert len(begun) < 4
