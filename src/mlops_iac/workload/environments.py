"""Virtual environments of workloads: one for each set of requirements, shared by all projects.

    CACHE/environments/DIGEST/made      the name of the folder that is whole
    CACHE/environments/DIGEST/NAME/     a virtual environment

One that was left half made is never taken up again, because a pip whose parent was killed may still
write into it; whoever makes the next one drops it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from mlops_iac import python_child
from mlops_iac.caches import cache_folder
from mlops_iac.errors import MlopsError, ResourceFailed, UsageError
from mlops_iac.workfolder import write_durably
from mlops_iac.workload.processes import Processes, clean_environment

if TYPE_CHECKING:
    from filelock import BaseFileLock

OVERRIDE = "MLOPS_IAC_WORKLOAD_PYTHON"
_MADE = "made"
# Of pip and of uv, which says nothing until it has all.
_TOLD = ("Collecting ", "Installing ", "Resolved ", "Prepared ", "Installed ", " + ")
_MINUTES = 30
# What says from where packages come, in variables and files of pip and of uv.
_PLACES = re.compile(r"index|find.links|config.file", re.IGNORECASE)
_FILES = {
    "PIP_": ("~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf", "/etc/xdg/pip/pip.conf"),
    "UV_": ("~/.config/uv/uv.toml", "/etc/uv/uv.toml"),
}


def requirements(text: str, *brought: str) -> str:
    """`text` of a requirements.txt, with what the image brings added where it is not named.

    Each of that is a requirement (`scikit-learn==1.9.*`), or empty where nothing is known of it.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    named = {_package(line) for line in lines}
    lines += [each for each in brought if each and _package(each) not in named]
    return "\n".join(lines) + "\n"


def _package(line: str) -> str:
    return re.split(r"[\s<>=!~;\[]", line.strip(), maxsplit=1)[0].lower()


def workload_python(wanted: str, processes: Processes, on_line: Callable[[str], None]) -> Path:
    """An interpreter that has `wanted` (the text of a requirements file).

    The environment variable MLOPS_IAC_WORKLOAD_PYTHON names one to use as it is. Otherwise a
    virtual environment in the user's cache is made, by uv where that is installed, or reused.
    Raises ResourceFailed where packages cannot be installed, with the end of what was said, or
    where the cache cannot be written; UsageError for a bad override.
    """
    if override := os.environ.get(OVERRIDE):
        return existing(Path(override), OVERRIDE)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = sha256(f"{version}\n{wanted}".encode()).hexdigest()[:16]
    folder = cache_folder() / "environments" / digest
    from filelock import FileLock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _held(FileLock(folder / "lock"), on_line):
            if (python := _made(folder)) and _starts(python, processes, folder):
                return python
            return _make(folder, wanted, processes, on_line)
    except OSError as error:
        raise ResourceFailed(
            f"cannot keep the workload's environment in {folder}: {error.strerror}",
            hint="name another folder in MLOPS_IAC_CACHE",
        ) from error


def _held(lock: BaseFileLock, on_line: Callable[[str], None]) -> AbstractContextManager[object]:
    from filelock import Timeout

    try:
        return lock.acquire(timeout=1)
    except Timeout:
        on_line("another run is making it; this one waits")
        return lock.acquire()


def existing(python: Path, origin: str) -> Path:
    """`python` where it can be run. Raises UsageError naming where it was given."""
    if not python.is_file() or not os.access(python, os.X_OK):
        raise UsageError(f"{origin} is {str(python)!r}, which is no program", hint="unset it")
    return python


def _made(folder: Path) -> Path | None:
    with suppress(OSError):
        name = (folder / _MADE).read_text(encoding="utf-8")
        python = folder / Path(name).name / "bin" / "python"
        return python if python.exists() else None
    return None


def _starts(python: Path, processes: Processes, folder: Path) -> bool:
    """Whether the interpreter still runs: the Python it was made from may be gone."""
    try:
        processes.run(
            "python",
            [str(python), "-P", "-c", ""],
            env=clean_environment(),
            log=folder / "log.txt",
            seconds=60,
            on_line=lambda _: None,
        )
    except MlopsError:
        return False
    return True


def _make(folder: Path, wanted: str, processes: Processes, on_line: Callable[[str], None]) -> Path:
    (folder / _MADE).unlink(missing_ok=True)
    for left in folder.iterdir():
        shutil.rmtree(left, ignore_errors=True)
    log, file = folder / "log.txt", folder / "requirements.txt"
    log.unlink(missing_ok=True)
    file.write_text(wanted, encoding="utf-8")
    made = folder / uuid4().hex[:8]

    def tell(line: str) -> None:
        # Everything is in the log; of these lines there is one per package.
        if line.startswith(_TOLD):
            on_line(line.split(" (from")[0].strip())

    try:
        for what, command in _commands(made, file):
            processes.run(
                what,
                command,
                # Settings of their own may hold credentials of an index: for them alone.
                env=clean_environment("PIP_", "UV_"),
                log=log,
                seconds=_MINUTES * 60,
                on_line=tell,
            )
    except ResourceFailed as error:
        raise ResourceFailed(
            error.message, hint=f"whole log: {log}; or set {OVERRIDE} to a Python that has them"
        ) from error
    write_durably(folder / _MADE, made.name.encode())
    return made / "bin" / "python"


def _commands(made: Path, file: Path) -> Iterator[tuple[str, list[str]]]:
    python, uv = str(made / "bin" / "python"), shutil.which("uv")
    # uv reads nothing of pip's: where that alone is told of a private index, uv would look for its
    # packages on the public one.
    if uv and (_placed("UV_") or not _placed("PIP_")):
        make = [uv, "venv", "--no-project", "--python", sys.executable, str(made)]
        install = [uv, "pip", "install", "--no-progress", "--python", python]
    else:
        make = python_child.command("-m", "venv", str(made))
        install = [python, "-P", "-m", "pip", "install", "--disable-pip-version-check"]
        # Bytecode is written when a module is first imported: most never are.
        install += ["--no-compile", "--progress-bar", "off"]
    yield "making the workload's virtual environment", make
    yield "installing the workload's requirements.txt", [*install, "-r", str(file)]


def _placed(prefix: str) -> bool:
    """Whether this user says where pip, or uv, gets packages from."""
    if any(name.startswith(prefix) and _PLACES.search(name) for name in os.environ):
        return True
    with suppress(RuntimeError):  # there is no home
        for each in _FILES[prefix]:
            with suppress(OSError, ValueError):
                if _PLACES.search(Path(each).expanduser().read_text(encoding="utf-8")):
                    return True
    return False
