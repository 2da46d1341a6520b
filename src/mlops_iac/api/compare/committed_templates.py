"""The templates of a blueprint in a commit: as its lock pins them, or as its folders held them."""

from __future__ import annotations

import contextlib
import os
import posixpath
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.core.repository import around
from mlops_iac.blueprint.source import Source
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable, Wanted
from mlops_iac.errors import BlueprintInvalid, UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.core.repository import Commit, Repository
    from mlops_iac.blueprint.reach import Reach
    from mlops_iac.blueprint.source import Node
    from mlops_iac.blueprint.templates.content import TemplateFinder
    from mlops_iac.templates.finder import Finder
    from mlops_iac.templates.sources.base import TemplateSource


def committed_files(path: Path, source: TemplateSource) -> Mapping[str, bytes] | None:
    """What a folder of the repository around `path` held when it was last committed.

    None for every other source, and where there is nothing that can be read.
    """
    from mlops_iac.templates.files import read_folder
    from mlops_iac.templates.sources.folder import FolderSource

    if not isinstance(source, FolderSource):
        return None
    with around(path.parent) as repository, tempfile.TemporaryDirectory() as folder:
        if repository is None:
            return None
        try:
            inside = repository.relative(source.path)
            repository.export(repository.commit("HEAD"), inside, Path(folder))
            return read_folder(Path(folder) / inside, source.text)
        except UsageError:
            return None


def trees(finder: TemplateFinder, root: Node) -> Iterator[Node]:
    """What templates lay under the blueprint `root`, its environments included."""
    from mlops_iac.blueprint.templates.applying import Applier

    applier = Applier(finder)
    with contextlib.suppress(BlueprintInvalid):  # told by whoever reads the blueprint
        applier.walk(root)
    for template in applier.applied:
        yield template.tree
        yield from template.environments.values()


@dataclass
class FormerTemplates:
    """Finds the templates of the blueprint that a commit has at `path`, exported to `tree`."""

    _repository: Repository
    _commit: Commit
    _tree: Path
    _path: str
    _reach: Reach

    def find(self, wanted: Wanted) -> TemplateContent:
        """As the commit pins it. Raises TemplateUnavailable; BlueprintInvalid for a damaged lock."""
        return self._finder.find(wanted)

    @property
    def locked(self) -> bool:
        """Whether the commit pins them."""
        return self._finder.lock is not None

    @cached_property
    def _finder(self) -> Finder:
        from mlops_iac.templates.finder import Finder
        from mlops_iac.templates.lockfile import lock_path, parse_lock

        lock = None
        path = lock_path(self._tree / self._path)
        where = posixpath.join(posixpath.dirname(self._path), path.name)
        raw = self._repository.read(self._commit, where)
        if raw is not None:
            path.write_bytes(raw)
            lock = parse_lock(Source(path.name, raw.decode("utf-8", "replace")))
        return Finder(self._tree / self._path, lock=lock, past=self._export, reach=self._reach)

    def _export(self, source: TemplateSource) -> None:
        """Write a template of the repository to where its source finds it."""
        from mlops_iac.templates.sources.folder import FolderSource

        if isinstance(source, FolderSource):
            there = os.path.normpath(source.path)
            if there == str(self._tree) or there.startswith(f"{self._tree}{os.sep}"):
                inside = Path(there).relative_to(self._tree).as_posix()
                self._repository.export(self._commit, inside, self._tree)


class BaseTemplates:
    """Finds the templates of the base, and no others."""

    locked = True

    def __init__(self, base: BaseProject) -> None:
        self._base = base

    def find(self, wanted: Wanted) -> TemplateContent:
        """What the base's own request found. Raises TemplateUnavailable for any other."""
        finder: Finder | None = self._base.finder
        if finder is None or not finder.knows(wanted):
            version = f", version {wanted.version}" if wanted.version else ""
            raise TemplateUnavailable(
                "fork-template",
                f"the base does not stand on {wanted.source}{version}, and a fork does not choose"
                " what it is judged by",
                hint="a maintainer changes templates on a branch of this repository",
            )
        return finder.find(wanted)
