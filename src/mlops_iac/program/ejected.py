"""Components that lie beside the program as copies of their source, for their user to change.

A copy is the original byte for byte: components import nothing but pulumi, the provider's SDK, the
standard library and each other. Which files are copies stands in the program's manifest, with what
they were when they were made. What they say since is their user's.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

from mlops_iac.clouds import registry
from mlops_iac.errors import UsageError
from mlops_iac.program.manifest import NAME, Copy, read_manifest
from mlops_iac.program.project_files import own_version

FOLDER: Final = "components"
RUN: Final = "MLOPS_IAC_RUN_EJECTED"
"""The user's word, and never the project's, that copies may run that are no originals of ours."""
SETTINGS: Final = "mlops_iac.program.settings"
_IMPORTED = re.compile(rb"^from components\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ejected:
    """Copies by their path from the program's folder: where they come from, and what they say."""

    copies: Mapping[str, Copy] = field(default_factory=dict)
    contents: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def modules(self) -> dict[str, str]:
        """Module of the package → module beside the program."""
        return {copy.module: _beside(path) for path, copy in self.copies.items()}

    @property
    def told(self) -> str:
        """A sentence for the program's header; nothing where nothing is ejected."""
        by_version: dict[str, list[str]] = {}
        for path, copy in sorted(self.copies.items()):
            if not path.endswith("/__init__.py"):
                name = _beside(path).rpartition(".")[2]
                by_version.setdefault(copy.version, []).append(
                    f"{name} (sha256:{copy.sha256[:12]})"
                )
        return " ".join(
            f"Ejected from mlops-iac {version} into {FOLDER}/, and left alone: {', '.join(names)}."
            for version, names in by_version.items()
        )

    def moved_on(self) -> list[str]:
        """Sentences about copies whose originals are others by now; nothing where none is."""
        by_version: dict[str, list[str]] = {}
        for path, copy in sorted(self.copies.items()):
            if _digest(original(copy.module)) != copy.sha256:
                by_version.setdefault(copy.version, []).append(path)
        return [
            f"ejected from mlops-iac {version}, and mlops-iac {own_version()} has others:"
            f" {', '.join(paths)}; the program keeps these"
            for version, paths in by_version.items()
        ]


def read_ejected(out: Path) -> Ejected:
    """What is ejected into a program's folder.

    Raises UsageError where a copy is missing or cannot be read, where one is no original of this
    version and its user has not said that it may run, and where the program imports copies that
    nobody knows of any more.
    """
    copies = read_manifest(out).ejected
    if not copies:
        if _IMPORTED.search(_read(out / "__main__.py") or b""):
            raise UsageError(
                f"{out / '__main__.py'} imports ejected components, and {NAME} does not say which;"
                " nothing was done",
                hint=f"restore {NAME} from git; or run `mlops-iac eject --undo`",
            )
        return Ejected()
    contents = {path: _read(out / path) for path in copies}
    for path, content in contents.items():
        if content is None:
            raise UsageError(
                f"{out / path} was ejected and is missing; nothing was done",
                hint="restore it from git; to have the original again,"
                f" `mlops-iac eject {_beside(path).rpartition('.')[2]}`; to have none, `mlops-iac eject --undo`",
            )
    edited = sorted(path for path in copies if contents[path] != original(copies[path].module))
    if edited and os.environ.get(RUN) != "1":
        raise UsageError(
            f"{', '.join(str(out / path) for path in edited[:3])}"
            f"{f' and {len(edited) - 3} more' if len(edited) > 3 else ''} are not what mlops-iac"
            f" {own_version()} has: they are code of this checkout, and were not run",
            hint=f"read them; `export {RUN}=1` says that this checkout's components may run",
        )
    return Ejected(copies, {path: content for path, content in contents.items() if content})


def eject(out: Path, modules: Iterable[str]) -> Ejected:
    """What is ejected when these modules are, too, and what they import; nothing is written.

    Files that are there stay. Raises UsageError where one is somebody else's, and where one is a
    copy of what its original is no longer: the others would not fit it.
    """
    known = read_manifest(out).ejected
    copies: dict[str, Copy] = {}
    contents: dict[str, bytes] = {}
    modules = set(modules)
    wanted = {copy.module for copy in known.values()} | modules | {SETTINGS}
    packages = {module.rpartition(".")[0] for module in modules if registry.owner(module)}
    wanted |= {f"{package}.__init__" for package in packages}
    for module in sorted(_with_siblings(wanted)):
        path = f"{FOLDER}/{module.rpartition('.')[2]}.py"
        source, existing = original(module), _read(out / path)
        recorded = known.get(path)
        if existing is not None and recorded is None and existing != source:
            raise UsageError(
                f"{out / path} is in the way: it is no copy of {module}; nothing was done",
                hint="move it away",
            )
        if existing is not None and recorded is not None and recorded.sha256 != _digest(source):
            raise UsageError(
                f"{out / path} is a copy from mlops-iac {recorded.version}, and mlops-iac"
                f" {own_version()} has another one: they cannot be mixed; nothing was done",
                hint="what is there is never overwritten: delete it first (git keeps your changes),"
                f" or install mlops-iac {recorded.version}",
            )
        if source is None:
            raise UsageError(
                f"mlops-iac {own_version()} has no {module}, of which {path} was a copy",
                hint="run `mlops-iac eject --undo`",
            )
        kept = recorded if existing is not None else None
        copies[path] = kept or Copy(module, own_version(), _digest(source))
        contents[path] = source if existing is None else existing
    return Ejected(copies, contents)


def require_untouched(out: Path) -> None:
    """Raise UsageError where a copy says something else than when it was made."""
    for path, copy in read_manifest(out).ejected.items():
        existing = _read(out / path)
        if existing is not None and _digest(existing) != copy.sha256:
            raise UsageError(
                f"{out / path} was changed by hand; nothing was done",
                hint="delete it, or move it away (git keeps your changes), and run this again",
            )


@cache
def original(module: str) -> bytes | None:
    """The source of a module of this package or of a cloud's; None where there is no such module."""
    if not _is_ours(module):
        return None
    package, *parts = module.split(".")
    try:
        return files(package).joinpath(*parts[:-1], f"{parts[-1]}.py").read_bytes()
    except OSError:
        return None


def imported(program: bytes, ejected: Ejected) -> dict[str, list[str]]:
    """What a program imports of ours: module of the package → names."""
    back = {beside: module for module, beside in ejected.modules.items()}
    return {
        back.get(node.module, node.module): [alias.name for alias in node.names]
        for node in ast.parse(program).body
        if isinstance(node, ast.ImportFrom) and node.module
        if _is_ours(node.module) or node.module in back
    }


def _is_ours(module: str) -> bool:
    return module.startswith("mlops_iac.") or bool(registry.owner(module))


def strangers(out: Path, known: Collection[str]) -> list[str]:
    """Why there is more in the folder of the copies than copies, one sentence each."""
    found = []
    for entry in sorted((out / FOLDER).rglob("*")):
        path = entry.relative_to(out).as_posix()
        if "__pycache__" in path:
            # One that is told never to look at its source runs in the place of what was reviewed.
            if entry.suffix != ".pyc" or (_read(entry) or b"")[4:5] != b"\x01":
                continue
        elif path in known:
            continue
        found.append(f"{path} is none of its files, and Python would import it: remove it")
    return found


def _with_siblings(modules: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            room = module.rpartition(".")[0]
            waiting += [
                f"{room}.{node.module}"
                for node in ast.walk(ast.parse(original(module) or b""))
                if isinstance(node, ast.ImportFrom) and node.level == 1
            ]
    return found


def _beside(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def _digest(content: bytes | None) -> str:
    return "" if content is None else sha256(content).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
