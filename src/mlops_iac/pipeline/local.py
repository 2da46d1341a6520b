"""Runs a compiled SageMaker Pipeline definition on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

StepStatus = Literal["running", "succeeded", "failed", "reused", "skipped"]


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Progress: a step began, said something, or ended. `seconds` is its duration so far."""

    step: str
    kind: Literal["start", "line", "note", "done", "reused", "failed"]
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended.

    `registered` is the ARN of the new model package, None where a gate kept it out; `missed` are
    then the sentences that say which number missed which limit. `metrics` are the report's.
    `folder` holds `run.json` and a log per step.
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
    """Run `definition` (parsed JSON, no placeholder left), step by step, in the emulated cloud.

    `s3` and `sagemaker` are boto3 clients of the emulator. `work` is the project's `.mlops-iac/`;
    `pipeline` names the pipeline, to find its last run again. `workload_python` is an interpreter
    that has the workload's requirements; None makes or reuses a virtual environment under `work`
    (the environment variable MLOPS_IAC_WORKLOAD_PYTHON comes before that). `from_step` continues
    the last run of this pipeline at that step, with what the earlier steps left.

    Raises UsageError (a definition or step that cannot be run), ResourceFailed (a step crashed;
    the message ends with its log's last lines), TimedOut, Cancelled. A missed gate is no error.
    """
    raise NotImplementedError
