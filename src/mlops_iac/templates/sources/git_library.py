"""Git where there is no `git`: a library that speaks its protocols.

It reads git's configuration (proxies, authorities, other URLs), and has no credential helpers.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mlops_iac.templates.files import LARGEST, MOST_FILES, FileEntry
from mlops_iac.templates.sources.git import GitEntry, GitFailed
from mlops_iac.templates.sources.git_words import failed

_DEEPEST = 32
_T = TypeVar("_T")


class GitLibrary:
    """Does what `GitCommand` does. `timeout` is in seconds, for each call over a network."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    def tags(self, url: str) -> dict[str, str]:
        """Every tag of a repository and the commit it stands for."""
        client, path = self._client(url)
        refs: Mapping[bytes, bytes | None] = self._in_time(lambda: client.get_refs(path).refs)
        found: dict[str, str] = {}
        for name, identity in sorted(refs.items()):  # `^{}` comes after the tag itself
            if name.startswith(b"refs/tags/") and identity:
                tag = name.removeprefix(b"refs/tags/").removesuffix(b"^{}")
                found[tag.decode("utf-8", "replace")] = identity.decode()
        return found

    def fetch(self, repository: Path, url: str, tag: str, commit: str) -> str:
        """Bring one tag, without history, into a bare repository; its commit."""
        if len(commit) == 64:
            raise GitFailed(
                "it names its objects by SHA-256", hint="`git` itself can read it: install git"
            )
        client, path = self._client(url)
        return self._in_time(lambda: _fetch(client, path, repository, f"refs/tags/{tag}".encode()))

    def has(self, repository: Path, commit: str) -> bool:
        """Whether a bare repository holds a commit."""
        if not (repository / "HEAD").is_file():
            return False
        with _told(), _opened(repository) as opened:
            return commit.encode() in opened.object_store

    def entries(self, repository: Path, commit: str, folder: str) -> list[GitEntry]:
        """What lies below a folder of a commit."""
        from dulwich.objects import Tree

        with _told(), _opened(repository) as opened:
            store = opened.object_store
            found: Any = store[opened[commit.encode()].tree]
            for name in folder.split("/") if folder else ():
                entry = {item.path: item for item in found.iteritems()}.get(name.encode())
                if entry is None or not stat.S_ISDIR(entry.mode):
                    raise GitFailed(f"there is no folder {folder}", gone=True)
                found = store[entry.sha]
            assert isinstance(found, Tree)
            return list(_walk(store, found, b"", 0))

    def contents(self, repository: Path, entries: Sequence[GitEntry]) -> dict[str, bytes]:
        """The files' bytes by path."""
        with _told(), _opened(repository) as opened:
            store = opened.object_store
            return {entry.file.path: store[entry.id.encode()].as_raw_string() for entry in entries}

    def _client(self, url: str) -> tuple[Any, str]:
        from dulwich.client import HttpGitClient, get_transport_and_path
        from dulwich.config import ConfigFile, StackedConfig

        own = ConfigFile()
        if authorities := os.environ.get("GIT_SSL_CAINFO"):
            own.set((b"http",), b"sslCAInfo", os.fsencode(authorities))
        config = StackedConfig([own, *StackedConfig.default_backends()])
        ssh = os.environ.get("GIT_SSH_COMMAND") or "ssh"
        silent = f"{ssh} -o BatchMode=yes -o ConnectTimeout={max(1, int(self._timeout))}"
        with _told():
            client, path = get_transport_and_path(url, config=config, ssh_command=silent)
        if isinstance(client, HttpGitClient):
            client._timeout = self._timeout
            # As git does: what is asked for over TLS is not answered by who sends us out of it.
            pool: Any = client.pool_manager
            pool.key_fn_by_scheme = {"https": pool.key_fn_by_scheme["https"]}
        return client, path

    def _in_time(self, call: Callable[[], _T]) -> _T:
        """What `call` returns or raises, unless it takes too long; it is then left behind."""
        done: list[_T] = []
        wrong: list[BaseException] = []

        def run() -> None:
            try:
                with _told():
                    done.append(call())
            except BaseException as error:
                wrong.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(self._timeout)
        if thread.is_alive():
            raise GitFailed(f"no answer within {self._timeout:g} seconds", late=True)
        if wrong:
            raise wrong[0]
        return done[0]


def _fetch(client: Any, path: str, repository: Path, name: bytes) -> str:
    from dulwich.objects import Commit, Tag

    with _opened(repository) as target:
        wanted: list[bytes] = []

        def wants(refs: Mapping[bytes, bytes], *_: object, **__: object) -> list[bytes]:
            wanted[:] = [refs[name]] if name in refs else []
            return wanted

        client.fetch(path, target, determine_wants=wants, depth=1)
        if not wanted:
            raise GitFailed(f"there is no tag {name.decode()}", gone=True)
        found: Any = target[wanted[0]]
        while isinstance(found, Tag):
            found = target[found.object[1]]
        if not isinstance(found, Commit):
            raise GitFailed(f"the tag {name.decode()} is not that of a commit")
        return found.id.decode()


class _told:  # noqa: N801 - reads as a statement
    """Turns what the library raises into one kind of error."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and isinstance(error, Exception) and not isinstance(error, GitFailed):
            text = str(error).splitlines() or [""]
            raise failed(f"{type(error).__name__}: {text[0]}") from None


class _opened:  # noqa: N801 - reads as a statement
    """A bare repository, made if there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._repository: Any = None

    def __enter__(self) -> Any:
        from dulwich.repo import Repo

        if (self._folder / "HEAD").is_file():
            self._repository = Repo(str(self._folder))
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._repository = Repo.init_bare(str(self._folder))
        return self._repository

    def __exit__(self, *error: object) -> None:
        self._repository.close()


def _walk(store: Any, tree: Any, prefix: bytes, depth: int) -> Iterator[GitEntry]:
    """Files below a tree. Raises GitFailed where there are more than any template has."""
    number = 0
    waiting = [(tree, prefix, depth)]
    while waiting:
        tree, prefix, depth = waiting.pop()
        for item in tree.iteritems():
            number += 1
            if number > 2 * MOST_FILES:  # trees that hold each other a thousandfold never end
                raise GitFailed("the tree does not end", too_much=True)
            name = prefix + item.path
            path = name.decode("utf-8", "surrogateescape")
            if stat.S_ISDIR(item.mode) and depth < _DEEPEST:
                waiting.append((store[item.sha], name + b"/", depth + 1))
            else:
                yield GitEntry(_entry(store, item, path), item.sha.decode())


def _entry(store: Any, item: Any, path: str) -> FileEntry:
    if stat.S_ISLNK(item.mode):
        return FileEntry(path, 0, "symbolic link")
    if stat.S_ISREG(item.mode):
        return FileEntry(path, min(len(store[item.sha].as_raw_string()), LARGEST + 1))
    return FileEntry(path, 0, "submodule" if item.mode == 0o160000 else "folder too deep")
