"""Runs a model's lifecycle on this machine, in and out of the emulated cloud.

Its tasks are those that every orchestrator's definition is printed from: folders, environments,
entry points and timeouts are the same. What only a service has is left out: instances, spot
capacity, roles, networks.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from mlops_iac.errors import ResourceFailed, UsageError
from mlops_iac.pipeline.backend import Backend
from mlops_iac.pipeline.executor import Handlers, Left, OnRunEvent, Run, Stopped, execute
from mlops_iac.pipeline.given import with_given
from mlops_iac.pipeline.machine import Machine, Workplace
from mlops_iac.pipeline.run_record import StepRecord, given_to
from mlops_iac.pipeline.run_report import InService, write_report
from mlops_iac.pipeline.search import Trial
from mlops_iac.pipeline.step_cache import StepCache
from mlops_iac.pipeline.steps import MLFLOW, Lifecycle, Tune
from mlops_iac.pipeline.tasks import (
    CHECKPOINTS,
    KEPT,
    TRAINED,
    WORK,
    Current,
    Gate,
    Job,
    Registration,
    Seal,
    Training,
    tasks,
)
from mlops_iac.pipeline.tuning import Reports, best_of, reported
from mlops_iac.records import replace
from mlops_iac.runtime import contract, tracking
from mlops_iac.runtime.metrics import missed_gates
from mlops_iac.workload import environments
from mlops_iac.workload.archives import pack, unpack
from mlops_iac.workload.processes import EndedEarly

ENVIRONMENT = "environment"
REGISTERED, GATE_FAILED = "registered", "gate-failed"
_J = TypeVar("_J", bound=Job)
StepStatus = Literal["running", "succeeded", "failed", "reused"]


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended; `published` is what a batch prediction's did.

    `registered` is the new version's name in the registry, None where a gate kept it out; `missed`
    are then the sentences that say which number missed which limit. `approval` is the version's
    status (`PendingManualApproval`). `metrics` are the report's. `folder` holds `run.json`, and per
    step its log and pictures. `given` are the hyperparameters that this run was given.
    """

    id: str
    status: Literal["registered", "gate-failed", "published"]
    steps: Mapping[str, StepStatus]
    metrics: Mapping[str, float] = field(default_factory=dict)
    registered: str | None = None
    approval: str | None = None
    missed: tuple[str, ...] = ()
    folder: Path = Path()
    duration_seconds: float = 0.0
    given: Mapping[str, str] = field(default_factory=dict)
    usage: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def usage_of(steps: Mapping[str, StepRecord]) -> dict[str, Mapping[str, float]]:
    """By step what it took: `seconds`, `cpu_seconds`, and `peak_bytes` of its largest process."""
    return {
        name: {
            "seconds": step.seconds,
            "cpu_seconds": step.cpu_seconds,
            "peak_bytes": step.peak_bytes,
        }
        for name, step in steps.items()
    }


def run(
    life: Lifecycle,
    backend: Backend,
    *,
    work: Path,
    pipeline: str = "pipeline",
    workload_python: Path | None = None,
    from_step: str | None = None,
    identity: str = "",
    given: Mapping[str, str] | None = None,
    cache: bool = False,
    served: InService | None = None,
    card: str = "",
    on_event: OnRunEvent | None = None,
) -> RunResult:
    """Run a lifecycle, task by task.

    `work` is the project's `.mlops-iac/`; `pipeline` names the pipeline, to find its last run
    again. `workload_python` is an interpreter that has the workload's requirements; None makes a
    virtual environment, or reuses one that any project of the user has made (the environment
    variable MLOPS_IAC_WORKLOAD_PYTHON comes before that). `from_step` continues the last run of this pipeline at that step, under its
    id, with what the earlier steps left. `identity` is the id of a new run, or of the one that is
    continued where that is not the last. `given` are hyperparameters of the training for this run
    alone, as text; a run that is continued keeps its own. With `cache` a job is not executed whose code,
    data, settings and environment are those that it had in an earlier run of this pipeline: what it left there is taken. `served` and the text of the model's
    `card` are for the page that the run leaves, `report.html`.

    Raises UsageError (a step that cannot be run), ResourceFailed (a step crashed; the message ends
    with its log's last lines; or there is no environment), TimedOut, Cancelled (interrupted;
    `from_step` continues), MlopsError (no space). A missed gate is no error.
    """
    if from_step and given:
        raise UsageError(
            "a run that is continued keeps its hyperparameters; nothing was run",
            hint="leave --set out, or start a new run without --from",
        )
    given = given_to(work / "runs", pipeline, identity) if from_step else given or {}
    life = with_given(life, given)

    begun: list[Run] = []

    def start(run: Run) -> Handlers:
        begun.append(run)
        run.record.given, run.record.hyperparameters = given, life.train.hyperparameters
        if workload_python:
            python = environments.existing(workload_python, "workload_python")
        else:
            with run.before(ENVIRONMENT):
                python = _environment(run, backend, work)
        told = {"evaluate": {contract.RUN: run.id}}
        if backend.tracks:
            store = {contract.TRACKING: (work / MLFLOW).resolve().as_uri()}
            told = {kind: {contract.RUN: run.id, **store} for kind in ("train", "evaluate")}
        machine = Machine(run.processes, python, run.folder / "tools", backend.environment, told)
        return _Lifecycle(run, life, backend, machine, cache).handlers()

    try:
        ended = execute(
            tasks(life),
            start,
            name=pipeline,
            work=work,
            done=REGISTERED,
            from_step=from_step,
            identity=identity,
            on_event=on_event,
        )
    finally:
        for each in begun:
            with suppress(OSError):  # no space: the run says so, or did without
                write_report(each.folder, each.record, life, served, card)
    record = ended.record
    register = record.steps.get("Register")
    return RunResult(
        id=record.id,
        status="registered" if record.status == REGISTERED else "gate-failed",
        steps={name: step.status for name, step in record.steps.items()},  # type: ignore[misc]
        metrics=record.metrics,
        registered=record.registered,
        approval=register.properties["approval"] if register else None,
        missed=tuple(record.missed),
        folder=ended.folder,
        duration_seconds=ended.seconds,
        given=record.given,
        usage=usage_of(record.steps),
    )


class _Lifecycle:
    """What is done for each task of one run of a lifecycle."""

    def __init__(
        self, run: Run, life: Lifecycle, backend: Backend, machine: Machine, cache: bool
    ) -> None:
        self._run = run
        self._backend = backend
        self._store = backend.store
        self._machine = machine
        scripts = {task.script.script for task in tasks(life) if isinstance(task, Job)}
        self._cache = StepCache(run, backend, machine.python, scripts)
        self._takes = cache
        self._work = f"{backend.artifacts}/{WORK}/{life.model}/{run.id}"
        self._kept = f"{backend.artifacts}/{KEPT}/{life.model}/{run.id}"

    def handlers(self) -> Handlers:
        return {
            Job: lambda job: self._cached(job, self._job),
            Training: lambda job: self._cached(job, self._training),
            Seal: self._seal,
            Current: self._current,
            Gate: self._gate,
            Registration: self._register,
        }

    def _cached(self, job: _J, execute: Callable[[_J], Left]) -> Left:
        """What a job leaves, or has left in an earlier run where it depended on the same."""
        record = self._run.record
        step = record.steps[job.name]
        step.inputs = self._cache.inputs(job)
        left = self._cache.take(step) if self._takes else None
        left = execute(job) if left is None else left
        if "metrics" in left:
            record.metrics, record.current = left["metrics"], left["current"]
        return left

    def _job(self, job: Job) -> Left:
        at = self._workplace(job.name)
        archive = self._deliver(at, job, contract.PROCESSING_DATA, contract.PROCESSING_CODE)
        if job.model:
            model = at.root / contract.PROCESSING_MODEL
            self._store.download(self._run.left(job.model)["uri"], model)
        if job.current:
            current = self._run.left(job.current)
            self._store.download(current["uri"], at.root / contract.PROCESSING_CURRENT)
            job = replace(job, env={**job.env, contract.CURRENT: current["version"]})
        report = contract.PROCESSING_REPORT
        out = at.root / (contract.PROCESSING_PREPARED if job.kind == "prepare" else report)
        out.mkdir(parents=True)
        self._machine.run(at, job, archive, job.arguments)
        uri = f"{self._work}/{job.output}"
        self._store.upload(out, uri)
        left: dict[str, Any] = {"uri": uri}
        if job.kind == "evaluate":
            found = _report(job.name, out / contract.REPORT_FILE)
            left["metrics"], left["current"] = found
        at.keep(report)
        return left

    def _training(self, job: Training) -> Left:
        if job.tune is None:
            at = self._workplace(job.name)
            return {"uri": self._train(at, job, job.arguments)}
        return self._tune(job, job.tune)

    def _train(self, at: Workplace, job: Training, arguments: Mapping[str, str]) -> str:
        """Train once; the URI of the model's archive."""
        code = f"{contract.CHANNELS}/{contract.CODE_CHANNEL}"
        archive = self._deliver(at, job, contract.CHANNELS, code)
        kept, kept_at = at.root / contract.CHECKPOINTS, f"{self._work}/{CHECKPOINTS}"
        if job.tune:  # a trial does not go on where another one was
            kept_at += f"/{at.name}"
        if job.checkpoints and self._store.exists(kept_at):
            self._store.download(kept_at, kept)
        try:
            self._machine.run(at, job, archive, arguments)
        finally:
            if job.checkpoints and kept.is_dir():
                self._store.upload(kept, kept_at)
        base = f"{self._work}/{TRAINED}/{at.name}/output"
        for name, below in (
            (contract.MODEL_FILE, contract.MODEL),
            ("output.tar.gz", contract.OUTPUT),
        ):
            folder = at.root / below
            if folder.is_dir() and any(folder.iterdir()):
                pack(folder, at.folder / name)
                self._store.upload(at.folder / name, f"{base}/{name}")
        with suppress(FileNotFoundError):
            shutil.copy(
                at.root / contract.MODEL / contract.CODE / contract.VERSIONS_FILE, at.folder
            )
        at.keep(contract.OUTPUT)
        return f"{base}/{contract.MODEL_FILE}"

    def _tune(self, job: Training, tune: Tune) -> Left:
        static = {name: value for name, value in job.arguments.items() if name not in tune.search}
        reports = Reports(tune)

        def run_trial(number: int, trial: Trial) -> tuple[str, float]:
            def enough(line: str) -> bool:
                return any(reports.add(number, value) for value in reported(tune.metric, line))

            at = self._workplace(job.name, number, enough)
            uri = ""
            with suppress(EndedEarly):
                uri = self._train(at, job, {**static, **trial})
            at.keep(contract.OUTPUT)  # of one that was ended early, too
            found = reported(tune.metric, at.log.read_text(encoding="utf-8"))
            if not found:
                raise ResourceFailed(f"trial {number} did not report {tune.metric}")
            reports.end(number)
            return uri, found[-1]

        def tell(text: str) -> None:
            self._run.tell(job.name, "note", text)

        seed, stop = self._run.record.definition, self._run.processes.stop
        best, done = best_of(tune, seed, run_trial, stop, tell)
        if reports.judges and not reports.between:
            tell(f"no trial was ended early: none reported {tune.metric} before its end")
        tell(f"best: trial {best.number}")
        return {"uri": best.uri, "trials": [vars(each) for each in done], "best": best.number}

    def _seal(self, task: Seal) -> Left:
        source = "/".join(filter(None, (self._run.left(task.source)["uri"], task.file)))
        return {"uri": self._store.seal(source, self._kept)}

    def _current(self, task: Current) -> Left:
        return self._backend.current(task.version, self._run.left(task.otherwise)["uri"])

    def _gate(self, task: Gate) -> Left:
        record = self._run.record
        try:
            missed = missed_gates(
                [vars(each) for each in task.limits], record.metrics, record.current
            )
        except KeyError as error:
            raise ResourceFailed(f"the report has no {error.args[0]}") from error
        if missed:
            record.missed = missed
            raise Stopped(f"{task.name}Failed", GATE_FAILED, missed)
        return {}

    def _register(self, task: Registration) -> Left:
        report = self._run.left(task.report)["uri"] if task.report else None
        examples = self._run.left(task.examples)["uri"] if task.examples else None
        version = self._backend.register(
            self._run.left(task.model)["uri"], report, examples, self._run.record.given
        )
        self._run.record.registered = version.name
        return {"version": version.name, "approval": version.approval}

    def _deliver(self, at: Workplace, job: Job, data: str, code: str) -> Path:
        """Bring a job what it reads, and return the archive with its code."""
        at.fresh()
        for name, task in job.data.items():
            uri = self._run.left(task)["uri"] if task else self._backend.datasets[name]
            self._store.download(uri, at.root / data / name)
        self._store.download(self._backend.code, at.root / code)
        return at.root / code / contract.CODE_FILE

    def _workplace(
        self,
        step: str,
        trial: int | None = None,
        enough: Callable[[str], bool] = lambda _: False,
    ) -> Workplace:
        """`enough` says of each line whether the job is to end with it."""
        ended = threading.Event()

        def on_line(line: str) -> None:
            self._run.tell(step, "line", prefix + line)
            if enough(line):
                ended.set()

        part = step if trial is None else f"{step}{trial:03}"
        folder = self._run.folder / step
        prefix = "" if trial is None else f"trial {trial}: "
        folder = folder if trial is None else folder / f"{trial:03}"
        return Workplace(
            name=f"{self._run.id}-{part}",
            folder=folder,
            log=folder / "log.txt",
            on_line=on_line,
            enough=ended,
        )


def _report(step: str, report: Path) -> tuple[Mapping[str, float], Mapping[str, Any]]:
    """What was measured, and the version in service with what that has."""
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
        return found["metrics"], found.get("current", {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResourceFailed(f"{step} left no readable {report.name}: {error}") from error


def _environment(run: Run, backend: Backend, work: Path) -> Path:
    """The interpreter for the requirements.txt in the code that the lifecycle runs."""
    with tempfile.TemporaryDirectory(dir=work) as temporary:
        folder = Path(temporary)
        backend.store.download(backend.code, folder)
        unpack(folder / contract.CODE_FILE, folder / "code")
        client = [tracking.CLIENT] if backend.tracks else []
        return environment(run, folder / "code", backend.framework, *client)


def environment(run: Run, code: Path, *brought: str) -> Path:
    """The interpreter for the requirements.txt of a code folder; `brought` comes with the image."""
    file = code / "requirements.txt"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return environments.workload_python(
        environments.requirements(text, *brought),
        run.processes,
        lambda line: run.tell(ENVIRONMENT, "line", line),
    )
