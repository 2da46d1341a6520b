"""The jobs of a pipeline as subprocesses, in folders laid out as SageMaker lays them out."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_iac.errors import UsageError
from mlops_iac.pipeline._local_process import Processes, clean_environment
from mlops_iac.pipeline._local_store import Store, pack, unpack
from mlops_iac.runtime import contract

Arguments = Mapping[str, Any]
Properties = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """Where one job runs: its name, its folder, its log."""

    name: str
    folder: Path
    log: Path
    on_line: Callable[[str], None]

    @property
    def root(self) -> Path:
        """What is `/opt/ml` in a container."""
        return self.folder / "opt" / "ml"


class Machine:
    """Runs jobs with one interpreter, against one emulated S3."""

    def __init__(self, store: Store, processes: Processes, python: Path, tools: Path) -> None:
        self._store = store
        self._processes = processes
        self._python = python
        # Containers call `python3`; a wrapper, because a link would leave the virtual environment.
        tools.mkdir(parents=True, exist_ok=True)
        wrapper = tools / "python3"
        wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} "$@"\n', encoding="utf-8")
        wrapper.chmod(0o755)
        self._tools = tools

    def processing(self, job: Job, arguments: Arguments) -> Properties:
        """CreateProcessingJob, here. `arguments` are resolved."""
        _fresh(job)
        for item in arguments["ProcessingInputs"]:
            source = item["S3Input"]
            self._store.download(source["S3Uri"], _below(job, source["LocalPath"]))
        outputs = arguments["ProcessingOutputConfig"]["Outputs"]
        for item in outputs:
            _below(job, item["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
        application = arguments["AppSpecification"]
        command = [
            part.replace(contract.ROOT, shlex.quote(str(job.root)))
            for part in application["ContainerEntrypoint"]
        ]
        self._run(job, [*command, *application.get("ContainerArguments", [])], arguments)
        for item in outputs:
            target = item["S3Output"]
            key = arguments["ProcessingOutputConfig"].get("KmsKeyId")
            self._store.upload(_below(job, target["LocalPath"]), target["S3Uri"], key)
        return {
            "ProcessingJobName": job.name,
            "ProcessingOutputConfig": {"Outputs": {item["OutputName"]: item for item in outputs}},
        }

    def seal(self, source: str, target: str) -> Properties:
        """What the sealing function answers, here."""
        return {"uri": self._store.seal(source, target)}

    def training(
        self, job: Job, arguments: Arguments, hyperparameters: Mapping[str, str]
    ) -> Properties:
        """CreateTrainingJob, here; also one trial of a tuning."""
        _fresh(job)
        for item in arguments["InputDataConfig"]:
            folder = job.root / contract.CHANNELS / item["ChannelName"]
            self._store.download(item["DataSource"]["S3DataSource"]["S3Uri"], folder)
        archive = Path(_setting(hyperparameters, "sagemaker_submit_directory"))
        code = job.root / contract.CODE
        unpack(_below(job, str(archive)), code)
        config = job.root / contract.HYPERPARAMETERS
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(json.dumps(hyperparameters), encoding="utf-8")
        checkpoints = arguments.get("CheckpointConfig")
        kept = job.root / contract.CHECKPOINTS
        if checkpoints and self._store.exists(checkpoints["S3Uri"]):
            self._store.download(checkpoints["S3Uri"], kept)
        try:
            program = code / _setting(hyperparameters, "sagemaker_program")
            self._run(job, [str(self._tools / "python3"), str(program)], arguments)
        finally:
            if checkpoints and kept.is_dir():
                self._store.upload(kept, checkpoints["S3Uri"], None)
        output = arguments["OutputDataConfig"]
        base = f"{output['S3OutputPath'].rstrip('/')}/{job.name}/output"
        for name, below in (("model", contract.MODEL), ("output", contract.OUTPUT)):
            folder = job.root / below
            if folder.is_dir() and any(folder.iterdir()):
                packed = job.folder / f"{name}.tar.gz"
                pack(folder, packed)
                self._store.upload(packed, f"{base}/{name}.tar.gz", output.get("KmsKeyId"))
        return {
            "TrainingJobName": job.name,
            "ModelArtifacts": {"S3ModelArtifacts": f"{base}/{contract.MODEL_FILE}"},
            "Metrics": self._metrics(job, arguments),
        }

    def _metrics(self, job: Job, arguments: Arguments) -> dict[str, float]:
        """What the job's metric definitions find in its log: the last of each."""
        lines = job.log.read_text(encoding="utf-8").splitlines()
        found: dict[str, float] = {}
        for item in arguments["AlgorithmSpecification"].get("MetricDefinitions", []):
            pattern = re.compile(item["Regex"])
            for line in lines:
                if match := pattern.search(line):
                    found[item["Name"]] = float(match[1])
        return found

    def _run(self, job: Job, command: list[str], arguments: Arguments) -> None:
        env = clean_environment()
        env["PATH"] = f"{self._tools}:{self._python.parent}:{env.get('PATH', '/usr/bin:/bin')}"
        env |= arguments.get("Environment", {})
        env[contract.ROOT_SETTING] = str(job.root)
        self._processes.run(
            job.name.rsplit("-", 1)[-1],
            command,
            env=env,
            log=job.log,
            seconds=float(arguments["StoppingCondition"]["MaxRuntimeInSeconds"]),
            on_line=job.on_line,
        )


def keep(job: Job, *below: str) -> None:
    """Keep these folders of a finished job for people to look at, and drop the rest."""
    for name in below:
        source = job.root / name
        if source.is_dir():
            shutil.copytree(source, job.folder / Path(name).name, dirs_exist_ok=True)
    shutil.rmtree(job.folder / "opt", ignore_errors=True)
    for archive in job.folder.glob("*.tar.gz"):
        archive.unlink()


def _fresh(job: Job) -> None:
    shutil.rmtree(job.folder / "opt", ignore_errors=True)
    job.root.mkdir(parents=True)
    job.log.unlink(missing_ok=True)


def _below(job: Job, path: str) -> Path:
    """A container's path on this machine. Raises UsageError for one outside `/opt/ml`."""
    parts = Path(path).parts
    if not path.startswith(contract.ROOT + "/") or ".." in parts:
        raise UsageError(f"{path!r} does not lie below {contract.ROOT}")
    return job.root / path.removeprefix(contract.ROOT + "/")


def _setting(hyperparameters: Mapping[str, str], name: str) -> str:
    try:
        return hyperparameters[name]
    except KeyError:
        raise UsageError(f"the training has no hyperparameter {name}") from None
