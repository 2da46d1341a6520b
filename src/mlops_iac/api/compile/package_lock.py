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
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlops_iac import python_child
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds import registry
from mlops_iac.errors import MlopsError, TimedOut, UsageError
from mlops_iac.scaffold.ci_options import checked_index

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject

NAME: Final = "requirements.lock"
_OLDEST: Final = "3.11"  # the oldest Python that this package runs on
_SECONDS: Final = 300
_PIN: Final = re.compile(
    r"^(?P<line>(?P<name>[A-Za-z0-9][\w.-]*)(\[[^]]*])?==(?P<version>[^\s;\\]+)[^#\\\n]*)(?P<files>(?:.*\\\n)*.*)",
    re.MULTILINE,
)
_MADE_FROM: Final = re.compile(r"^# Made from sha256:([0-9a-f]{64})", re.MULTILINE)
# Of what a machine says to uv, what is about connections; neither indexes nor packages.
_KEPT: Final = {"UV_CACHE_DIR", "UV_HTTP_TIMEOUT", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_OFFLINE"}


def requirements(project: BaseProject, program: Path) -> list[str]:
    """What has to be installed to check and deploy a project, one requirement each.

    Its compiled program's pins, this package, and the packages its templates come in. Raises
    UsageError where there is no compiled program.
    """
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
        clouds = [each.name for each in registry.clouds() if names & each.sdks.keys()]
        lines = pinned(clouds).decode().splitlines()
    owners = importlib.metadata.packages_distributions()
    for template in project.loaded.templates:
        if isinstance(source := template.content.origin, PythonSource):
            found = owners.get(source.module.partition(".")[0], ())
            lines += [f"{name}=={importlib.metadata.version(name)}" for name in found]
    return list(dict.fromkeys(lines))


def of_templates() -> list[str]:
    """What has to be installed to check a template, one requirement each."""
    from mlops_iac.program.project_files import requirements as pinned

    return pinned([each.name for each in registry.clouds()]).decode().splitlines()


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
    """Bring the lock at `path` to what is wanted; return what changed, as `a 1 → 2`, or nothing.

    Versions that it pins already stay as far as they can, unless `upgrade`; digests are always those
    of the index. Raises UsageError where no index is named, what is wanted is not to be had there,
    or, unless `upgrade`, a version has other files there; MlopsError for what fails otherwise. The
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
    before, after = _files(old), _files(text)
    others = [
        f"{name} {version}: other files ({_short(was - now)} → {_short(now - was)})"
        for (name, version), was in sorted(before.items())
        if (now := after.get((name, version), was)) != was
    ]
    if others and not upgrade:
        raise UsageError(
            f"{index_url} has other files than are locked, under the same versions; nothing was written:"
            f" {'; '.join(others)}",
            hint="name the index that the lock was made at; where its publisher says why they differ:"
            " `mlops-iac ci lock --upgrade`",
        )
    temporary = path.with_name(f"{path.name}.mlops-iac~")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {os.path.relpath(path)}: {error.strerror}") from None
    changes = [*_changes(_versions(before), _versions(after)), *others]
    return changes or ["the same packages and files; what asks for them changed, or where"]


def _resolved(wanted: Sequence[str], index_url: str, old: str) -> str:
    with tempfile.TemporaryDirectory(prefix="mlops-iac-") as name:
        folder = Path(name)
        (folder / "requirements.txt").write_text("\n".join(wanted) + "\n", encoding="utf-8")
        # uv keeps the versions that its output file pins, and would keep digests that stand there.
        pins = "".join(f"{pin['line'].rstrip()}\n" for pin in _PIN.finditer(old))
        (folder / NAME).write_text(pins, encoding="utf-8")
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


def _files(text: str) -> dict[tuple[str, str], set[str]]:
    """The digests of the files of each package and version that a lock has."""
    found: dict[tuple[str, str], set[str]] = {}
    for pin in _PIN.finditer(text):
        digests = re.findall(r"--hash=(\w+:[0-9a-f]+)", pin["files"])
        found.setdefault((pin["name"], pin["version"]), set()).update(digests)
    return found


def _short(digests: Iterable[str]) -> str:
    return listed([f"{each[:19]}…" for each in sorted(digests)], most=2) or "none"


def _versions(pins: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Package and its versions, several where systems differ."""
    found: dict[str, list[str]] = {}
    for name, version in pins:
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
