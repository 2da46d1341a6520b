"""A lifecycle as the sequence of tasks that every orchestrator and the local runner execute.

What each script is given and reads is decided here, once: printers say it in their orchestrator's
words, the runner does it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from mlops_iac.pipeline.reading import as_text
from mlops_iac.pipeline.steps import Dataset, Lifecycle, Limit, Script, Task, Train, Try, Tune
from mlops_iac.runtime import contract

# Below the artifacts: what jobs write, which expires, and what is sealed, which is kept.
WORK, KEPT = "pipelines", "models"
TRAINED, CHECKPOINTS = "trained", "checkpoints"  # what jobs write, below a run of a model


_OUTPUTS = {
    "prepare": contract.PREPARED,
    "train": TRAINED,
    "evaluate": "report",
    "try": "examples",
}


class Job(Task):
    """A script as a job. It leaves a folder: the prepared data, or the report.

    `data` are the folders that `--data` holds, each with the task that has left it, or with `""` where
    it is the dataset of that name. `env` are the settings of the step's entry point; they come before
    the script's own. `model` is the task that has left the model to measure or to try, `current` the
    one that has found the version in service, to measure that, too.
    """

    kind: Literal["prepare", "train", "evaluate", "try"]
    script: Script
    data: Mapping[str, str]
    env: Mapping[str, str]
    model: str = ""
    current: str = ""

    @property
    def output(self) -> str:
        """The name of what it leaves."""
        return _OUTPUTS[self.kind]

    @property
    def arguments(self) -> dict[str, str]:
        """The hyperparameters, as text."""
        return {name: as_text(value) for name, value in self.script.hyperparameters.items()}


class Training(Job):
    """A training, or the trials of a tuning. It leaves the archive of the (best) model.

    `metrics` are found in its log, by `contract.metric_regex`.
    """

    script: Train
    tune: Tune | None = None
    metrics: tuple[str, ...] = ()

    @property
    def checkpoints(self) -> bool:
        """Whether its checkpoints outlive it."""
        return self.script.checkpoints or self.script.compute.spot


class Seal(Task):
    """Copies what a task has left to where no job writes; `file` of it where that is a folder."""

    source: str
    file: str = ""


class Current(Task):
    """Finds the `version` in service; before the first, what the task `otherwise` has left stands in."""

    version: str
    otherwise: str


class Gate(Task):
    """Ends the run where the report of the task `report` misses a limit."""

    report: str
    limits: tuple[Limit, ...]


class Registration(Task):
    """Makes a version of the sealed `model`, if `gate` lets it pass.

    With it goes what is sealed by `report` and by `examples`.
    """

    model: str
    report: str = ""
    examples: str = ""
    gate: str = ""

    @property
    def starts_at(self) -> str:
        """The gate is never walked around."""
        return self.gate or self.name


def tasks(life: Lifecycle) -> list[Task]:
    """The tasks of a lifecycle, in their order."""
    found: list[Task] = []
    data: Mapping[str, str] = dict.fromkeys((each.name for each in life.datasets), "")
    names = {contract.DATASETS: ",".join(data)}
    checks, windows = checked(life.datasets), windowed(life.datasets)
    if life.prepare:
        env = _env("prepare", life.prepare, names | windows | checks)
        found.append(Job("Prepare", "prepare", life.prepare, data, env))
        data, names = {contract.PREPARED: "Prepare"}, {contract.DATASETS: ""}
        checks, windows = {}, {}  # are done with
    found.append(_training(life, data, names | windows | checks))
    found.append(Seal("Seal", found[-1].name))
    report = examples = gate = ""
    if life.evaluate:
        env = {contract.METRICS: ",".join(_reported(life)), **names, **windows}
        env[contract.MODEL_NAME] = life.model
        env |= _numbered(
            contract.GATE,
            (
                {"metric": each.metric, "bound": each.bound, "value": each.value}
                for each in life.gates
            ),
        )
        env = _env("evaluate", life.evaluate, env)
        current = "Current" if life.compares else ""
        if current:
            found.append(Current(current, life.serves, "Seal"))
        found.append(Job("Evaluate", "evaluate", life.evaluate, data, env, "Seal", current))
        report = "SealReport"
        found.append(Seal(report, "Evaluate", contract.REPORT_FILE))
    if life.tried:
        found.append(_try(life.tried))
        examples = "SealExamples"
        found.append(Seal(examples, "Try", contract.EXAMPLES_FILE))
    if life.gates:
        gate = "Gate"
        found.append(Gate(gate, "Evaluate", life.gates))
    return [*found, Registration("Register", "Seal", report, examples, gate)]


def _try(tried: Try) -> Job:
    """No checks: those of the dataset have been held before training."""
    rows = tried.rows
    env = {contract.DATASETS: rows.name if rows else ""}
    if rows:
        env |= {contract.FORMAT: rows.format, contract.TARGET: rows.target or ""}
        env |= windowed((rows,))
    data = {rows.name: ""} if rows else {}
    return Job("Try", "try", tried, data, _env("try", tried, env), "Seal")


def _training(life: Lifecycle, data: Mapping[str, str], settings: Mapping[str, str]) -> Training:
    tune = life.training if isinstance(life.training, Tune) else None
    reported = _reported(life)
    # What training must report: what tuning goes by, and all where nothing evaluates.
    required = reported if life.evaluate is None else [tune.metric] if tune else []
    env = {contract.METRICS: ",".join(required), contract.MODEL_NAME: life.model, **settings}
    if life.train.checkpoints:
        env[contract.KEEP_CHECKPOINTS] = "true"
    return Training(
        name="Tune" if tune else "Train",
        kind="train",
        script=life.train,
        data=data,
        env=_env("train", life.train, env),
        tune=tune,
        metrics=tuple(reported),
    )


def _env(kind: str, script: Script, settings: Mapping[str, str]) -> dict[str, str]:
    return {contract.STEP: kind, contract.SCRIPT: script.script, **settings}


def _reported(life: Lifecycle) -> list[str]:
    names = [*life.metrics, *(gate.metric for gate in life.gates)]
    if isinstance(life.training, Tune):
        names.append(life.training.metric)
    return list(dict.fromkeys(names))


def windowed(datasets: Sequence[Dataset]) -> dict[str, str]:
    """Which rows of datasets a job sees, as its settings say it."""
    return _numbered(
        contract.WINDOW,
        (
            {"dataset": each.name, "time": each.time, "days": each.window_days}
            for each in datasets
            if each.window_days is not None
        ),
    )


def checked(datasets: Sequence[Dataset]) -> dict[str, str]:
    """What must hold of datasets before any script runs, likewise."""
    return _numbered(
        contract.CHECK,
        (
            {
                "dataset": check.dataset,
                "format": each.format,
                "field": check.field,
                "rules": dict(check.rules),
            }
            for each in datasets
            for check in each.checks
        ),
    )


def _numbered(prefix: str, items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    compact = (",", ":")
    return {f"{prefix}{i:02}": json.dumps(x, separators=compact) for i, x in enumerate(items)}
