"""`mlops-iac doctor`."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mlops_iac import __version__
from mlops_iac.cli._session import Session, verb
from mlops_iac.errors import MlopsError


class Finding(NamedTuple):
    """One check: `ok` False is a problem, None something optional that is absent."""

    name: str
    ok: bool | None
    found: str
    fix: str = ""


EXTRA = ("pulumi", "pulumi-aws", "boto3", "moto")
CORE = ("pydantic", "pyyaml", "click", "rich", "jinja2", "filelock")


@verb("doctor")
def command(session: Session) -> int:
    """Check this machine: Python, packages, the real CLI, the blueprint, the emulated cloud.

    Exit code 1 when something needed is missing.
    """
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
    for package in EXTRA:
        yield _package(package, needed=True, fix="pip install 'mlops-iac[aws]'")
    where = shutil.which("pulumi")
    yield Finding(
        "pulumi CLI",
        True if where else None,
        "on PATH" if where else "not found; only stacks other than local need it",
        "https://www.pulumi.com/docs/install/",
    )
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
    info = project.cloud.status()
    yield Finding(
        "emulated cloud",
        True if info and info.running else None,
        info.message if info else "not running; `up` starts it",
    )


def _package(name: str, *, needed: bool, fix: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False if needed else None, "not installed", fix)
