"""Runs a compiled SageMaker Pipeline definition on this machine, in and out of the emulated cloud.

The definition is executed as it stands: folders, environments, entry points and timeouts are those
that the service would use. What only the service has is left out: instances, spot capacity, roles,
networks. A run is written down under `work/runs/<id>/` and can be continued.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, assert_never

from mlops_iac.errors import (
    Cancelled,
    MlopsError,
    ResourceFailed,
    ScriptFailed,
    TimedOut,
    UsageError,
)
from mlops_iac.pipeline._local_jobs import Machine
from mlops_iac.pipeline._local_process import Processes
from mlops_iac.pipeline._local_record import Record, StepRecord, last_record, new_record, only_one
from mlops_iac.pipeline._local_steps import StepRunner
from mlops_iac.pipeline._local_store import Store, unpack
from mlops_iac.pipeline._local_values import Values
from mlops_iac.pipeline.graph_checks import all_steps, check_graph, order
from mlops_iac.pipeline.workload_env import existing, requirements, workload_python
from mlops_iac.runtime import contract
from mlops_iac.workfolder import made

ENVIRONMENT = "environment"
StepStatus = Literal["running", "succeeded", "failed", "reused"]


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Progress: a step began, printed a line, said something, ended. `seconds`: its duration.

    The step `environment` is the making of the workload's virtual environment.
    """

    step: str
    kind: Literal["start", "line", "note", "done", "reused", "failed"]
    message: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        """One line for a person."""
        match self.kind:
            case "start":
                return f"{self.step} …"
            case "line" | "note":
                return f"  {self.message}"
            case "reused":
                return f"{self.step}: as before"
            case "done":
                return f"{self.step}: done in {self.seconds:.1f} s"
            case "failed":
                return f"{self.step}: failed: {self.message}"
            case never:
                assert_never(never)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended.

    `registered` is the ARN of the new model package, None where a gate kept it out; `missed` are
    then the sentences that say which number missed which limit. `approval` is the package's status
    (`PendingManualApproval`). `metrics` are the report's. `folder` holds `run.json`, and per step
    its log and pictures.
    """

    id: str
    status: Literal["registered", "gate-failed"]
    steps: Mapping[str, StepStatus]
    metrics: Mapping[str, float] = field(default_factory=dict)
    registered: str | None = None
    approval: str | None = None
    missed: tuple[str, ...] = ()
    folder: Path = Path()
    duration_seconds: float = 0.0


OnRunEvent = Callable[[RunEvent], None]


def run(
    definition: Mapping[str, Any],
    *,
    s3: Any,
    sagemaker: Any,
    work: Path,
    pipeline: str = "pipeline",
    workload_python: Path | None = None,
    from_step: str | None = None,
    on_event: OnRunEvent | None = None,
) -> RunResult:
    """Run `definition` (parsed JSON, no placeholder left), step by step.

    `s3` and `sagemaker` are boto3 clients of the emulator. `work` is the project's `.mlops-iac/`;
    `pipeline` names the pipeline, to find its last run again. `workload_python` is an interpreter
    that has the workload's requirements; None makes or reuses a virtual environment under `work`
    (the environment variable MLOPS_IAC_WORKLOAD_PYTHON comes before that). `from_step` continues
    the last run of this pipeline at that step, under its id, with what the earlier steps left.

    Raises UsageError (a definition or step that cannot be run), ResourceFailed (a step crashed;
    the message ends with its log's last lines; or there is no environment), TimedOut, Cancelled
    (interrupted; `from_step` continues), MlopsError (no space). A missed gate is no error.
    """
    say = on_event or (lambda _: None)
    began = time.monotonic()
    text = json.dumps(definition, sort_keys=True)
    if "${" in text:
        raise UsageError("the pipeline definition has a placeholder that nothing has filled")
    check_graph(definition)
    steps = order(definition)
    digest = sha256(text.encode()).hexdigest()
    runs = work / "runs"
    processes = Processes()
    lock = ExitStack()
    record: Record | None = None
    try:
        made(work)
        record = _open(runs, pipeline, digest, definition, steps, from_step)
        folder = runs / record.id
        lock.enter_context(only_one(folder))
        store = Store(s3)
        try:
            python = workload_python or _environment(definition, store, work, processes, say)
        except (ResourceFailed, TimedOut) as error:
            failed = StepRecord(ENVIRONMENT, "", "failed", error=_short(error.__cause__ or error))
            record.steps[ENVIRONMENT], record.status = failed, "failed"
            record.save(folder)
            raise
        if workload_python:
            existing(workload_python, "workload_python")
        machine = Machine(store, processes, python, folder / "tools")
        values = Values(
            {"PipelineExecutionId": record.id, "PipelineName": pipeline},
            {item["Name"]: item.get("DefaultValue") for item in definition.get("Parameters", [])},
        )
        runner = StepRunner(machine, sagemaker, values, record, folder, say, seed=digest)
        runner.resumed = from_step is not None
        _run_steps(runner, steps, record, folder, say)
    except KeyboardInterrupt:
        processes.stop()
        step = next(reversed(record.steps), "") if record is not None else ""
        then = f"`mlops-iac run --from {step}` goes on there" if step else "run it again"
        raise Cancelled("the run was interrupted", hint=then) from None
    except OSError as error:
        raise MlopsError(f"the run cannot write its files: {error}") from error
    finally:
        processes.stop()
        lock.close()
    return RunResult(
        id=record.id,
        status="registered" if record.status == "registered" else "gate-failed",
        steps={name: step.status for name, step in record.steps.items()},  # type: ignore[misc]
        metrics=record.metrics,
        registered=record.registered,
        approval=runner.approval,
        missed=tuple(record.missed),
        folder=folder,
        duration_seconds=time.monotonic() - began,
    )


def _run_steps(
    runner: StepRunner,
    steps: list[Mapping[str, Any]],
    record: Record,
    folder: Path,
    say: OnRunEvent,
) -> None:
    queue = list(steps)
    while queue:
        step = queue.pop(0)
        name = step["Name"]
        if name in record.steps:
            record.steps[name].status = "reused"
            runner.reuse(record.steps[name])
            say(RunEvent(name, "reused"))
            continue
        began = time.monotonic()
        if step["Type"] != "Fail":  # that is how a pipeline says that a gate was missed
            say(RunEvent(name, "start"))
        current = record.steps[name] = StepRecord(name, step["Type"])
        record.save(folder)
        try:
            queue = [*runner.run(step, current), *queue]
        except BaseException as error:
            current.status = "failed"
            current.error = _short(error)
            record.status = "failed"
            say(RunEvent(name, "failed", current.error, time.monotonic() - began))
            raise
        else:
            refused = record.status == "gate-failed"
            current.status = "failed" if refused else "succeeded"
            words = "; ".join(record.missed) if refused else ""
            kind: Literal["failed", "done"] = "failed" if refused else "done"
            say(RunEvent(name, kind, words, time.monotonic() - began))
        finally:
            current.seconds = round(time.monotonic() - began, 3)
            record.save(folder)
        if record.status == "gate-failed":
            return
    record.status = "registered"
    record.save(folder)


def _short(error: BaseException) -> str:
    """What failed, without the end of its log, whose lines were told as they came."""
    match error:
        case ScriptFailed():
            return error.reason
        case MlopsError():
            return error.message
        case _:
            return type(error).__name__


def _open(
    runs: Path,
    pipeline: str,
    digest: str,
    definition: Mapping[str, Any],
    steps: list[Mapping[str, Any]],
    from_step: str | None,
) -> Record:
    if from_step is None:
        return new_record(pipeline, digest)
    holders = {step["Name"]: holder for step, holder in all_steps(definition)}
    if from_step not in holders:
        raise UsageError(
            f"the pipeline has no step {from_step!r}", hint=f"steps: {', '.join(holders)}"
        )
    record = last_record(runs, pipeline)
    # A step inside a condition starts with the condition.
    start = holders[from_step] or from_step
    names = [step["Name"] for step in steps]
    earlier = names[: names.index(start)]
    for name in earlier:
        step = record.steps.get(name)
        if step is None or step.status not in ("succeeded", "reused"):
            raise UsageError(
                f"run {record.id} cannot be continued at {from_step}: its step {name} is not done",
                hint=f"continue at {name}, or start a new run without --from",
            )
    if record.registered:
        raise UsageError(
            f"run {record.id} has registered {record.registered}; it cannot be continued",
            hint="start a new run, without --from",
        )
    record.definition, record.status, record.missed = digest, "running", []
    record.steps = {name: record.steps[name] for name in earlier}
    return record


def _environment(
    definition: Mapping[str, Any],
    store: Store,
    work: Path,
    processes: Processes,
    say: OnRunEvent,
) -> Path:
    """The interpreter for the requirements.txt in the code that the pipeline runs."""
    began = time.monotonic()
    uri, image = _code(definition)
    with tempfile.TemporaryDirectory(dir=work) as temporary:
        folder = Path(temporary)
        store.download(uri, folder)
        unpack(folder / contract.CODE_FILE, folder / "code")
        file = folder / "code" / "requirements.txt"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
    say(RunEvent(ENVIRONMENT, "start"))
    python = workload_python(
        requirements(text, image),
        work,
        processes,
        lambda line: say(RunEvent(ENVIRONMENT, "line", line)),
    )
    say(RunEvent(ENVIRONMENT, "done", seconds=time.monotonic() - began))
    return python


def _code(definition: Mapping[str, Any]) -> tuple[str, str]:
    """The URI of the code archive and the image of the training."""
    for step, _ in all_steps(definition):
        arguments = step["Arguments"]
        training = arguments.get("TrainingJobDefinition", arguments)
        for channel in training.get("InputDataConfig", []):
            if channel["ChannelName"] == contract.CODE_CHANNEL:
                uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
                return uri, training["AlgorithmSpecification"]["TrainingImage"]
    raise UsageError("the pipeline has no training step with a code channel")
