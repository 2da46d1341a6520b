"""One job over every blueprint below a folder: the run, and what it comes to."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mlops_iac.api.fleet.conflicts import same_program, shared
from mlops_iac.api.fleet.jobs import Compile, Job
from mlops_iac.api.fleet.model import Outcome, Report
from mlops_iac.api.fleet.worker import Limits
from mlops_iac.api.fleet.workers import Pool
from mlops_iac.workload.processes import processors

Heard = Callable[[Outcome, int, int], None]
"""Told of every outcome as it comes: the outcome, how many there are now, of how many."""


def run(
    files: Sequence[Path],
    job: Job,
    *,
    workers: int | None = None,
    limits: Limits | None = None,
    heard: Heard | None = None,
) -> Report:
    """Do `job` with every one of `files`, in processes, and report.

    `workers` defaults to the processors that this process may use. Nothing that happens to one
    blueprint keeps the others from being worked on. Leaving it early, by Ctrl-C or an exception of
    `heard`, ends the processes and cleans up after them.
    """
    started = time.perf_counter()
    job = job.prepared(files)
    refused = _refused(files, job)
    groups = _groups([file for file in files if file not in refused])
    size = min(workers or processors(), max(1, len(groups)))
    outcomes = list(refused.values())
    if groups:
        # What is missing is told by each blueprint that needs it.
        with contextlib.suppress(ImportError):
            job.warm()
    with Pool(job, size, limits) as pool:
        for outcome in pool.run(groups):
            outcomes.append(outcome)
            if heard is not None:
                heard(outcome, len(outcomes), len(files))
    outcomes.sort(key=lambda each: each.file)
    return Report(
        outcomes,
        shared(identity for each in outcomes for identity in each.identities),
        time.perf_counter() - started,
        size,
        pool.started,
    )


def _refused(files: Sequence[Path], job: Job) -> dict[Path, Outcome]:
    """What is not begun: two blueprints that would be compiled into one folder."""
    if not isinstance(job, Compile):
        return {}
    found = same_program(files, job.folder)
    return {
        file: Outcome(file.as_posix(), state="failed", exit_code=2, problems=[problem])
        for file, problem in found.items()
    }


def _groups(files: Sequence[Path]) -> list[list[Path]]:
    """Blueprints of one folder share its work folder: never two of them at once."""
    by_folder: dict[Path, list[Path]] = {}
    for file in files:
        by_folder.setdefault(file.absolute().parent, []).append(file)
    return list(by_folder.values())
