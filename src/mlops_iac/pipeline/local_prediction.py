"""Runs a batch prediction on this machine, in and out of the emulated cloud.

Its tasks are those that an orchestrator's definition is printed from. The model is asked in the
workload's own environment, by the code that travels with the version.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mlops_iac.pipeline import prediction as steps
from mlops_iac.pipeline.backend import Store
from mlops_iac.pipeline.executor import Handlers, Left, OnRunEvent, Run, execute
from mlops_iac.pipeline.local import ENVIRONMENT, RunResult, environment, usage_of
from mlops_iac.pipeline.machine import Machine, Workplace
from mlops_iac.pipeline.prediction import Predict, Prediction, Publish, Resolve, Rows
from mlops_iac.pipeline.steps import Task
from mlops_iac.pipeline.tasks import WORK
from mlops_iac.records import Record
from mlops_iac.runtime import contract, transform
from mlops_iac.runtime import prediction as rows_of
from mlops_iac.workload import environments
from mlops_iac.workload.archives import unpack

PUBLISHED = "published"
_ANSWER = "answer"
_REPORTS = {"check": "checked", "complete": "completed"}
_MINUTES = 24 * 60


class Resolved(Record):
    """Which `version` predicts, from where its `archive` is loaded, and the URI of the `input`.

    `model` is what the platform calls it.
    """

    version: str
    archive: str
    input: str
    began: str
    model: str = ""


class PredictionBackend(Protocol):
    """One batch prediction as it is deployed.

    `artifacts` is the URI below which jobs write, `code` that of the archive of the steps that check
    and complete, `output` the folder of all runs. `framework` is the requirement that the image
    already meets, or empty.
    """

    @property
    def store(self) -> Store: ...
    @property
    def artifacts(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def output(self) -> str: ...
    @property
    def environment(self) -> Mapping[str, str]: ...
    @property
    def framework(self) -> str: ...

    def resolve(self) -> Resolved:
        """What the first step finds. Raises ResourceFailed, which says what to approve."""

    def publish(self, run: str, resolved: Resolved, output: str, rows: str) -> str:
        """Tell that the `output` of a run is complete; `rows` is the URI of what is known of it.

        Returns the URI of what tells it.
        """


@dataclass(frozen=True, slots=True)
class PredictionResult:
    """How a `run` ended: what `version` predicted for how many `rows`, and the URI of the `output`."""

    run: RunResult
    version: str
    rows: int
    predicted: int
    output: str


def run(
    what: Prediction,
    backend: PredictionBackend,
    *,
    work: Path,
    pipeline: str = "pipeline",
    workload_python: Path | None = None,
    from_step: str | None = None,
    identity: str = "",
    on_event: OnRunEvent | None = None,
) -> PredictionResult:
    """Run a batch prediction, task by task; arguments and errors are those of `local.run`."""

    def start(run: Run) -> Handlers:
        return _Prediction(run, what, backend, workload_python).handlers()

    ended = execute(
        steps.tasks(what),
        start,
        name=pipeline,
        work=work,
        done=PUBLISHED,
        from_step=from_step,
        identity=identity,
        on_event=on_event,
    )
    complete = ended.left("Complete")
    return PredictionResult(
        RunResult(
            id=ended.id,
            status="published",
            steps={name: step.status for name, step in ended.record.steps.items()},  # type: ignore[misc]
            folder=ended.folder,
            duration_seconds=ended.seconds,
            usage=usage_of(ended.record.steps),
        ),
        version=ended.left("Resolve")["version"],
        rows=complete["rows"],
        predicted=complete["predicted"],
        output=complete["output"],
    )


class _Prediction:
    """What is done for each task of one run of a batch prediction."""

    def __init__(
        self,
        run: Run,
        what: Prediction,
        backend: PredictionBackend,
        python: Path | None,
    ) -> None:
        self._run = run
        self._what = what
        self._backend = backend
        self._store = backend.store
        self._python = python
        self._work = f"{backend.artifacts}/{WORK}/{what.entry}/{run.id}"

    def handlers(self) -> Handlers:
        return {
            Resolve: self._resolve,
            Rows: self._rows,
            Predict: self._predict,
            Publish: self._publish,
        }

    def _resolve(self, task: Resolve) -> Left:
        found = self._backend.resolve()
        self._run.tell(task.name, "note", f"version {found.version}")
        return vars(found)

    def _rows(self, task: Rows) -> Left:
        at = self._workplace(task.name)
        self._store.download(self._backend.code, at.folder)
        deliver = self._check if task.kind == "check" else self._complete
        outputs, env = deliver(at), {**task.env, contract.ANSWER: _ANSWER}
        for folder in (*outputs, contract.PROCESSING_REPORT):
            (at.root / folder).mkdir(parents=True, exist_ok=True)
        code = at.root / contract.CODE
        unpack(at.folder / contract.CODE_FILE, code)
        machine = self._machine(task, Path(sys.executable))
        machine.execute(at, [code / contract.ENTRY], env, _MINUTES * 60)
        report = at.root / contract.PROCESSING_REPORT
        known = rows_of.load(report / contract.ROWS_FILE)
        left: dict[str, Any] = {"rows": known["rows"], "predicted": known.get("predicted", 0)}
        for folder, uri in outputs.items():
            self._store.upload(at.root / folder, uri)
            left["output"] = uri
        left["report"] = f"{self._work}/{_REPORTS[task.kind]}"
        self._store.upload(report, left["report"])
        at.keep(contract.PROCESSING_REPORT)
        return left

    def _check(self, at: Workplace) -> dict[str, str]:
        """Bring what is read; the folders that are written, with where they go."""
        name = self._what.source.name
        source = self._run.left("Resolve")["input"]
        self._store.download(source, at.root / contract.PROCESSING_DATA / name)
        return {contract.PROCESSING_ROWS: f"{self._work}/rows"}

    def _complete(self, at: Workplace) -> dict[str, str]:
        checked, predicted = self._run.left("Check"), self._run.left("Predict")
        self._store.download(checked["report"], at.root / contract.PROCESSING_CHECKED)
        self._store.download(predicted["uri"], at.root / contract.PROCESSING_PREDICTED)
        return {contract.PROCESSING_OUTPUT: f"{self._backend.output}run={self._run.id}"}

    def _predict(self, task: Predict) -> Left:
        at = self._workplace(task.name)
        rows, out = at.root / "rows", at.root / "out"
        out.mkdir(parents=True)
        model = at.root / contract.MODEL
        archive = self._run.left("Resolve")["archive"]
        packed = archive.endswith(".tar.gz")
        self._store.download(archive, at.folder if packed else model)
        if packed:
            unpack(at.folder / archive.rpartition("/")[2], model)
        self._store.download(self._run.left("Check")["output"], rows)
        machine = self._machine(task, self._environment(model / contract.CODE))
        machine.execute(
            at, [transform.__file__, model, rows, out, _ANSWER], task.env, _MINUTES * 60
        )
        uri = f"{self._work}/predicted"
        self._store.upload(out, uri)
        at.keep("none")
        return {"uri": uri}

    def _publish(self, _: Publish) -> Left:
        complete = self._run.left("Complete")
        resolved = Resolved(**self._run.left("Resolve"))
        rows = f"{complete['report']}/{contract.ROWS_FILE}"
        told = self._backend.publish(self._run.id, resolved, complete["output"], rows)
        return {"success": told}

    def _machine(self, task: Task, python: Path) -> Machine:
        tools = self._run.folder / "tools" / task.name
        return Machine(self._run.processes, python, tools, self._backend.environment)

    def _environment(self, code: Path) -> Path:
        """The interpreter for the requirements.txt that travels with the version."""
        if self._python:
            return environments.existing(self._python, "workload_python")
        with self._run.before(ENVIRONMENT):
            return environment(self._run, code, self._backend.framework)

    def _workplace(self, step: str) -> Workplace:
        folder = self._run.folder / step
        at = Workplace(
            name=f"{self._run.id}-{step}",
            folder=folder,
            log=folder / "log.txt",
            on_line=lambda line: self._run.tell(step, "line", line),
        )
        at.fresh()
        return at
