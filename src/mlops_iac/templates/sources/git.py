"""What `git+https://…`, `git+ssh://…` and `git+file:///…` name, and which tags are versions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.blueprint.words import listed, nearest
from mlops_iac.records import Record
from mlops_iac.templates.files import FileEntry, shown
from mlops_iac.templates.sources.base import checked_folder, inner, over_ssh, safe
from mlops_iac.templates.versions import VersionInvalid, parse_version

_EXAMPLE = "write git+https://HOST/PATH or git+ssh://git@HOST/PATH, with #subdirectory=FOLDER"
_HELPERS = "leave them out: git's own credential helpers and the SSH agent are used"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9a-f.]*:[0-9a-f:.]+")
_FOLDER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._/-]*")
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class GitSource(Record):
    """A folder of a repository whose tags are versions. `url` has no user but that of SSH."""

    url: str
    subdirectory: str = ""

    @property
    def text(self) -> str:
        return f"git+{self.url}" + (
            f"#subdirectory={self.subdirectory}" if self.subdirectory else ""
        )

    @property
    def local(self) -> bool:
        """Whether the repository is on this machine."""
        return self.url.startswith("file:")

    def beside(self, relative: str) -> GitSource:
        return GitSource(self.url, inner(self.subdirectory, relative, self.text))

    def at(self, commit: str) -> GitCommitSource:
        """The same folder at one commit."""
        return GitCommitSource(self, commit)


class GitCommitSource(Record):
    """A folder of a repository at one commit: what stands beside a template came with it."""

    repository: GitSource
    commit: str

    @property
    def text(self) -> str:
        return self.repository.text

    def beside(self, relative: str) -> GitCommitSource:
        return GitCommitSource(self.repository.beside(relative), self.commit)


class GitFailed(Exception):
    """Git said no; the text is why, in one line, `hint` what to do where that is known.

    `gone`: it answered, and what is asked is not there. `too_much`: it does not stop answering.
    `late`: it does not answer.
    """

    def __init__(
        self,
        why: str,
        *,
        hint: str = "",
        gone: bool = False,
        too_much: bool = False,
        late: bool = False,
    ) -> None:
        super().__init__(why)
        self.hint = hint
        self.gone = gone
        self.too_much = too_much
        self.late = late


class GitEntry(Record):
    """A file of a tree and the id of its content."""

    file: FileEntry
    id: str


def git_source(text: str) -> GitSource:
    """What a `git+` text names. Raises TemplateUnavailable, and never repeats a credential."""
    wrong = _wrong(text)
    if wrong and (written := over_ssh(text)):
        said = f"'{safe(text)}' is SSH's short form and no URL"
        raise TemplateUnavailable("template-source", said, hint=f"write {written}")
    if wrong:
        code = "template-credentials" if wrong[1] == _HELPERS else "template-source"
        raise TemplateUnavailable(code, f"'{safe(text)}' {wrong[0]}", hint=wrong[1])
    parts = urlsplit(text.removeprefix("git+"))
    subdirectory = parts.fragment.removeprefix("subdirectory=").strip("/")
    url = parts._replace(fragment="").geturl().rstrip("/")
    if parts.scheme == "file":
        url = f"file://{parts.path.rstrip('/')}"
    return GitSource(url, checked_folder(subdirectory, text))


def _wrong(text: str) -> tuple[str, str] | None:
    """What is wrong with a `git+` text, and the fix."""
    if not all(item.isprintable() and not item.isspace() and item != "\\" for item in text):
        return "has a character that no URL has", _EXAMPLE
    try:
        parts = urlsplit(text.removeprefix("git+"))
        host, user, password, _ = parts.hostname or "", parts.username, parts.password, parts.port
    except ValueError:
        return "is not a URL", _EXAMPLE
    if password is not None or (user is not None and parts.scheme != "ssh"):
        return "has credentials in it", _HELPERS
    if parts.scheme not in ("https", "ssh", "file"):
        scheme = shown(parts.scheme) or "nothing"
        return f"would be fetched over {scheme}, which is not offered", _EXAMPLE
    if parts.query:
        return "has a query, which may hold a credential", _HELPERS
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            return "names no folder of this machine", "write git+file:///FOLDER"
    elif not _HOST.fullmatch(host) or not parts.path.strip("/"):
        return "names no repository", _EXAMPLE
    if user is not None and not _SSH_USER.fullmatch(user):
        return "names a user that no system has", _EXAMPLE
    return _wrong_place(text, parts.path, parts.fragment)


def _wrong_place(text: str, path: str, fragment: str) -> tuple[str, str] | None:
    """What is wrong with the path of a repository and the folder in it, and the fix."""
    plain = safe(text.partition("#")[0])
    if path.startswith("/-") or any(part == ".." for part in path.split("/")):
        return "has a path that no repository has", _EXAMPLE
    if "//" in path.strip("/"):
        url, _, folder = plain.rpartition("//")
        return "has '//' in its path", f"write {url}#subdirectory={folder}"
    if "@" in path.rsplit("/", 1)[-1]:
        return "has a version in it", "leave out '@…' and write it as `version:` beside `template:`"
    if fragment and not re.fullmatch("subdirectory=[^&?]+", fragment):
        folder = fragment.partition("=")[2] or fragment
        fix = f"write {plain}#subdirectory={folder}" if _FOLDER.fullmatch(folder) else _EXAMPLE
        return "has a fragment other than #subdirectory=FOLDER", fix
    return None


def tag_start(subdirectory: str) -> str:
    """What stands before the number in the tags of the template in `subdirectory`.

    `v`, or `standard-v` for a template in a folder of that name; `subdirectory` is empty for one
    that is the whole repository.
    """
    name = subdirectory.rsplit("/", 1)[-1]
    return f"{name}-v" if name else "v"


def versions_of(tags: Iterable[str], subdirectory: str) -> dict[str, str]:
    """Version → tag of the template in `subdirectory`."""
    start = tag_start(subdirectory)
    found = {tag.removeprefix(start): tag for tag in tags if tag.startswith(start)}
    return {version: tag for version, tag in found.items() if _is_version(version)}


def tags_instead(tags: Iterable[str], subdirectory: str) -> str:
    """What to do where none of the tags is a version of the template in `subdirectory`."""
    others: dict[str, str] = {}
    for tag in tags:
        name, _, version = tag.rpartition("-v")
        if name and _is_version(version):
            others[name] = tag
    if others:
        name = subdirectory.rsplit("/", 1)[-1]
        near = nearest(name, list(others)) if name else ""
        some = f"its tags are of other templates, e.g. {listed(map(shown, list(others.values())[-3:]))}"
        return f"{some}: write #subdirectory=FOLDER/{shown(near) or 'NAME'}"
    return f"its publisher has to tag a commit: {tag_start(subdirectory)}1.0.0"


def _is_version(text: str) -> bool:
    try:
        parse_version(text)
    except VersionInvalid:
        return False
    return True
