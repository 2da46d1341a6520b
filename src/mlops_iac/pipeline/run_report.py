"""The page of a run, `report.html` in its folder: gathered from what the run left there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_iac.pipeline.run_record import RunRecord, StepRecord
from mlops_iac.pipeline.steps import Lifecycle, Tune
from mlops_iac.records import Record
from mlops_iac.runtime import contract, run_facts
from mlops_iac.runtime.run_page import Measure, RunPage, StepTaken, to_html
from mlops_iac.workfolder import write_durably

REPORT = contract.PAGE_FILE
_LINES = 20


class InService(Record):
    """The version that serves while a run goes on, with what is known of its training.

    `trained` is what that has left (`run_facts.known`).
    """

    version: str
    metrics: Mapping[str, float] = {}
    hyperparameters: Mapping[str, Any] = {}
    trained: Mapping[str, Any] = {}


def trained_with(record: RunRecord) -> dict[str, Any]:
    """The hyperparameters of the model that a run has made, those of the best trial among them."""
    tuned = _tuned(record)
    best = (each["trial"] for each in tuned.get("trials", ()) if each["number"] == tuned["best"])
    return {**record.hyperparameters, **next(best, {})}


def trained_on(folder: Path, record: RunRecord) -> dict[str, Any]:
    """What the training of a run, or its best trial, has left of its data, hyperparameters and versions."""
    best = f"{_tuned(record).get('best', 0):03}"
    files = sorted(folder.glob(f"*/**/{contract.VERSIONS_FILE}"))
    files.sort(key=lambda file: file.parent.name != best)
    return next(filter(None, map(run_facts.known, files)), {})


def _tuned(record: RunRecord) -> Mapping[str, Any]:
    """What the search has left; nothing where there was none."""
    found = (step.properties for step in record.steps.values() if "best" in step.properties)
    return next(found, {})


def write_report(
    folder: Path, record: RunRecord, life: Lifecycle, served: InService | None, card: str
) -> None:
    """Write the page of a run that has ended, however it did. Raises OSError."""
    pictures, left_out = run_facts.pictures(folder)
    trained, then_trained = trained_on(folder, record), served.trained if served else {}
    tune = life.training if isinstance(life.training, Tune) else None
    tuned = _tuned(record)
    trials = sorted(tuned.get("trials", ()), key=lambda each: each["value"])
    if tune and tune.goal == "maximize":
        trials.reverse()
    register = record.steps.get("Register")
    then = served.hyperparameters if served else {}
    page = RunPage(
        model=life.model,
        run=record.id,
        status=record.status,
        started=record.started_at,
        version=f"{life.model}/{record.registered.rsplit('/', 1)[-1]}" if record.registered else "",
        approval=register.properties.get("approval", "") if register else "",
        serves=served.version if served else "",
        measures=list(_measures(record, life, served)),
        missed=record.missed,
        hyperparameters={
            name: (value, then.get(name)) for name, value in trained_with(record).items()
        },
        given=list(record.given),
        metric=tune.metric if tune else "",
        trials=trials,
        best=tuned.get("best", 0),
        checks=list(_checks(record, life)),
        steps=[_step(folder, step) for step in record.steps.values()],
        pictures=pictures,
        left_out=left_out,
        data=trained.get("data", {}),
        data_served=then_trained.get("data", {}),
        judged=run_facts.judged(folder / "Evaluate" / "report"),
        versions=run_facts.versions(trained),
        versions_served=run_facts.versions(then_trained),
        card=card,
    )
    write_durably(folder / REPORT, to_html(page).encode())


def _measures(record: RunRecord, life: Lifecycle, served: InService | None) -> Iterator[Measure]:
    then = served.metrics if served else {}
    gates, current = [vars(each) for each in life.gates], record.current
    if served and current.get("version") == served.version:
        then = {**then, **current["metrics"]}  # on the same data as this run's
    for name, value in record.metrics.items():
        yield replace(run_facts.measure(name, value, gates, current), served=then.get(name))


def _checks(record: RunRecord, life: Lifecycle) -> Iterator[tuple[str, bool | None]]:
    """All have held where the first step that reads the data is done; else its error names those."""
    first = next(iter(record.steps.values()), None)
    done = first is not None and first.status in ("succeeded", "reused")
    for dataset in life.datasets:
        for check in dataset.checks:
            words = run_facts.check_words(f"{check.dataset}.{check.field}", check.rules)
            yield words, True if done else None


def _step(folder: Path, step: StepRecord) -> StepTaken:
    log = _last_lines(folder / step.name / "log.txt") if step.status == "failed" else ()
    return StepTaken(
        step.name,
        step.status,
        step.seconds,
        step.cpu_seconds,
        step.peak_bytes,
        step.error,
        log or ([step.error] if step.error and step.type != "Stop" else ()),
    )


def _last_lines(log: Path) -> list[str]:
    with suppress(OSError), log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 16_000))
        return file.read().decode(errors="replace").splitlines()[-_LINES:]
    return []
