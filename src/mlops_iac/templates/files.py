"""The files of a template: what is refused before anything reads it, and their digest.

A template comes from someone else. Its files are only ever held as bytes by name; nothing of it is
checked out, linked, or run here.
"""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlops_iac.blueprint.templates.content import MANIFEST, TemplateUnavailable
from mlops_iac.blueprint.words import listed
from mlops_iac.records import Record

LARGEST = 1024 * 1024
"""Bytes of one file."""
MOST_FILES = 2_000
MOST_BYTES = 16 * 1024 * 1024
"""Bytes of all files together."""
_LONGEST_PATH = 240  # characters; some file systems stop at 255
_DEEPEST = 16  # folders
# What tools leave beside the files and no template means.
_IGNORED = frozenset({".git", ".hg", ".svn", "__pycache__", ".DS_Store", ".mlops-iac"})
# Patterns of what CI runs, and of who has to review, in a repository.
CI_FILES = (
    ".github", ".gitlab", ".azure-pipelines", ".azuredevops", ".gitlab-ci*.yml", "*azure-pipelines*.yml",
    "bitbucket-pipelines.yml", "CODEOWNERS", "docs/CODEOWNERS",
)  # fmt: skip
_WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}
)


class FileEntry(Record):
    """A file before it is read. `kind` is `file`, or what it is instead; `size` is in bytes."""

    path: str
    size: int
    kind: str = "file"


def ignored(path: str) -> bool:
    """Whether `path` is no part of a template: a tool's own files."""
    return path.endswith(".pyc") or not _IGNORED.isdisjoint(path.split("/"))


def check(entries: Iterable[FileEntry], source: str) -> None:
    """Refuse what no template may hold, before a byte of it is read.

    Raises TemplateUnavailable for links, submodules and devices, names that are not plain relative
    paths or differ only in case, too many or too large files, and a template without `template.yaml`.
    """
    names = Names()
    total = 0
    for number, entry in enumerate(entries, 1):
        total += max(0, entry.size)
        if entry.kind != "file":
            raise refused(source, f"'{shown(entry.path)}' is a {entry.kind}")
        if wrong := wrong_name(entry.path):
            raise refused(source, f"the file name '{shown(entry.path)}' {wrong}")
        if clash := names.add(entry.path):
            raise refused(source, clash)
        if entry.size > LARGEST:
            raise refused(
                source,
                f"'{entry.path}' is larger than {LARGEST // 2**20} MiB",
                "data, models and pictures do not belong into a template",
            )
        if number > MOST_FILES:
            raise refused(source, f"it has more than {MOST_FILES:,} files")
        if total > MOST_BYTES:
            raise refused(source, f"its files are larger than {MOST_BYTES // 2**20} MiB together")
    if MANIFEST not in names.files:
        raise TemplateUnavailable(
            "template-missing",
            f"{source} is no template: it has no {MANIFEST}",
            hint=where_templates_are(names.files, source),
        )


def where_templates_are(paths: Iterable[str], source: str) -> str:
    """What to write in the place of a source that holds templates in other folders."""
    ends = f"/{MANIFEST}"
    folders = sorted(f"/{path}".removesuffix(ends) for path in paths if f"/{path}".endswith(ends))
    found = []
    for folder in (each[1:] for each in folders if not each or not wrong_name(each[1:])):
        plain, _, above = source.partition("#subdirectory=")
        inner = "/".join(filter(None, (above, folder)))
        if not plain.startswith("git+"):
            found.append(f"{source.rstrip('/')}/{folder}")
        else:
            found.append(f"{plain}#subdirectory={inner}" if inner else plain)
    return f"write {listed(found, 'or', 3)}" if found else f"name the folder that holds {MANIFEST}"


def wrong_name(path: str) -> str:
    """Why `path` is not the name of a file in a template, or an empty text."""
    if not path:
        return "is empty"
    if any(unicodedata.category(item) in ("Cc", "Cf", "Cs", "Zl", "Zp") for item in path):
        return "has a character that cannot be seen"
    if "\\" in path:
        return "has a backslash"
    if path.startswith("/") or ":" in path:
        return "is not relative" if path[0] == "/" else "has a colon"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "leaves its folder" if ".." in parts else "is not a plain path"
    if any(part.lower() == ".git" for part in parts):
        return "belongs to git"
    if any(part[-1] in ". " or part.split(".")[0].lower() in _WINDOWS_DEVICES for part in parts):
        return "does not exist on every system"
    if len(path) > _LONGEST_PATH or len(parts) > _DEEPEST:
        return "is too long"
    return ""


def shown(text: str, most: int = 120) -> str:
    """`text` fit for a message: what cannot be printed is escaped, what is above `most` is cut."""
    safe = "".join(
        item if item.isprintable() else item.encode("unicode_escape", "replace").decode()
        for item in text
    )
    return safe if len(safe) <= most else f"{safe[:most]}…"


def digest(files: Mapping[str, bytes]) -> str:
    """`sha256:…` over paths, sizes and bytes, whatever the order."""
    whole = hashlib.sha256()
    for path in sorted(files):
        name = path.encode()
        whole.update(b"%d:%s%d:" % (len(name), name, len(files[path])))
        whole.update(files[path])
    return f"sha256:{whole.hexdigest()}"


def read_folder(folder: Path, source: str) -> dict[str, bytes]:
    """All files below `folder`, which exists. Raises TemplateUnavailable as `check`."""
    entries = list(_walk(folder, source))
    check(entries, source)
    try:
        return {entry.path: _bytes(folder / entry.path, entry, source) for entry in entries}
    except OSError as error:
        raise TemplateUnavailable(
            "template-unreadable", f"{source} cannot be read: {error.strerror}"
        ) from None


def _walk(folder: Path, source: str) -> Iterable[FileEntry]:
    """What lies below `folder`, never following a link; stops where it is too much anyway."""
    number = 0
    waiting = [("", os.fspath(folder))]
    while waiting:
        prefix, place = waiting.pop()
        try:
            with os.scandir(place) as found:
                items = sorted(found, key=lambda item: item.name)
        except OSError as error:
            raise TemplateUnavailable(
                "template-unreadable", f"{source} cannot be read: {error.strerror}"
            ) from None
        for item in items:
            path = f"{prefix}{item.name}"
            if ignored(path):
                continue
            number += 1
            if number > 2 * MOST_FILES:
                raise refused(source, f"it has more than {MOST_FILES:,} files")
            if item.is_dir(follow_symlinks=False):
                if wrong := wrong_name(path):  # its depth is bounded by this
                    raise refused(source, f"the folder name '{shown(path)}' {wrong}")
                waiting.append((f"{path}/", item.path))
                continue
            status = item.stat(follow_symlinks=False)
            yield FileEntry(path=path, size=status.st_size, kind=_kind(status.st_mode))


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "file"
    return "symbolic link" if stat.S_ISLNK(mode) else "device or pipe"


def _bytes(path: Path, entry: FileEntry, source: str) -> bytes:
    """The content of a file that was looked at; one that was swapped since is refused."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, flags)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise refused(source, f"'{entry.path}' is no longer a file")
        content = stream.read(LARGEST + 1)
    if len(content) != entry.size:
        raise refused(source, f"'{entry.path}' changed while it was read")
    return content


class Names:
    """The names so far. Two that are one on some file system would overwrite each other there."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self._folders: set[str] = set()
        self._written: dict[str, str] = {}

    def add(self, path: str) -> str:
        """Why a file cannot stand beside the others under this name; empty where it can."""
        parts = path.split("/")
        prefixes = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        for name in prefixes:
            folded = unicodedata.normalize("NFC", name).casefold()
            other = self._written.setdefault(folded, name)
            if other != name:
                return f"'{other}' and '{name}' are one file on some systems"
        self._folders.update(prefixes[:-1])
        taken = next((name for name in prefixes if name in self.files), None)
        if taken or path in self._folders:
            return f"there are two of '{taken or path}'"
        self.files.add(path)
        return ""


def refused(source: str, why: str, hint: str = "") -> TemplateUnavailable:
    """The error for a template that holds what none may."""
    return TemplateUnavailable(
        "template-refused", f"{source} is refused: {why}", hint=hint or "tell whoever publishes it"
    )
