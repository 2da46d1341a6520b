"""What a command job starts: gives a step its folders, runs it, hands on what it leaves.

A job of Azure ML finds its inputs and leaves its outputs where the command says; steps have theirs below one
root (`mlops_iac.runtime.contract`). Imports the standard library alone; MLflow where the environment has it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_ARCHIVE = "model.tar.gz"
_HYPERPARAMETERS = "input/config/hyperparameters.json"
_METRICS = ("output/data/metrics.json", "processing/output/report/metrics.json")


def main(arguments: Sequence[str]) -> int:
    """Run the step that the arguments describe. Returns its exit code.

    `--env NAME=VALUE`; `--in FOLDER PATH` delivers a folder below the root, and what is written there stays at
    PATH; `--current PATH` delivers the model in service, whose name stands in `version` there; `--set
    NAME=VALUE FORM` is a hyperparameter: `text`, `integer` (a search gives 3.0), `logarithm` of a number, or
    `integer-logarithm`; `--out FOLDER PATH` copies what was left, `--pack FOLDER PATH` as an archive.
    """
    given = _parser().parse_args(arguments)
    env = dict(os.environ)
    for each in given.env:
        name, _, value = each.partition("=")
        env[name] = value
    root = Path(env.get("MLOPS_IAC_ROOT", "/opt/ml"))
    for folder, path in given.delivered:
        _link(root / folder, Path(path))
    if given.current:
        _link(root / "processing/input/current", Path(given.current))
        env["MLOPS_IAC_CURRENT"] = (Path(given.current) / "version").read_text().strip()
    values = {
        each.partition("=")[0]: _value(each.partition("=")[2], form) for each, form in given.set
    }
    own: list[str] = []
    if env["MLOPS_IAC_STEP"] == "train":
        file = root / _HYPERPARAMETERS
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
        _install()
    else:
        own = [part for name, value in values.items() for part in (f"--{name}", value)]
    step = Path(__file__).with_name("mlops_step.py")
    code = subprocess.call([sys.executable, str(step), *own], env=env)
    if code:
        return code
    for folder, path in given.out:
        shutil.copytree(root / folder, path, dirs_exist_ok=True)
    for folder, path in given.pack:
        Path(path).mkdir(parents=True, exist_ok=True)
        with tarfile.open(Path(path) / _ARCHIVE, "w:gz") as archive:
            archive.add(root / folder, ".")
    _tell(root / each for each in _METRICS)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--in", dest="delivered", nargs=2, action="append", default=[])
    parser.add_argument("--current")
    parser.add_argument("--set", nargs=2, action="append", default=[])
    parser.add_argument("--out", nargs=2, action="append", default=[])
    parser.add_argument("--pack", nargs=2, action="append", default=[])
    return parser


def _link(place: Path, path: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    # A job that was interrupted begins again where it was.
    if place.is_symlink():
        place.unlink()
    place.symlink_to(path.resolve(), target_is_directory=True)


def _value(text: str, form: str) -> str:
    if form == "text":
        return text
    number = float(text)
    if form.endswith("logarithm"):
        number = math.exp(number)
    return str(round(number)) if form.startswith("integer") else repr(number)


def _install() -> None:
    """Requirements of a training; other steps install theirs themselves."""
    requirements = Path(__file__).with_name("requirements.txt")
    if "MLOPS_IAC_ROOT" not in os.environ and requirements.exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "-r", str(requirements)]
        subprocess.run(command, check=True)


def _tell(files: Iterable[Path]) -> None:
    """What was measured, for whoever looks at the run, and for the sweep that it is a trial of."""
    found: dict[str, Any] = {}
    for file in files:
        if file.is_file():
            found |= json.loads(file.read_text(encoding="utf-8"))
    if "MLFLOW_TRACKING_URI" in os.environ and found:
        import mlflow  # type: ignore[import-not-found,unused-ignore]

        mlflow.log_metrics({name: float(value) for name, value in found.items()})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
