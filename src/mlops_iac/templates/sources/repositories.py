"""Git repositories as the finder needs them: their tags, and the files of a folder at a tag."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.caches import cache_folder
from mlops_iac.records import Record
from mlops_iac.templates.files import (
    MOST_FILES,
    check,
    ignored,
    refused,
    shown,
    where_templates_are,
)
from mlops_iac.templates.sources.base import redact
from mlops_iac.templates.sources.git import GitFailed, GitSource
from mlops_iac.templates.sources.git_command import GitCommand

TIMEOUT = 60.0
"""Seconds that a repository may take for each answer."""


class Fetched(Record):
    """The files of a template and the commit they are from."""

    files: Mapping[str, bytes]
    commit: str


class Repositories:
    """All repositories of a process. `offline` refuses what is not here already.

    Tags are asked for once; whoever wants them again makes another one of these.
    """

    def __init__(self, *, offline: bool, timeout: float = TIMEOUT) -> None:
        self._offline = offline
        self._timeout = timeout
        self._tags: dict[str, Mapping[str, str]] = {}
        self._late: dict[str, GitFailed] = {}

    def tags(self, source: GitSource) -> Mapping[str, str]:
        """Tags and their commits. Raises TemplateUnavailable where nobody answers, and offline."""
        if source.url not in self._tags:
            if self._offline:
                raise TemplateUnavailable(
                    "template-offline",
                    f"{source.text} is not asked for its versions: working offline",
                    hint="run once without MLOPS_IAC_OFFLINE; what is pinned is then in the cache",
                )
            if (late := self._late.get(source.url)) is not None:  # once is long enough
                raise _unreachable(source, late)
            try:
                self._tags[source.url] = self._git(source).tags(source.url)
            except GitFailed as error:
                if error.late:
                    self._late[source.url] = error
                raise _unreachable(source, error) from None
        return self._tags[source.url]

    def at_tag(self, source: GitSource, tag: str) -> Fetched:
        """The files at a tag. Raises TemplateUnavailable."""
        return self._read(source, tag, self.tags(source)[tag])

    def at_commit(self, source: GitSource, commit: str) -> Fetched:
        """The files at a commit that a tag stood for when it was locked."""
        with self._repository(source) as repository:
            if (held := self._held(source, repository, commit)) is not None:
                return held
        tag = next((tag for tag, found in self.tags(source).items() if found == commit), None)
        if tag is None:
            raise TemplateUnavailable(
                "template-changed",
                f"{source.text} has no tag at the pinned commit {commit[:12]} any more",
                hint="ask its publisher; `mlops-iac template update` takes what is there now",
            )
        return self._read(source, tag, commit)

    def _read(self, source: GitSource, tag: str, commit: str) -> Fetched:
        with self._repository(source) as repository:
            if (held := self._held(source, repository, commit)) is not None:
                return held
            # Its tags were just read, so what fails now is rather the copy here: made again, once.
            if (repository / "HEAD").is_file():
                try:
                    commit = self._git(source).fetch(repository, source.url, tag, commit)
                    return self._files(source, repository, commit)
                except GitFailed as error:
                    if error.late:
                        raise _unreachable(source, error) from None
                shutil.rmtree(repository, ignore_errors=True)
            try:
                commit = self._git(source).fetch(repository, source.url, tag, commit)
                return self._files(source, repository, commit)
            except GitFailed as error:
                raise _unreachable(source, error) from None

    def _held(self, source: GitSource, repository: Path, commit: str) -> Fetched | None:
        """What an earlier fetch brought. It is only a cache: a damaged one is made again."""
        try:
            if self._git(source).has(repository, commit):
                return self._files(source, repository, commit)
        except GitFailed:
            shutil.rmtree(repository, ignore_errors=True)
        return None

    def _files(self, source: GitSource, repository: Path, commit: str) -> Fetched:
        git = self._git(source)
        try:
            entries = git.entries(repository, commit, source.subdirectory)
        except GitFailed as error:
            if error.too_much:
                raise refused(source.text, f"it has more than {MOST_FILES:,} files") from None
            if not error.gone:
                raise
            raise TemplateUnavailable(
                "template-missing",
                f"{GitSource(source.url).text} has no folder '{source.subdirectory}' at {commit[:12]}",
                hint=self._elsewhere(source, repository, commit),
            ) from None
        wanted = [entry for entry in entries if not ignored(entry.file.path)]
        check((entry.file for entry in wanted), source.text)
        return Fetched(git.contents(repository, wanted), commit)

    def _elsewhere(self, source: GitSource, repository: Path, commit: str) -> str:
        """Where in a repository its templates are."""
        try:
            entries = self._git(source).entries(repository, commit, "")
        except GitFailed:
            return "name the folder as it is at that tag"
        whole = GitSource(source.url).text
        return where_templates_are((entry.file.path for entry in entries), whole)

    @contextmanager
    def _repository(self, source: GitSource) -> Iterator[Path]:
        """The bare repository of a URL, for this process alone; a passing one without a cache."""
        from filelock import FileLock, Timeout

        name = hashlib.sha256(source.url.encode()).hexdigest()[:32]
        folder = cache_folder() / "git"
        lock = FileLock(folder / f"{name}.lock", timeout=3 * self._timeout)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire()
        except Timeout:
            raise TemplateUnavailable(
                "template-unreachable",
                f"{source.text}: another process has been fetching it for {3 * self._timeout:g} s",
            ) from None
        except OSError:
            import tempfile

            with tempfile.TemporaryDirectory(prefix="mlops-iac-") as passing:
                yield Path(passing) / name
            return
        try:
            yield folder / f"{name}.git"
        finally:
            lock.release()

    def _git(self, source: GitSource) -> GitCommand:
        program = shutil.which("git")
        if program is None:
            raise TemplateUnavailable(
                "template-unreachable",
                f"{source.text} cannot be fetched: there is no `git` on PATH",
                hint="install git; what is pinned and cached needs none",
            )
        return GitCommand(program, self._timeout)


def _unreachable(source: GitSource, error: GitFailed) -> TemplateUnavailable:
    return TemplateUnavailable(
        "template-unreachable",
        f"{source.text} cannot be reached: {shown(redact(str(error)), 400)}",
        hint=error.hint
        or "check the address and the access: git's own credentials and proxies are used",
    )
