"""The `git` of this machine, so that users' credential helpers, proxies and SSH agents work.

It never asks (no terminal, no prompt), runs no hook, follows no protocol but three, and is ended
with everything it started when it takes too long. Trees are read as objects, never checked out.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlops_iac.git_environment import SETTINGS, of_no_repository
from mlops_iac.templates.files import MOST_FILES, FileEntry
from mlops_iac.templates.sources.git import GitEntry, GitFailed
from mlops_iac.templates.sources.git_words import failed

_MOST_LISTED = 32 * 1024 * 1024
"""Bytes of an answer; no list of tags that is meant to be read has more."""
_MOST_OF_A_TREE = 2 * MOST_FILES * 320
"""Bytes of the listing of a folder with as many files as a template may have, with long names."""
_ALLOWED = ("https", "ssh", "file")
_SETTINGS = (
    *SETTINGS,
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"),
)


class GitCommand:
    """Runs `git`. `timeout` is in seconds, for each call."""

    def __init__(self, program: str, timeout: float) -> None:
        self._program = program
        self._timeout = timeout

    def tags(self, url: str) -> dict[str, str]:
        """Every tag of a repository and the commit it stands for."""
        # In no repository: the settings of the one around would count here and not in `fetch`.
        asked = ["ls-remote", "--tags", "--", url]
        listed = self._run(asked, Path(os.devnull)).decode("utf-8", "replace")
        found: dict[str, str] = {}
        for line in listed.splitlines():
            commit, _, name = line.partition("\t")
            if not name.startswith("refs/tags/"):
                continue
            tag = name.removeprefix("refs/tags/")
            if tag.endswith("^{}"):  # what an annotated tag points to; comes after the tag itself
                found[tag[:-3]] = commit
            else:
                found[tag] = commit
        return found

    def fetch(self, repository: Path, url: str, tag: str, commit: str) -> str:
        """Bring one tag, without history, into a bare repository; its commit.

        `commit` is what the tag was said to be: its length tells how the repository names objects.
        """
        if not (repository / "HEAD").is_file():
            kind = {"GIT_DEFAULT_HASH": "sha256" if len(commit) == 64 else "sha1"}
            made = ["init", "--quiet", "--bare", "--template=", "--", os.fspath(repository)]
            self._run(made, more=kind)
        for left in ("shallow.lock", "packed-refs.lock", "config.lock"):  # of a process that died
            (repository / left).unlink(missing_ok=True)
        wanted = f"+refs/tags/{tag}:refs/tags/{tag}"
        options = ["--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"]
        self._run(["fetch", *options, "--", url, wanted], repository)
        found = self._run(["rev-parse", "--verify", f"refs/tags/{tag}^{{commit}}"], repository)
        return found.decode().strip()

    def has(self, repository: Path, commit: str) -> bool:
        """Whether a bare repository holds a commit."""
        if not (repository / "HEAD").is_file():
            return False
        try:
            self._run(["cat-file", "-e", f"{commit}^{{tree}}"], repository)
        except GitFailed:
            return False
        return True

    def entries(self, repository: Path, commit: str, folder: str) -> list[GitEntry]:
        """What lies below a folder of a commit; sizes are known before anything is unpacked."""
        try:
            tree = ["ls-tree", "-r", "-l", "-z", f"{commit}:{folder}"]
            listed = self._run(tree, repository, most=_MOST_OF_A_TREE)
        except GitFailed as error:
            if error.too_much:
                raise
            raise GitFailed(str(error), gone=self.has(repository, commit)) from None
        found = []
        for item in listed.split(b"\0")[:-1]:
            head, _, name = item.partition(b"\t")
            mode, kind, identity, size = head.split()
            path = name.decode("utf-8", "surrogateescape")
            entry = FileEntry(path, int(size) if size.isdigit() else 0, _kind(mode, kind))
            found.append(GitEntry(entry, identity.decode()))
        return found

    def contents(self, repository: Path, entries: Sequence[GitEntry]) -> dict[str, bytes]:
        """The files' bytes by path."""
        asked = "".join(f"{entry.id}\n" for entry in entries).encode()
        most = sum(entry.file.size + 200 for entry in entries)
        data = self._run(["cat-file", "--batch"], repository, asked, most)
        found = {}
        start = 0
        for entry in entries:
            end = data.index(b"\n", start)
            _, kind, size = (*data[start:end].split(), b"", b"")[:3]
            if kind != b"blob" or int(size) != entry.file.size:
                raise GitFailed(f"the object {entry.id} is damaged")
            found[entry.file.path] = data[end + 1 : end + 1 + int(size)]
            start = end + 2 + int(size)
        return found

    def _run(
        self,
        arguments: Sequence[str],
        repository: Path | None = None,
        given: bytes = b"",
        most: int = _MOST_LISTED,
        more: Mapping[str, str] | None = None,
    ) -> bytes:
        settings = [part for key, value in _SETTINGS for part in ("-c", f"{key}={value}")]
        where = [f"--git-dir={repository}"] if repository else []
        with tempfile.TemporaryFile() as words, tempfile.TemporaryFile() as asked:
            asked.write(given)
            asked.seek(0)
            # A session of its own has no terminal that SSH could ask on, and is ended as a whole.
            process = subprocess.Popen(
                [self._program, *settings, *where, *arguments],
                env={**_environment(), **(more or {})},
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=words,
                start_new_session=True,
            )
            late = threading.Event()
            timer = threading.Timer(self._timeout, _end, (process, late))
            timer.start()
            try:
                data = process.stdout.read(most + 1) if process.stdout else b""
                if len(data) > most:
                    raise GitFailed("git does not stop listing", too_much=True)
                code = process.wait()
            finally:
                timer.cancel()
                _end(process)
                if process.stdout:
                    process.stdout.close()
            if late.is_set():
                raise GitFailed(f"no answer within {self._timeout:g} seconds", late=True)
            if code:
                words.seek(0)
                raise failed(words.read(65536).decode("utf-8", "replace"))
        return data


def _end(process: subprocess.Popen[bytes], late: threading.Event | None = None) -> None:
    """End a process and all that it started."""
    if process.poll() is None:
        if late is not None:
            late.set()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment() -> dict[str, str]:
    kept = of_no_repository()
    kept.pop("SSH_ASKPASS", None)
    users = kept.get("GIT_ALLOW_PROTOCOL")
    allowed = [each for each in _ALLOWED if users is None or each in users.split(":")]
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "SSH_ASKPASS_REQUIRE": "never",
        "GCM_INTERACTIVE": "never",
        "GIT_ALLOW_PROTOCOL": ":".join(allowed),
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }


def _kind(mode: bytes, kind: bytes) -> str:
    if mode == b"120000":
        return "symbolic link"
    if kind == b"commit":
        return "submodule"
    return "file" if kind == b"blob" else "device or pipe"
