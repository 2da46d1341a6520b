"""Tuning on this machine: real trials, as many at once as there are processors, the best of them kept."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from statistics import fmean, median

from mlops_iac.errors import MlopsError, ResourceFailed
from mlops_iac.pipeline.run_record import now
from mlops_iac.pipeline.search import Trial, next_trial
from mlops_iac.pipeline.steps import Tune
from mlops_iac.records import Record
from mlops_iac.runtime import contract
from mlops_iac.workload.processes import processors

# Of Hyperband: of the trials that come to a rung one in so many goes on, and so many brackets take turns,
# whose trials are first looked at after 1, 3 and 9 reports.
_ETA, _BRACKETS = 3, 3


class Outcome(Record):
    """A trial that has reported the metric that tuning goes by: its `value`, and where its model lies.

    One that was ended early has no model: its `uri` is empty. Times are ISO 8601 in UTC.
    """

    number: int
    trial: Trial
    uri: str
    value: float
    began: str
    ended: str


class Reports:
    """What trials report of the metric on their way, and which of them are ended for it.

    `early_stopping` ends a trial that is worse than the median of the running averages that those had
    at the same report which have ended (the median stopping rule of Golovin et al., 2017).
    Hyperband ends one that is not in the best third of those that came to the same rung before it (Li et
    al., A System for Massively Parallel Hyperparameter Tuning, 2020; algorithm 2 without promotions).
    A report is judged when the next one comes, for the last one is no reason to end anything.
    """

    def __init__(self, tune: Tune) -> None:
        self._sign = 1 if tune.goal == "maximize" else -1
        self._halves = tune.strategy == "hyperband"
        self.judges = self._halves or tune.early_stopping
        self._all: dict[int, list[float]] = {}
        self._ended: set[int] = set()
        self._lock = threading.Lock()

    @property
    def between(self) -> bool:
        """Whether any trial has reported more than its last number."""
        return any(len(each) > 1 for each in self._all.values())

    def add(self, number: int, value: float) -> bool:
        """Take down what a trial reports; whether it is to end."""
        with self._lock:
            own = self._all.setdefault(number, [])
            own.append(self._sign * value)
            at = len(own) - 1
            if not self.judges or not at:
                return False
            others = [
                each
                for other, each in self._all.items()
                if other != number and len(each) >= at and (self._halves or other in self._ended)
            ]
            if self._halves:
                rungs = [_ETA**power for power in range((number - 1) % _BRACKETS, 20)]
                better = sum(each[at - 1] > own[at - 1] for each in others)
                here = len(others) + 1
                return at in rungs and here >= _ETA and better >= here / _ETA
            return bool(others) and own[at - 1] < median(fmean(each[:at]) for each in others)

    def end(self, number: int) -> None:
        """A trial has ended."""
        with self._lock:
            self._ended.add(number)


def reported(metric: str, log: str) -> list[float]:
    """What a log says of a metric, without what is no number: anybody may print such a line."""
    found = []
    for each in re.findall(contract.metric_regex(metric), log):
        with suppress(ValueError):
            found.append(float(each))
    return found


def best_of(
    tune: Tune,
    seed: str,
    run_trial: Callable[[int, Trial], tuple[str, float]],
    stop: Callable[[], None],
    on_note: Callable[[str], None],
) -> tuple[Outcome, list[Outcome]]:
    """Run the trials, each of which gives the URI of its model and its metric; the best, and all.

    A trial that fails is noted and does not count, as in a service. `stop` ends those that go on where
    this is interrupted. Raises ResourceFailed where none is left, ending with the last failure.
    """
    failures: list[MlopsError] = []
    sign = 1 if tune.goal == "maximize" else -1
    stopped = threading.Event()

    def attempt(number: int, trial: Trial) -> Outcome | None:
        began = now()
        words = " ".join(f"{name}={value}" for name, value in trial.items())
        try:
            uri, value = run_trial(number, trial)
        except MlopsError as error:
            failures.append(error)
            if not stopped.is_set():
                on_note(f"trial {number} failed: {words}: {error.message.splitlines()[0]}")
            return None
        early = "" if uri else ", ended early"
        on_note(f"trial {number}: {tune.metric} {value:.6g} with {words}{early}")
        return Outcome(number, trial, uri, value, began, now())

    parallel = min(tune.parallel, processors())
    if parallel < tune.parallel:
        on_note(f"trials at once: {parallel}, the number of processors, and not {tune.parallel}")
    tried: list[Trial] = []
    begun: list[Future[Outcome | None]] = []

    def values() -> Iterator[float | None]:
        # Of exactly those that must have ended for the next to begin, whatever else has: so the
        # search is the same however long each takes.
        known = max(0, len(begun) - parallel + 1) if tune.strategy == "bayesian" else 0
        for each in begun[:known]:
            outcome = each.result()
            yield float("-inf") if outcome is None else sign * outcome.value
        yield from [None] * (len(begun) - known)

    with ThreadPoolExecutor(parallel) as pool:
        try:
            while len(tried) < tune.trials:
                trial = next_trial(tune, seed, tried, list(values()))
                if trial is None:
                    break
                tried.append(trial)
                begun.append(pool.submit(attempt, len(tried), trial))
            done = [found for each in begun if (found := each.result()) is not None]
        except BaseException:
            stopped.set()
            stop()
            pool.shutdown(cancel_futures=True)
            raise
    models = [each for each in done if each.uri]
    if not models:
        last = failures[-1]
        raise ResourceFailed(f"all {len(tried)} trials failed; {last.message}", hint=last.hint)
    return max(models, key=lambda each: sign * each.value), done
