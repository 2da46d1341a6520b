"""The real command in a subprocess, on projects in folders of their own."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli import warm

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "schedule-adherence"
_SECONDS = 180


@dataclass(frozen=True)
class Answer:
    """What a command said. Data stands on stdout, words on stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Cli:
    """Runs `mlops-iac` in a folder."""

    folder: Path
    environment: dict[str, str]
    warm: bool = True
    """Whether the process is forked from one that has imported the SDKs."""

    def __call__(self, *arguments: str, expect: int | None = 0, **extra: str) -> Answer:
        variables = {**self.environment, **extra}
        if self.warm and warm.fits(variables):
            answer = Answer(*warm.run(arguments, self.folder, variables, _SECONDS))
        else:
            process = self.start(*arguments, **extra)
            out, err = process.communicate(timeout=_SECONDS)
            answer = Answer(process.returncode, out, err)
        assert "Traceback" not in answer.err, answer.err
        if expect is not None:
            told = f"{arguments}: exit {answer.code}\n{answer.out}\n{answer.err}"
            assert answer.code == expect, told
        return answer

    def start(
        self, *arguments: str, stderr: int = subprocess.PIPE, **extra: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "mlops_iac", *arguments],
            cwd=self.folder,
            env={**self.environment, **extra},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
        )

    def start_stepwise(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """The command gets no further than what it says on stderr is read.

        Its pipe holds one write (Linux, pipe(7): O_DIRECT and a capacity of one page), so that it
        waits in the middle however late the test comes to look. Elsewhere it runs ahead.
        """
        if not hasattr(fcntl, "F_SETPIPE_SZ"):
            return self.start(*arguments, **extra)
        reading, writing = os.pipe2(os.O_DIRECT)
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, os.sysconf("SC_PAGE_SIZE"))
        try:
            process = self.start(*arguments, stderr=writing, **extra)
        finally:
            os.close(writing)
        process.stderr = os.fdopen(reading, encoding="utf-8")
        return process


def environment() -> dict[str, str]:
    """The environment of a user without a cloud account, whose colours are off."""
    ours = ("MLOPS_IAC_CACHE", "PULUMI_PYTHON_CMD")  # set by `tests/conftest.py`
    kept = {
        key: value
        for key, value in os.environ.items()
        if key in ours or not (key == "CI" or key.startswith(("AWS_", "PULUMI_", "MLOPS_IAC_")))
    }
    return {**kept, "NO_COLOR": "1", "MLOPS_IAC_WORKLOAD_PYTHON": sys.executable}


def copy_example(target: Path) -> Path:
    """The example's sources, without what was compiled or deployed from them."""
    ignore = shutil.ignore_patterns(".mlops-iac", "stacks", "__pycache__")
    return Path(shutil.copytree(EXAMPLE, target, ignore=ignore))


# Keeps the contract of the workload's scripts in a tenth of a second instead of ten.
_LEARNS_NOTHING = """\
import json, sys
from pathlib import Path

given = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
if "--out" in given:
    for part in ("train", "test"):
        Path(given["--out"], f"{part}.csv").write_text("x,schedule_adherence\\n1,0\\n")
else:
    assert Path(given["--data"], "train.csv").read_text()
    Path(given["--metrics"]).write_text(json.dumps({"accuracy": 0.8}))
    Path(given["--model"], "model.joblib").touch()
"""
_PREDICTS_NOTHING = "def load(folder): ...\ndef predict(model, rows): return [1] * len(rows)\n"


def teach_nothing(project: Path) -> Path:
    """Let the copied example's steps run without training, where that is not what is tested."""
    (project / "workload" / "predict.py").write_text(_PREDICTS_NOTHING, encoding="utf-8")
    for name in ("prepare", "train", "evaluate"):
        path = project / "workload" / f"{name}.py"
        assert path.exists()
        path.write_text(_LEARNS_NOTHING, encoding="utf-8")
    return project
