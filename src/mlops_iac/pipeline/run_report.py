"""The page of a run, `report.html` in its folder: gathered from what the run left there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlops_iac.pipeline.run_record import RunRecord, StepRecord
from mlops_iac.pipeline.steps import Lifecycle, Tune
from mlops_iac.records import Record
from mlops_iac.runtime import contract
from mlops_iac.runtime.metrics import missed_gates
from mlops_iac.runtime.run_page import Measure, RunPage, StepTaken, to_html
from mlops_iac.workfolder import write_durably

REPORT = "report.html"
_PICTURES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".svg": "svg+xml"}
_ONE, _ALL = 2_000_000, 12_000_000  # bytes of a picture, and of all of them
_LINES = 20


class InService(Record):
    """The version that serves while a run goes on, with what is known of its training."""

    version: str
    metrics: Mapping[str, float] = {}
    hyperparameters: Mapping[str, Any] = {}


def trained_with(record: RunRecord) -> dict[str, Any]:
    """The hyperparameters of the model that a run has made, those of the best trial among them."""
    tuned = _tuned(record)
    best = (each["trial"] for each in tuned.get("trials", ()) if each["number"] == tuned["best"])
    return {**record.hyperparameters, **next(best, {})}


def _tuned(record: RunRecord) -> Mapping[str, Any]:
    """What the search has left; nothing where there was none."""
    found = (step.properties for step in record.steps.values() if "best" in step.properties)
    return next(found, {})


def write_report(
    folder: Path, record: RunRecord, life: Lifecycle, served: InService | None, card: str
) -> None:
    """Write the page of a run that has ended, however it did. Raises OSError."""
    pictures, left_out = _pictures(folder)
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
        versions=_versions(folder),
        card=card,
    )
    write_durably(folder / REPORT, to_html(page).encode())


def _measures(record: RunRecord, life: Lifecycle, served: InService | None) -> Iterator[Measure]:
    then = served.metrics if served else {}
    current = record.current
    if served and current.get("version") == served.version:
        then = {**then, **current["metrics"]}  # on the same data as this run's
    for name, value in record.metrics.items():
        # A number may have several limits: the sentences of all, and whether it keeps them all.
        limits = [each for each in life.gates if each.metric == name]
        words = "; ".join(
            each.words(_in_service(current, name)).removeprefix(f"{name} must be ")
            for each in limits
        )
        holds = None
        if limits and (current or not life.compares):
            holds = not missed_gates([vars(each) for each in limits], record.metrics, current)
        yield Measure(name, value, words, holds, then.get(name))


def _in_service(current: Mapping[str, Any], name: str) -> str:
    """What the version in service has, as a limit."""
    if current.get("version", contract.NONE) == contract.NONE:
        return "that of the version in service, and there is none yet"
    return f"{current['metrics'][name]:g}, which {current['version']} has on the same data"


def _checks(record: RunRecord, life: Lifecycle) -> Iterator[tuple[str, bool | None]]:
    """All have held where the first step that reads the data is done; else its error names those."""
    first = next(iter(record.steps.values()), None)
    done = first is not None and first.status in ("succeeded", "reused")
    for dataset in life.datasets:
        for check in dataset.checks:
            rules = ", ".join(
                name.replace("_", " ") if value is True else f"{name.replace('_', ' ')} {value}"
                for name, value in check.rules.items()
            )
            yield f"{check.dataset}.{check.field}: {rules}", True if done else None


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


def _pictures(folder: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Captions and addresses of what scripts drew, and the names of what is too large for a page."""
    found: list[tuple[str, str]] = []
    left_out: list[str] = []
    room = _ALL
    for file in sorted(folder.rglob("*")):
        kind = _PICTURES.get(file.suffix.lower())
        parts = file.relative_to(folder).parts
        if kind is None or "opt" in parts or not file.is_file():
            continue
        name = "/".join(parts)
        size = file.stat().st_size
        if size > min(_ONE, room):
            left_out.append(f"{name} ({size / 1e6:.1f} MB)")
            continue
        room -= size
        content = base64.b64encode(file.read_bytes()).decode()
        found.append((name, f"data:image/{kind};base64,{content}"))
    return found, left_out


def _versions(folder: Path) -> dict[str, str]:
    """Python and packages of the training, as it wrote them beside its model."""
    for file in sorted(folder.glob(f"*/**/{contract.VERSIONS_FILE}")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            known = json.loads(file.read_text(encoding="utf-8"))
            return {"python": str(known["python"]), **dict(known["packages"])}
    return {}
