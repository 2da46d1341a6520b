"""Finds the templates of one blueprint: what its lock pins, else the newest version that fits."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from pathlib import Path

from mlops_iac.blueprint.reach import Reach
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable, Wanted
from mlops_iac.errors import UsageError
from mlops_iac.templates.found import identity
from mlops_iac.templates.lockfile import Lock, Pin, lock_path, read_lock
from mlops_iac.templates.pinning import differences, pin_for
from mlops_iac.templates.resolver import Resolver
from mlops_iac.templates.sources import parse_source, require_reach
from mlops_iac.templates.sources.base import TemplateSource
from mlops_iac.templates.sources.repositories import TIMEOUT, Repositories
from mlops_iac.templates.versions import Requirement, VersionInvalid, parse_requirement

EVERY = "*"
"""As a source in `update`: all of them."""


class Finder:
    """The `TemplateFinder` of real life, for the blueprint at `blueprint_path`.

    `lock` is what is pinned. `update` maps sources (`*`: every one) to the requirement to resolve
    anew instead of the pin; an empty one is what the blueprint asks for. `shown` is what messages call
    the blueprint: folders are called as seen from where it is. `offline` (also by
    MLOPS_IAC_OFFLINE) never asks a network. `repositories` may be shared by many finders.
    `reach` is where folders may be: that of the blueprint where it is left out.

    `notes` is what to tell about what was found; `stale` why the lock is not what was found.
    """

    def __init__(
        self,
        blueprint_path: Path | str,
        *,
        lock: Lock | None = None,
        update: Mapping[str, str] | None = None,
        shown: str = "",
        offline: bool = False,
        timeout: float = TIMEOUT,
        repositories: Repositories | None = None,
        reach: Reach | None = None,
    ) -> None:
        self._path = Path(blueprint_path).absolute()
        self._folder = posixpath.dirname(shown)
        self._reach = reach or Reach.around(self._path.parent)
        self.lock = lock
        self._update = dict(update or {})
        offline = offline or is_offline()
        repositories = repositories or Repositories(offline=offline, timeout=timeout)
        self._found: dict[tuple[object, ...], TemplateContent] = {}
        self._pins: dict[tuple[str, str, str], Pin] = {}
        self.notes: list[str] = []
        self._resolver = Resolver(repositories, self.notes, offline=offline)

    @classmethod
    def beside(
        cls,
        blueprint_path: Path | str,
        *,
        update: Mapping[str, str] | None = None,
        shown: str = "",
        offline: bool = False,
        repositories: Repositories | None = None,
        reach: Reach | None = None,
    ) -> Finder:
        """A finder with the lock that lies beside the blueprint. Raises BlueprintInvalid."""
        called = lock_path(Path(shown or Path(blueprint_path).name)).as_posix()
        lock = read_lock(lock_path(Path(blueprint_path)), called, reach)
        return cls(
            blueprint_path,
            lock=lock,
            update=update,
            shown=shown,
            offline=offline,
            repositories=repositories,
            reach=reach,
        )

    def find(self, wanted: Wanted) -> TemplateContent:
        """The version that is pinned, or the newest that fits. Raises TemplateUnavailable."""
        source = self._source(wanted)
        request = _requirement(wanted.version)
        by = str(identity(wanted.parent)) if wanted.parent is not None else ""
        key = (source, wanted.version, by)
        if key in self._found:
            return self._found[key]
        anew = next(
            (self._update[at] for at in (wanted.source, source.text, EVERY) if at in self._update),
            None,
        )
        pin = pin_for(self.lock, source, wanted.version, by)
        if anew is not None:
            content = self._resolver.resolved(source, _requirement(anew) if anew else request, pin)
        elif pin is not None and request.fits(pin.version):
            content = self._resolver.pinned(source, pin)
        else:
            content = self._resolver.resolved(source, request, None)
            self._note(source, content, pin)
        if content.shown and self._folder:
            content = content.shown_as(posixpath.normpath(f"{self._folder}/{content.shown}"))
        self._found[key] = content
        said = identity(content)
        if said is not None:
            self._pins[source.text, by, wanted.version] = Pin(
                template=source.text,
                requested=wanted.version,
                name=said.name,
                version=said.version,
                digest=content.digest,
                commit=content.commit,
                by=by,
            )
        return content

    def knows(self, wanted: Wanted) -> bool:
        """Whether just this was asked for and found before."""
        try:
            source = self._source(wanted)
        except UsageError:
            return False
        by = str(identity(wanted.parent)) if wanted.parent is not None else ""
        return (source, wanted.version, by) in self._found

    def versions(self, source: str, parent: TemplateContent | None = None) -> list[str]:
        """Every version that `source` has, the newest first. Raises TemplateUnavailable."""
        return self._resolver.versions(self._source(Wanted(source=source, parent=parent)))

    def pins(self) -> Lock:
        """What the lock would hold: everything found so far, in that order."""
        return Lock(pins=tuple(self._pins.values()))

    @property
    def stale(self) -> list[str]:
        """Why the lock is not what was found; empty if it is. For after everything was found."""
        return differences(self.lock, self.pins(), lock_path(self._path).name)

    def _source(self, wanted: Wanted) -> TemplateSource:
        parent = wanted.parent.origin if wanted.parent is not None else None
        source = parse_source(wanted.source, self._path.parent, parent)
        require_reach(source, self._reach)
        return source

    def _note(self, source: TemplateSource, content: TemplateContent, was: Pin | None) -> None:
        name = lock_path(self._path).name
        said = identity(content)
        note = f"{said} ({source.text}) is not pinned in {name}; `mlops-iac compile` writes it"
        if self.lock is None:
            note = (
                f"there is no {name}: the newest versions of templates that fit are taken;"
                " `mlops-iac compile` writes it"
            )
        elif was is not None and said is not None and was.version != said.version:
            note = (
                f"{said} ({source.text}) takes the place of {was.version}, which {name} pins:"
                " `mlops-iac template update` shows what that does and runs its migrations,"
                " `mlops-iac compile` only writes it"
            )
        if note not in self.notes:
            self.notes.append(note)


def is_offline() -> bool:
    """Whether MLOPS_IAC_OFFLINE is set."""
    return os.environ.get("MLOPS_IAC_OFFLINE", "").lower() not in ("", "0", "false", "no")


def _requirement(text: str) -> Requirement:
    try:
        return parse_requirement(text)
    except VersionInvalid as error:
        raise TemplateUnavailable("template-version", error.message, hint=error.hint) from None
