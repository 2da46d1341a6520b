"""Templates as they were pinned, whatever has become of the places that they are from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mlops_iac.blueprint.reach import Reach
from mlops_iac.blueprint.templates.content import TemplateContent, Wanted
from mlops_iac.templates.cache import ContentCache
from mlops_iac.templates.files import digest
from mlops_iac.templates.finder import Finder
from mlops_iac.templates.found import content_of, identity
from mlops_iac.templates.lockfile import Lock
from mlops_iac.templates.pinning import pin_for
from mlops_iac.templates.sources import parse_source
from mlops_iac.templates.sources.base import TemplateSource
from mlops_iac.templates.sources.git import GitSource
from mlops_iac.templates.sources.repositories import Repositories
from mlops_iac.templates.versions import VersionInvalid, parse_requirement


class PinnedFinder:
    """A `TemplateFinder` that takes what `lock` pins by its digest first, and then asks a `Finder`.

    `as_locked` takes a pin also where the range that is asked for now has no room for it.
    `before` is called with each source before anything looks there.
    `committed` gives the files that a source once had, where the cache does not have them.
    """

    def __init__(
        self,
        blueprint_path: Path,
        lock: Lock | None,
        *,
        offline: bool = False,
        repositories: Repositories | None = None,
        as_locked: bool = False,
        before: Callable[[TemplateSource], None] | None = None,
        committed: Callable[[TemplateSource], Mapping[str, bytes] | None] | None = None,
        reach: Reach | None = None,
    ) -> None:
        self._root = blueprint_path.absolute().parent
        self._lock = lock
        self._finder = Finder(
            blueprint_path, lock=lock, offline=offline, repositories=repositories, reach=reach
        )
        self._cache = ContentCache()
        self._as_locked = as_locked
        self._before = before
        self._committed = committed

    def find(self, wanted: Wanted) -> TemplateContent:
        """What was pinned; where nothing was, the newest that fits. Raises TemplateUnavailable."""
        parent = wanted.parent
        source = parse_source(wanted.source, self._root, parent.origin if parent else None)
        if self._before is not None:
            self._before(source)
        by = str(identity(parent)) if parent is not None else ""
        return self._pinned(source, wanted.version, by) or self._finder.find(wanted)

    def _pinned(self, source: TemplateSource, version: str, by: str) -> TemplateContent | None:
        pin = pin_for(self._lock, source, version, by)
        if pin is None or not (self._as_locked or _fits(version, pin.version)):
            return None
        files = self._cache.get(pin.digest)
        if (files is None or files == "damaged") and self._committed is not None:
            files = self._committed(source)
        if files is None or files == "damaged" or digest(files) != pin.digest:
            return None
        there = source.at(pin.commit) if isinstance(source, GitSource) else source
        return content_of(there, pin.digest, files)


def _fits(requested: str, version: str) -> bool:
    try:
        return parse_requirement(requested).fits(version)
    except VersionInvalid:
        return False  # told by the finder
