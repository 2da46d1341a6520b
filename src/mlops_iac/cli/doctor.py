"""`mlops-iac doctor`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mlops_iac import __version__, python_child
from mlops_iac.api import Project
from mlops_iac.api.deploy.places import session as way_to
from mlops_iac.cli._session import Session, flag, verb
from mlops_iac.clouds.registry import clouds
from mlops_iac.clouds.software import ENGINE, extras
from mlops_iac.errors import MlopsError, UsageError


class Finding(NamedTuple):
    """One check: `ok` False is a problem, None something optional that is absent."""

    name: str
    ok: bool | None
    found: str
    fix: str = ""


CORE = ("pydantic", "pyyaml", "click", "rich", "jinja2", "filelock")


@verb("doctor")
def command(
    session: Session,
    compiling: bool = flag(
        "Compile what commands import, for an image where nothing may be written later.",
        "--compile",
    ),
) -> int:
    """Check this machine: Python, packages, the real CLI, the blueprint, the emulated cloud.

    With -s what its account must have, too, where that is known: asks its cloud with your credentials.

    Exit code 1 when something needed is missing.
    """
    if compiling:
        compile_imports()
    findings = list(examine(session))
    if session.json:
        session.emit_json([finding._asdict() for finding in findings])
    else:
        marks = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "yellow")}
        for finding in findings:
            mark, color = marks[finding.ok]
            session.out(f"{session.style(mark, fg=color)} {finding.name}: {finding.found}")
            if finding.ok is not True and finding.fix:
                session.out(f"    {finding.fix}")
    return 1 if any(finding.ok is False for finding in findings) else 0


def examine(session: Session) -> Iterator[Finding]:
    """Yield a finding per check."""
    version = platform.python_version()
    yield Finding("python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")
    yield Finding("mlops-iac", True, __version__)
    for package in CORE:
        yield _package(package, needed=True, fix="pip install mlops-iac")
    yield _package("pulumi", needed=True, fix=f"pip install {extras()}")
    every = [each.access.software for each in clouds()]
    for software in every:
        for package in software.distributions:
            fix = f"pip install {software.requirement}"
            # Whoever uses one cloud needs no other's.
            yield _package(package, needed=len(every) == 1, fix=fix)
        # A machine that only deploys has no emulated cloud, and needs none.
        for package in software.emulator:
            yield _package(package, needed=False, fix="pip install 'mlops-iac[emulate]'")
    yield _bytecode()
    where = shutil.which("pulumi")
    yield Finding(
        "pulumi CLI",
        True if where else None,
        "on PATH" if where else "not found; only stacks other than local need it",
        "https://www.pulumi.com/docs/install/",
    )
    try:
        yield from _project(session)
    except OSError as error:
        found = f"{error.filename or 'a file'}: {error.strerror}"
        yield Finding("files", False, found, "make room or give access")


def _project(session: Session) -> Iterator[Finding]:
    path = Path(session.file or "blueprint.yaml")
    if not path.exists():
        yield Finding("blueprint", None, f"no {path} here", "mlops-iac init")
        return
    try:
        project = session.project()
    except MlopsError as error:
        yield Finding("blueprint", False, error.message, "mlops-iac validate")
        return
    yield Finding("blueprint", True, f"{project.name}, stacks {', '.join(project.environments)}")
    info = project.emulated_cloud.status()
    yield Finding(
        "emulated cloud",
        True if info and info.running else None,
        info.message if info else "not running; `up` starts it",
    )
    if not session.is_local:
        yield from _account(project, session.stack)


def _account(project: Project, stack: str) -> Iterator[Finding]:
    """What the account of a stack must have, as its cloud tells it."""
    try:
        resolved, platform = project.resolve(stack), project.platform_of(stack)
        for each in platform.conditions(resolved, way_to(project, stack)):
            yield Finding(f"{stack}: {each.name}", each.met, each.found, each.fix)
    except MlopsError as error:
        yield Finding(stack, False, error.message, error.hint)
    except Exception as error:
        if project.access.failure(error) is None:
            raise
        yield Finding(stack, False, f"its account was not asked: {error}", "may you ask it?")


def _package(name: str, *, needed: bool, fix: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False if needed else None, "not installed", fix)


def _bytecode() -> Finding:
    """Whether what is imported was compiled: where not, a preview takes seconds instead of one."""
    slow = [name for each in clouds() for name in each.access.software.compiled]
    left = [
        name  # the rest is compiled with these or not
        for name in (*ENGINE, *slow)
        if (source := _source(name)) is not None
        and not Path(importlib.util.cache_from_source(source)).exists()
    ]
    found = f"not kept of {', '.join(left)}: each command may compile them anew" if left else "kept"
    return Finding("bytecode", None if left else True, found, "mlops-iac doctor --compile")


def _source(name: str) -> str | None:
    package, _, module = name.rpartition(".")
    parent = package.partition(".")[0]
    spec = importlib.util.find_spec(parent)  # of the parent alone: that imports nothing
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent.joinpath(*package.split(".")[1:], f"{module}.py")
    return str(file) if file.exists() else None


def compile_imports() -> None:
    """Let Python keep the bytecode of what commands import, by running them once.

    Raises UsageError where it cannot be written.
    """
    _require_room()
    environment = {**python_child.environment(), "PYTHONDONTWRITEBYTECODE": ""}
    with tempfile.TemporaryDirectory(prefix="mlops-iac-") as folder:
        for words in (
            ("init", folder, "--defaults"),
            ("-C", folder, "compile"),
            ("-C", folder, "preview"),
            ("-C", folder, "local", "start"),
            ("-C", folder, "local", "stop"),
        ):
            subprocess.run(
                python_child.command("-m", "mlops_iac", *words),
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
    if _bytecode().ok is None:
        raise _no_room()


def _require_room() -> None:
    """Raise UsageError where none can be kept, before commands are run for it in vain."""
    for source in filter(None, map(_source, ENGINE)):
        folder = Path(importlib.util.cache_from_source(source)).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _no_room() from error
        if not os.access(folder, os.W_OK):
            raise _no_room()


def _no_room() -> UsageError:
    return UsageError(
        f"{sysconfig.get_path('purelib')} has no bytecode and takes none",
        hint="run it as the user who installed the packages",
    )
