"""Code packed for upload: the same files give the same bytes, on any machine and day."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from mlops_iac.blueprint.folders import files_of
from mlops_iac.blueprint.leaving import Leaving
from mlops_iac.errors import UsageError

# Source archives are downloaded at the start of every job; more than this is data, not code.
LIMIT_BYTES = 100 * 1024 * 1024


def members(root: Path | None, extra: Mapping[str, bytes]) -> dict[str, tuple[bytes, bool]]:
    """Archive names to (content, executable), sorted; `extra` wins over the user's files.

    What `blueprint.leaving` names stays out. Without a `root` there is `extra` alone.

    Raises UsageError for a missing or empty folder, a link that leads outside, a file that is not a
    regular one or cannot be read, and for more than `LIMIT_BYTES`.
    """
    found = {} if root is None else _of_user(root)
    found.update({name: (content, False) for name, content in extra.items()})
    if not found:
        raise UsageError(f"the code folder {root} is empty")
    return dict(sorted(found.items()))


def _of_user(root: Path) -> dict[str, tuple[bytes, bool]]:
    if not root.is_dir():
        raise UsageError(
            f"the code folder {root} does not exist"
            if not root.exists()
            else f"{root} is no folder",
            hint="`code:` names the folder with the model's scripts, relative to the blueprint",
        )
    found: dict[str, tuple[bytes, bool]] = {}
    size = 0
    for path in files_of(root, str(root), "code folder", skipped=Leaving(root).why):
        try:
            content = path.read_bytes()
            executable = bool(path.stat().st_mode & 0o100)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from None
        size += len(content)
        if size > LIMIT_BYTES:
            raise UsageError(
                f"the code folder {root} holds more than {LIMIT_BYTES // 1024**2} MB",
                hint="keep data and models out of it: datasets are uploaded on their own",
            )
        found[path.relative_to(root).as_posix()] = (content, executable)
    return found


def digest(files: Mapping[str, tuple[bytes, bool]]) -> str:
    """SHA-256 over names, modes and contents: what an archive is made of, whatever packed it."""
    whole = sha256()
    for name, (content, executable) in files.items():
        whole.update(f"{name}\0{int(executable)}\0{sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()


# Of the archives packed last, by what they are made of: most of one is the same in all projects.
_PACKED: dict[str, bytes] = {}
_PACKED_BYTES = 8 * 1024 * 1024


def packed(files: Mapping[str, tuple[bytes, bool]], fingerprint: str) -> bytes:
    """`pack`, once in a process for the same files; `fingerprint` is their `digest`."""
    content = _PACKED.pop(fingerprint, None) or pack(files)
    _PACKED[fingerprint] = content
    while sum(map(len, _PACKED.values())) > _PACKED_BYTES:
        del _PACKED[next(iter(_PACKED))]
    return content


def pack(files: Mapping[str, tuple[bytes, bool]]) -> bytes:
    """A .tar.gz with sorted names, no times, no owners, and two modes only."""
    raw = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=9, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, (content, executable) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755 if executable else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return raw.getvalue()
