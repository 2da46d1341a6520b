"""Git where there is no `git`: a library that speaks its protocols, without users' helpers."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_iac.templates.files import LARGEST, MOST_FILES, FileEntry
from mlops_iac.templates.sources.git import GitEntry, GitFailed

_DEEPEST = 32


class GitLibrary:
    """Does what `GitCommand` does. `timeout` is in seconds, for each answer over HTTPS."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    def tags(self, url: str) -> dict[str, str]:
        """Every tag of a repository and the commit it stands for."""
        client, path = self._client(url)
        with _told():
            refs: Mapping[bytes, bytes | None] = client.get_refs(path).refs
        found: dict[str, str] = {}
        for name, identity in sorted(refs.items()):  # `^{}` comes after the tag itself
            if name.startswith(b"refs/tags/") and identity:
                tag = name.removeprefix(b"refs/tags/").removesuffix(b"^{}")
                found[tag.decode("utf-8", "replace")] = identity.decode()
        return found

    def fetch(self, repository: Path, url: str, tag: str) -> str:
        """Bring one tag, without history, into a bare repository; its commit."""
        from dulwich.objects import Commit, Tag
        from dulwich.repo import Repo

        client, path = self._client(url)
        name = f"refs/tags/{tag}".encode()
        with _told(), _opened(repository) as target:
            wanted: list[bytes] = []

            def wants(refs: Mapping[bytes, bytes], *_: object, **__: object) -> list[bytes]:
                wanted[:] = [refs[name]] if name in refs else []
                return wanted

            client.fetch(path, target, determine_wants=wants, depth=1)
            if not wanted:
                raise GitFailed(f"there is no tag {tag}", gone=True)
            found: Any = target[wanted[0]]
            while isinstance(found, Tag):
                found = target[found.object[1]]
            if not isinstance(found, Commit):
                raise GitFailed(f"the tag {tag} is not that of a commit")
            assert isinstance(target, Repo)
            return found.id.decode()

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

        client, path = get_transport_and_path(url)
        if isinstance(client, HttpGitClient):
            client = HttpGitClient(url, timeout=self._timeout)
        return client, path


class _told:  # noqa: N801 - reads as a statement
    """Turns what the library raises into one kind of error."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and isinstance(error, Exception) and not isinstance(error, GitFailed):
            text = str(error).splitlines() or [""]
            raise GitFailed(f"{type(error).__name__}: {text[0][:300]}") from None


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
