"""Jobs as subprocesses, in folders laid out as a training container has them."""

from __future__ import annotations

import json
import shlex
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlops_iac.pipeline.tasks import Job
from mlops_iac.runtime import contract
from mlops_iac.workload.archives import unpack
from mlops_iac.workload.processes import Processes, clean_environment


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where one job runs: its name, its folder, its log. `enough` is set where it is to end early."""

    name: str
    folder: Path
    log: Path
    on_line: Callable[[str], None]
    enough: threading.Event = field(default_factory=threading.Event)

    @property
    def root(self) -> Path:
        """What is `/opt/ml` in a container."""
        return self.folder / "opt" / "ml"

    def fresh(self) -> None:
        """Drop what an earlier try left."""
        shutil.rmtree(self.folder / "opt", ignore_errors=True)
        self.root.mkdir(parents=True)
        self.log.unlink(missing_ok=True)

    def keep(self, below: str) -> None:
        """Keep this folder of a finished job for people to look at, and drop the rest."""
        source = self.root / below
        if source.is_dir():
            shutil.copytree(source, self.folder / source.name, dirs_exist_ok=True)
        shutil.rmtree(self.folder / "opt", ignore_errors=True)
        for archive in self.folder.glob("*.tar.gz"):
            archive.unlink()


class Machine:
    """Runs jobs with one interpreter; `environment` is given to each of them, `told` to those of a kind."""

    def __init__(
        self,
        processes: Processes,
        python: Path,
        tools: Path,
        environment: Mapping[str, str],
        told: Mapping[str, Mapping[str, str]] = {},
    ) -> None:
        self._processes = processes
        self.python = python
        self._environment = environment
        self._told = told
        # Scripts call `python3`; a wrapper, because a link would leave the virtual environment.
        tools.mkdir(parents=True, exist_ok=True)
        wrapper = tools / "python3"
        wrapper.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} "$@"\n', encoding="utf-8")
        wrapper.chmod(0o755)
        self._tools = tools

    def run(self, at: Workplace, job: Job, archive: Path, arguments: Mapping[str, str]) -> None:
        """Run a job's script of the code `archive`, with what lies in its folders.

        Raises ScriptFailed where it ends with an error, TimedOut, EndedEarly.
        """
        code = at.root / contract.CODE
        unpack(archive, code)
        command: list[str | Path] = [code / contract.ENTRY]
        if job.kind == "train":
            config = at.root / contract.HYPERPARAMETERS
            config.parent.mkdir(parents=True, exist_ok=True)
            config.write_text(json.dumps(arguments), encoding="utf-8")
        else:
            command += [part for name, value in arguments.items() for part in (f"--{name}", value)]
        env = {**job.script.env, **job.env, **self._told.get(job.kind, {})}
        self.execute(at, command, env, job.script.timeout_minutes * 60)

    def execute(
        self, at: Workplace, script: Sequence[str | Path], env: Mapping[str, str], seconds: float
    ) -> None:
        """Run a script of ours and its arguments. Raises as `run` does."""
        given, env = env, clean_environment()
        env["PATH"] = f"{self._tools}:{self.python.parent}:{env.get('PATH', '/usr/bin:/bin')}"
        env |= {**self._environment, **given}
        env[contract.ROOT_SETTING] = str(at.root)
        self._processes.run(
            at.name.rsplit("-", 1)[-1],
            [str(self._tools / "python3"), *map(str, script)],
            env=env,
            log=at.log,
            seconds=seconds,
            on_line=at.on_line,
            enough=at.enough,
        )
