"""The workload's own virtual environment, made once per set of requirements."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from mlops_iac import python_child
from mlops_iac.errors import MlopsError, ResourceFailed, UsageError
from mlops_iac.pipeline.processes import Processes, clean_environment

OVERRIDE = "MLOPS_IAC_WORKLOAD_PYTHON"
_COMPLETE = ".complete"
_MINUTES = 30


def requirements(text: str, framework: str) -> str:
    """`text` of a requirements.txt, with what the image brings added where it is not named.

    `framework` is a requirement (`scikit-learn==1.9.*`), or empty where nothing is known of it.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    named = {re.split(r"[\s<>=!~;\[]", line.strip(), maxsplit=1)[0].lower() for line in lines}
    if framework and framework.partition("=")[0] not in named:
        lines.append(framework)
    return "\n".join(lines) + "\n"


def workload_python(
    wanted: str, work: Path, processes: Processes, on_line: Callable[[str], None]
) -> Path:
    """An interpreter that has `wanted` (the text of a requirements file).

    The environment variable MLOPS_IAC_WORKLOAD_PYTHON names one to use as it is. Otherwise a
    virtual environment under `work` is made, or reused; one that was left half made is made anew.
    Raises ResourceFailed where pip fails, with the end of its output; UsageError for a bad override.
    """
    if override := os.environ.get(OVERRIDE):
        return existing(Path(override), OVERRIDE)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = sha256(f"{version}\n{wanted}".encode()).hexdigest()[:16]
    folder = work / "venvs" / digest
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    from filelock import FileLock

    with FileLock(folder.with_suffix(".lock")):
        if (folder / _COMPLETE).exists() and _starts(python, processes, folder):
            return python
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder, python, wanted, processes, on_line)
    return python


def existing(python: Path, origin: str) -> Path:
    """`python` where it can be run. Raises UsageError naming where it was given."""
    if not python.is_file() or not os.access(python, os.X_OK):
        raise UsageError(f"{origin} is {str(python)!r}, which is no program", hint="unset it")
    return python


def _starts(python: Path, processes: Processes, folder: Path) -> bool:
    """Whether the interpreter still runs: the Python it was made from may be gone."""
    if not python.exists():
        return False
    try:
        processes.run(
            "python",
            [str(python), "-P", "-c", ""],
            env=clean_environment(),
            log=folder.with_suffix(".log"),
            seconds=60,
            on_line=lambda _: None,
        )
    except (MlopsError, OSError):
        return False
    return True


def _make(
    folder: Path,
    python: Path,
    wanted: str,
    processes: Processes,
    on_line: Callable[[str], None],
) -> None:
    log = folder.with_suffix(".log")
    log.unlink(missing_ok=True)
    file = folder / "requirements.txt"
    pip = [str(python), "-P", "-m", "pip", "install", "--disable-pip-version-check"]
    # Bytecode is written when a module is first imported: most never are.
    pip += ["--no-compile", "--progress-bar", "off", "-r", str(file)]

    def tell(line: str) -> None:
        # Everything is in the log; of these lines there is one per package.
        if line.startswith(("Collecting ", "Installing ")):
            on_line(line.split(" (from")[0])

    try:
        for what, command in (
            (
                "making the workload's virtual environment",
                python_child.command("-m", "venv", str(folder)),
            ),
            ("installing the workload's requirements.txt", pip),
        ):
            processes.run(
                what,
                command,
                # pip's own settings may hold credentials of an index: for pip alone.
                env=clean_environment("PIP_"),
                log=log,
                seconds=_MINUTES * 60,
                on_line=tell,
            )
            file.write_text(wanted, encoding="utf-8")
    except ResourceFailed as error:
        raise ResourceFailed(
            error.message, hint=f"whole log: {log}; or set {OVERRIDE} to a Python that has them"
        ) from error
    (folder / _COMPLETE).touch()
