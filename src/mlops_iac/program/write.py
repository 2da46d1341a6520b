"""A program in memory → a folder: only what changed, all of it or nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.graph.lock import LOCK_SUFFIX, same_lock
from mlops_iac.graph.redact import redact_at
from mlops_iac.program import ejected, manifest, stackfile
from mlops_iac.program.build import Program
from mlops_iac.program.manifest import Manifest, read_manifest

_MARK = b"Written by mlops-iac"


@dataclass(frozen=True, slots=True)
class _Change:
    """What one file must become; `content` None removes it."""

    path: str
    content: bytes | None
    reason: str


def write(program: Program, out: Path, *, extra: Mapping[str, bytes] | None = None) -> list[Path]:
    """Bring the folder to the program and return the paths that changed, sorted.

    `extra` are further files of ours, by relative path: the stacks' lock files.
    Files of ours that are no longer needed are removed, unless somebody edited them; files of
    others stay. Raises UsageError where the folder cannot be written or holds somebody else's file
    under a name we need, MlopsError for a full disk; then nothing was changed.
    """
    program = _with(program, extra)
    changes = [*_changes(program, out), *_manifest_change(program, out)]
    if not changes:
        return []
    staged: list[tuple[Path, Path]] = []
    folders: list[Path] = []
    try:
        for change in changes:
            if change.content is not None:
                target = out / change.path
                _make_folder(target.parent, folders)
                staged.append((_stage(target, change.content), target))
        for change in changes:
            if change.content is None:
                (out / change.path).unlink(missing_ok=True)
                _drop_empty_folders((out / change.path).parent, out)
        # The manifest first: what is named in it is ours and is written again after a kill -9; a
        # file that came before its entry would be taken for somebody else's.
        for temporary, target in sorted(staged, key=lambda pair: pair[1].name != manifest.NAME):
            temporary.replace(target)
    except OSError as error:
        _clean_up(staged, folders)
        _explain(error, out)
    except BaseException:
        _clean_up(staged, folders)
        raise
    return sorted(out / change.path for change in changes if change.path != manifest.NAME)


def stale(program: Program, out: Path, *, extra: Mapping[str, bytes] | None = None) -> list[str]:
    """Why the folder is not what the blueprint gives, one sentence each; empty when it is."""
    known = read_manifest(out)
    if extra is None:
        # Whoever asks about the program alone does not ask whether a lock file is left over.
        extra = {p: _bytes(out / p) or b"" for p in known.files if p.endswith(LOCK_SUFFIX)}
    changes = _changes(_with(program, extra), out, check=True)
    return [*(change.reason for change in changes), *_strangers(program, out)]


def _strangers(program: Program, out: Path) -> list[str]:
    """Modules that nobody reviewed as part of the program, and that Python would import first."""
    ours = {path.split("/")[0] for path in program.files}
    beside = ejected.strangers(out, program.ejected.copies) if program.ejected.copies else []
    return beside + [
        f"{entry.name} is none of its files, and Python would import it from there: remove it"
        for entry in sorted(out.iterdir() if out.is_dir() else ())
        if entry.name not in ours
        and (
            entry.suffix in (".py", ".pyc", ".so", ".pth")
            or any((entry / f"__init__{suffix}").exists() for suffix in (".py", ".pyc", ".so"))
        )
    ]


def read_config(out: Path, environment: str) -> dict[str, object]:
    """What stands in `Pulumi.<environment>.yaml`, of ours and of others; see `stackfile.read`."""
    path = out / stackfile.name(environment)
    text = _text(path)
    return {} if text is None else stackfile.read(text, path.name)


def _changes(program: Program, out: Path, *, check: bool = False) -> list[_Change]:
    known = read_manifest(out)
    ours = _ours(out, known)
    changes: list[_Change] = []
    for path, content in program.files.items():
        existing = _bytes(out / path)
        if existing is None:
            changes.append(_Change(path, content, f"{path} is missing"))
        elif existing != content and not _means_same(program, known, path, existing):
            if not check and path not in {*known.files, *known.ejected} and not ours:
                raise UsageError(
                    f"{out / path} exists and was not written by mlops-iac",
                    hint="move it away, or name another folder with --out",
                )
            changes.append(_Change(path, content, f"{path} is not what the blueprint gives"))
    copies = {path: copy.sha256 for path, copy in known.ejected.items()}
    for path, digest in {**known.files, **copies}.items():
        if path in program.files:
            continue
        existing = _bytes(out / path)
        if existing is not None and sha256(existing).hexdigest() == digest:
            changes.append(_Change(path, None, f"{path} is left over"))
    for environment in sorted({*program.config, *known.config}):
        changes += _stack_changes(program, known, out, environment)
    return changes


def _stack_changes(program: Program, known: Manifest, out: Path, environment: str) -> list[_Change]:
    file = stackfile.name(environment)
    ours = program.config.get(environment, {})
    text = _text(out / file)
    if text is None:
        if not ours:
            return []
        return [_Change(file, stackfile.fresh(ours).encode(), f"{file} is missing")]
    existing = stackfile.read(text, file)
    changes = stackfile.differences(
        existing,
        ours,
        project=program.project,
        optional=program.optional if environment in program.config else (),
        written_before=known.config.get(environment, ()),
    )
    if not changes:
        return []
    # An environment that is gone takes its file with it, when nobody else put anything there.
    foreign = set(existing) - set(changes)
    if environment not in program.config and not foreign and _only_config(text):
        return [_Change(file, None, f"{file} is left over")]
    told = [_told(key, existing.get(key), ours.get(key)) for key in sorted(changes)]
    shown = "; ".join(told[:3]) + (f"; and {len(told) - 3} more" if len(told) > 3 else "")
    return [_Change(file, stackfile.edited(text, changes).encode(), f"{file}: {shown}")]


def _told(key: str, existing: object, ours: object) -> str:
    """One difference in words. Values by their keys' names may be secrets."""
    before, after = (redact_at(key, value) for value in (existing, ours))
    if existing is None:
        return f"{key} is missing"
    if ours is None:
        return f"{key} is left over"
    return f"{key} is {before}, must be {stackfile.scalar(after)}"


def _only_config(text: str) -> bool:
    import yaml

    document = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - makes nothing but text
    return isinstance(document, dict) and set(document) <= {"config"}


def _manifest_change(program: Program, out: Path) -> list[_Change]:
    files: dict[str, str] = {}
    known = read_manifest(out)
    for path, content in program.files.items():
        if path in program.ejected.copies:
            continue
        existing = _bytes(out / path)
        kept = existing is not None and _means_same(program, known, path, existing)
        kept_content = existing if kept and existing is not None else content
        files[path] = sha256(kept_content).hexdigest()
    config = {environment: sorted(keys) for environment, keys in program.config.items() if keys}
    content = Manifest(
        files, program.made_from, config, program.backends, program.ejected.copies
    ).to_bytes()
    if _bytes(out / manifest.NAME) == content:
        return []
    return [_Change(manifest.NAME, content, "")]


def _with(program: Program, extra: Mapping[str, bytes] | None) -> Program:
    return replace(program, files={**program.files, **extra}) if extra else program


def _means_same(program: Program, known: Manifest, path: str, existing: bytes) -> bool:
    """Whether a file says the same in other bytes.

    Archives are compared by what was packed, because versions of zlib compress differently; lock
    files without the versions they name, which differ between two machines of a team.
    """
    if path.endswith(LOCK_SUFFIX):
        return same_lock(existing, program.files[path])
    made_from = program.made_from.get(path)
    return (
        made_from is not None
        and known.made_from.get(path) == made_from
        and sha256(existing).hexdigest() == known.files.get(path)
    )


def _ours(out: Path, known: Manifest) -> bool:
    """Whether the folder is ours although its manifest is lost."""
    if known.files:
        return False
    program = _bytes(out / "__main__.py")
    return program is not None and _MARK in program[:2000]


def _stage(target: Path, content: bytes) -> Path:
    """Write beside the target, durably, so that a rename completes it."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    # A fixed name: what a kill -9 leaves behind is removed by the next run, and so is a link.
    temporary = target.with_name(f".{target.name}.mlops-iac~")
    temporary.unlink(missing_ok=True)
    try:
        with temporary.open("xb") as file:
            file.write(content)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _clean_up(staged: Sequence[tuple[Path, Path]], folders: Sequence[Path]) -> None:
    for temporary, _ in staged:
        temporary.unlink(missing_ok=True)
    for folder in reversed(folders):
        _drop_empty_folders(folder, folder.parent)


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing: list[Path] = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir()
        made.append(path)


def _drop_empty_folders(folder: Path, stop: Path) -> None:
    while folder != stop and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _explain(error: OSError, out: Path) -> NoReturn:
    where = error.filename or out
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise MlopsError(
            f"the disk is full: {out} was not written", hint="make room and try again"
        ) from None
    raise UsageError(
        f"the program cannot be written to {out}: {error.strerror} ({where})",
        hint="make the folder writable, or name another one with --out",
    ) from None


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder where a file must be") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def _text(path: Path) -> str | None:
    content = _bytes(path)
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text") from None
