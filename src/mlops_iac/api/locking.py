"""The packages that CI installs: all of them, each by version and by the digests of its files.

Resolved by uv for every system and Python at once, from wheels alone (what has to be built first runs
code and fetches more), at the one index that is named: which one has `mlops-iac` is whoever locks' to
say. What is installed later is held by its digests, wherever it comes from.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlops_iac import python_child
from mlops_iac.errors import MlopsError, TimedOut, UsageError
from mlops_iac.scaffold.ci_options import checked_index

if TYPE_CHECKING:
    from mlops_iac.api.project import Project

NAME: Final = "requirements.lock"
_OLDEST: Final = "3.11"  # the oldest Python that this package runs on
_SECONDS: Final = 300
_MADE_FROM: Final = re.compile(r"^# Made from sha256:([0-9a-f]{64})", re.MULTILINE)
# Of what a machine says to uv, what is about connections; neither indexes nor packages.
_KEPT: Final = {"UV_CACHE_DIR", "UV_HTTP_TIMEOUT", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_OFFLINE"}


def requirements(project: Project, program: Path) -> list[str]:
    """What has to be installed to check and deploy a project, one requirement each.

    Its compiled program's pins, this package, and the packages its templates come in. Raises
    UsageError where there is no compiled program.
    """
    from mlops_iac.program.project_files import SDK_VERSIONS
    from mlops_iac.program.project_files import requirements as pinned
    from mlops_iac.templates.sources.python import PythonSource

    path = program / "requirements.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"there is no {os.path.relpath(path)}, whose packages would be locked",
            hint="mlops-iac compile",
        ) from None
    if not any(line.startswith("mlops-iac") for line in lines):  # all is ejected; CI runs it still
        names = {line.partition("==")[0] for line in lines}
        clouds = [cloud for cloud, (package, _) in SDK_VERSIONS.items() if package in names]
        lines = pinned(clouds).decode().splitlines()
    owners = importlib.metadata.packages_distributions()
    for template in project.loaded.templates:
        if isinstance(source := template.content.origin, PythonSource):
            found = owners.get(source.module.partition(".")[0], ())
            lines += [f"{name}=={importlib.metadata.version(name)}" for name in found]
    return list(dict.fromkeys(lines))


def of_templates() -> list[str]:
    """What has to be installed to check a template, one requirement each."""
    from mlops_iac.program.project_files import SDK_VERSIONS
    from mlops_iac.program.project_files import requirements as pinned

    return pinned(sorted(SDK_VERSIONS)).decode().splitlines()


def unlocked(path: Path, wanted: Sequence[str]) -> str:
    """Why the lock at `path` does not hold what is wanted; empty where it does."""
    try:
        found = _MADE_FROM.search(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return "is missing"
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot be read: {error}"
    return "" if found and found[1] == _digest(wanted) else "was made from other requirements"


def write_lock(
    path: Path, wanted: Sequence[str], index_url: str, *, upgrade: bool = False
) -> list[str]:
    """Bring the lock at `path` to what is wanted; return the versions that changed, as `a 1 → 2`.

    What it pins already stays as far as it can, unless `upgrade`. Raises UsageError where no index
    is named or what is wanted is not to be had there, MlopsError for what fails otherwise; the
    file is then as it was.
    """
    if not index_url:
        raise UsageError(
            "no index is named, and the name mlops-iac is not ours on every one: anybody can take it"
            " on a public index",
            hint="--index-url with the one index that you trust with it; never two",
        )
    checked_index(index_url)
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    pins = _resolved(wanted, index_url, "" if upgrade else old)
    text = (
        "# Written by `mlops-iac ci lock`: what CI installs. Reviewed like code; a change here is told in\n"
        "# every preview. Only files with these digests are installed, and nothing besides.\n"
        f"# Made from sha256:{_digest(wanted)} of: {', '.join(wanted)}\n{pins}"
    )
    if "://" in pins:
        raise UsageError(
            "a package is asked for by its address, and an address is not what is locked",
            hint="publish it to the index under a version",
        )
    if text == old:
        return []
    temporary = path.with_name(f"{path.name}.mlops-iac~")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {os.path.relpath(path)}: {error.strerror}") from None
    return _changes(_versions(old), _versions(text))


def _resolved(wanted: Sequence[str], index_url: str, old: str) -> str:
    with tempfile.TemporaryDirectory(prefix="mlops-iac-") as name:
        folder = Path(name)
        (folder / "requirements.txt").write_text("\n".join(wanted) + "\n", encoding="utf-8")
        if old:  # uv keeps what its output file pins
            (folder / NAME).write_text(old, encoding="utf-8")
        command = [
            *_uv(), "pip", "compile", "requirements.txt", "--output-file", NAME, "--universal",
            "--python-version", _OLDEST, "--generate-hashes", "--only-binary", ":all:",
            "--default-index", index_url, "--no-config", "--no-header", "--quiet",
            "--annotation-style", "line", "--no-python-downloads",
        ]  # fmt: skip
        environment = {
            key: value
            for key, value in python_child.environment().items()
            if not key.startswith("UV_") or key in _KEPT
        }
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise TimedOut(f"the index did not answer within {_SECONDS} seconds") from None
        except OSError as error:
            raise MlopsError(f"uv cannot be run: {error.strerror}") from None
        if done.returncode:
            said = [line.strip(" ×╰─▶│") for line in done.stderr.splitlines() if line.strip()]
            raise UsageError(
                f"what CI needs cannot be had from {index_url}: {' '.join(said)[:600]}",
                hint="the index has to have every package as a wheel; credentials for it: ~/.netrc",
            )
        return (folder / NAME).read_text(encoding="utf-8")


def _uv() -> list[str]:
    if importlib.util.find_spec("uv") is not None:
        return python_child.command("-m", "uv")
    if found := shutil.which("uv"):
        return [found]
    raise UsageError(
        "the lock is resolved by uv, which is not installed", hint="pip install 'mlops-iac[lock]'"
    )


def _digest(wanted: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(wanted).encode()).hexdigest()


def _versions(text: str) -> dict[str, str]:
    """Package and its versions, several where systems differ."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", text, re.MULTILINE):
        found.setdefault(name, []).append(version)
    return {name: ", ".join(versions) for name, versions in found.items()}


def _changes(old: dict[str, str], new: dict[str, str]) -> list[str]:
    return [
        f"{name} {old.get(name, 'added')} → {new.get(name, 'removed')}"
        if name in old
        else f"{name} {new[name]}, new"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
