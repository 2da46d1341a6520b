"""Finds the templates of one blueprint: what its lock pins, else the newest version that fits."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlops_iac.blueprint.reach import Reach
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable, Wanted
from mlops_iac.errors import UsageError
from mlops_iac.templates.found import manifest_of
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
    With `past`, which gives the files that a source once had, or None, and is called before anything
    looks there, templates are as they were pinned, whatever has become of the places that they are
    from, and also where the range that is asked for now has no room for what is pinned.

    `contents` is what was found, by name; `notes` what to tell about it; `stale` why the lock is
    not what was found.
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
        past: Callable[[TemplateSource], Mapping[str, bytes] | None] | None = None,
    ) -> None:
        self._past = past
        self._path = Path(blueprint_path).absolute()
        self._folder = posixpath.dirname(shown)
        self._reach = reach or Reach.around(self._path.parent)
        self.lock = lock
        self._update = dict(update or {})
        offline = offline or is_offline()
        repositories = repositories or Repositories(offline=offline, timeout=timeout)
        self._found: dict[tuple[object, ...], TemplateContent] = {}
        self._pins: dict[tuple[str, str, str], Pin] = {}
        self.contents: dict[str, TemplateContent] = {}
        self.notes: list[str] = []
        self._resolver = Resolver(repositories, self.notes, offline=offline)

    @classmethod
    def beside(
        cls,
        blueprint_path: Path | str,
        *,
        shown: str = "",
        reach: Reach | None = None,
        **options: Any,
    ) -> Finder:
        """A finder with the lock that lies beside the blueprint. Raises BlueprintInvalid."""
        called = lock_path(Path(shown or Path(blueprint_path).name)).as_posix()
        lock = read_lock(lock_path(Path(blueprint_path)), called, reach)
        return cls(blueprint_path, lock=lock, shown=shown, reach=reach, **options)

    def find(self, wanted: Wanted) -> TemplateContent:
        """The version that is pinned, or the newest that fits. Raises TemplateUnavailable."""
        source = self._source(wanted)
        by = _by(wanted)
        key = (source, wanted.version, by)
        if key in self._found:
            return self._found[key]
        pin = pin_for(self.lock, source, wanted.version, by)
        content = self._resolver.former(source, pin, self._past) if self._past else None
        if content is None:
            content = self._now(wanted, source, pin)
        if content.shown and self._folder:
            content = content.shown_as(posixpath.normpath(f"{self._folder}/{content.shown}"))
        self._found[key] = content
        said = manifest_of(content)
        if said is not None:
            self.contents[said.name] = content
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

    def _now(self, wanted: Wanted, source: TemplateSource, pin: Pin | None) -> TemplateContent:
        request = _requirement(wanted.version)
        for at in (wanted.source, source.text, EVERY):
            if at in self._update:
                anew = self._update[at]
                return self._resolver.resolved(source, _requirement(anew) if anew else request, pin)
        if pin is not None and request.fits(pin.version):
            return self._resolver.pinned(source, pin)
        content = self._resolver.resolved(source, request, None)
        self._note(source, content, pin)
        return content

    def knows(self, wanted: Wanted) -> bool:
        """Whether just this was asked for and found before."""
        try:
            source = self._source(wanted)
        except UsageError:
            return False
        return (source, wanted.version, _by(wanted)) in self._found

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
        said = manifest_of(content)
        label = said.label if said is not None else None
        note = f"{label} ({source.text}) is not pinned in {name}; `mlops-iac compile` writes it"
        if self.lock is None:
            note = (
                f"there is no {name}: the newest versions of templates that fit are taken;"
                " `mlops-iac compile` writes it"
            )
        elif was is not None and said is not None and was.version != said.version:
            note = (
                f"{label} ({source.text}) takes the place of {was.version}, which {name} pins:"
                " `mlops-iac template update` shows what that does and runs its migrations,"
                " `mlops-iac compile` only writes it"
            )
        if note not in self.notes:
            self.notes.append(note)


def is_offline() -> bool:
    """Whether MLOPS_IAC_OFFLINE is set."""
    return os.environ.get("MLOPS_IAC_OFFLINE", "").lower() not in ("", "0", "false", "no")


def _by(wanted: Wanted) -> str:
    """The template that asks; empty for the blueprint."""
    return parse(wanted.parent).manifest.label if wanted.parent is not None else ""


def _requirement(text: str) -> Requirement:
    try:
        return parse_requirement(text)
    except VersionInvalid as error:
        raise TemplateUnavailable("template-version", error.message, hint=error.hint) from None
