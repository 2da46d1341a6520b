"""What a job has left in an earlier run, taken where it would depend on the same now.

A cloud's own cache goes by a step's arguments, the addresses of its data among them: it would take what was made of
data that have been replaced. This one goes by contents.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from mlops_iac.errors import UsageError
from mlops_iac.pipeline.backend import Backend
from mlops_iac.pipeline.executor import Left, Run
from mlops_iac.pipeline.run_record import RunRecord, StepRecord, load_record
from mlops_iac.pipeline.tasks import Job
from mlops_iac.runtime import contract
from mlops_iac.runtime.files import runtime_files
from mlops_iac.workload.archives import unpack


class StepCache:
    """Of one run. `python` is the interpreter that has the packages, `scripts` are those of all steps."""

    def __init__(self, run: Run, backend: Backend, python: Path, scripts: Collection[str]) -> None:
        self._run, self._backend, self._python = run, backend, python
        self._scripts = scripts

    def inputs(self, job: Job) -> str:
        """The digest of all that a job depends on. Raises ResourceFailed where its data cannot be read."""
        left = [
            self._run.left(each) for each in (*job.data.values(), job.model, job.current) if each
        ]
        uris = [self._backend.datasets[name] for name, task in job.data.items() if not task]
        uris += [each["uri"] for each in left]
        what = (
            job,
            self._python,
            self._backend.environment,
            [each.get("version") for each in left],
            [self._backend.store.digest(uri) for uri in uris],
            # A model takes the whole code along.
            self._code
            if job.kind == "train"
            else code_of(job.script.script, self._code, self._scripts),
        )
        return sha256(repr(what).encode()).hexdigest()

    def take(self, step: StepRecord) -> Left | None:
        """What the step has left in an earlier run, with its logs and pictures; None where there is none."""
        runs = self._run.folder.parent
        for record in _earlier(runs, self._run.record.pipeline, step):
            folder, left = runs / record.id / step.name, record.steps[step.name].properties
            if folder.is_dir() and self._backend.store.exists(left["uri"]):
                shutil.copytree(folder, self._run.folder / step.name, dirs_exist_ok=True)
                step.cached_from = record.id
                return left
        return None

    @cached_property
    def _code(self) -> Mapping[str, bytes]:
        """The files of the code, by name, in order."""
        with tempfile.TemporaryDirectory(dir=self._run.folder) as temporary:
            folder = Path(temporary)
            self._backend.store.download(self._backend.code, folder)
            unpack(folder / contract.CODE_FILE, folder / "code")
            files = sorted(each for each in (folder / "code").rglob("*") if each.is_file())
            return {
                each.relative_to(folder / "code").as_posix(): each.read_bytes() for each in files
            }


def code_of(
    script: str, code: Mapping[str, bytes], scripts: Collection[str]
) -> Mapping[str, bytes]:
    """The code that a step with this script depends on: without the `scripts` of other steps.

    One that any file of the workload's imports or names is kept.
    """
    own = {name: text for name, text in code.items() if name not in runtime_files()}

    def used(other: str) -> bool:
        path = Path(other)
        named = rb"(?m)^\s*(import|from)\s.*\b%s\b|\b%s\b"
        words = (re.escape(each.encode()) for each in (path.stem, path.name))
        found = re.compile(named % tuple(words))
        return any(found.search(text) for name, text in own.items() if name != other)

    others = {each for each in scripts if each != script and not used(each)}
    return {name: text for name, text in code.items() if name not in others}


def _earlier(runs: Path, pipeline: str, step: StepRecord) -> Iterator[RunRecord]:
    """The runs that executed the step with the same inputs, the newest first.

    Not those that took it over: what the run that executed it has left may have changed since.
    """
    for folder in sorted(runs.glob("*"), reverse=True):
        with suppress(UsageError):  # it cannot be read
            record = load_record(folder)
            found = record.steps.get(step.name)
            if record.pipeline != pipeline or found is None or found.cached_from:
                continue
            if found.inputs == step.inputs and found.status in ("succeeded", "reused"):
                yield record
