"""What an update of templates does, worked out: two readings of one blueprint, compared.

As it is locked and written, and as it would be; both are captured in this process and in a folder
of their own, and the working tree is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compare.committed_templates import committed_files
from mlops_iac.api.compare.comparisons import HEAD
from mlops_iac.api.core.repository import around
from mlops_iac.api.templates import request as requests
from mlops_iac.api.templates.effect import Effect, effect_of
from mlops_iac.api.templates.moves import moves
from mlops_iac.api.templates.request import Request
from mlops_iac.api.templates.update import TemplateUpdate
from mlops_iac.blueprint.combine import in_order
from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.editing.files import Rewrite, TextFile
from mlops_iac.blueprint.loaded import inspect, shown_as
from mlops_iac.blueprint.source import Source
from mlops_iac.blueprint.templates.applied import AppliedTemplate
from mlops_iac.blueprint.templates.applying import Applier, parse
from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import BlueprintInvalid, UsageError
from mlops_iac.templates.finder import Finder, is_offline
from mlops_iac.templates.lockfile import Lock, lock_path, parse_lock, read_lock, render_lock
from mlops_iac.templates.sources.repositories import Repositories
from mlops_iac.templates.versions import parse_version

if TYPE_CHECKING:
    from mlops_iac.blueprint.templates.content import TemplateFinder


def prepare(path: str | Path, request: Request) -> TemplateUpdate:
    """Work out what an update does.

    Raises UsageError for a template or version that is none, BlueprintInvalid for a blueprint that
    cannot be edited and a lock of a newer format.
    """
    return _Preparation(Path(path), request).update()


class _Preparation:
    def __init__(self, path: Path, request: Request) -> None:
        self.path = path.absolute()
        self.shown = shown_as(path)
        self.request = request
        self.notes: list[str] = []
        self.file = TextFile(self.path, self.shown)
        self.lock_path = lock_path(self.path)
        self.lock_shown = lock_path(Path(self.shown)).as_posix()
        self.lock = self._lock()
        offline = request.offline or is_offline()
        self.offline = offline
        self.repositories = Repositories(offline=offline)

    def update(self) -> TemplateUpdate:
        """All of it."""
        text = self.file.text
        pinned = self._finder(past=partial(committed_files, self.path))
        as_pinned, unread = requests.without_new_parameters(text, pinned, self.shown)
        was = self._applied(as_pinned, pinned)
        found = requests.direct_uses(text, self.path.parent, self.shown)
        known = pinned.pins().pins if was else requests.written(found, self.lock)
        meant = requests.chosen(known, self.request.name, self.request.to, found) if known else []
        anew = requests.updates(meant, self.request.name, self.request.to)
        text = requests.widened(text, found, meant, self.request.to, self.shown)
        if text != self.file.text:
            found = requests.direct_uses(text, self.path.parent, self.shown)
        versions = {pin.name: pin.version for pin in (self.lock.pins if self.lock else ())}
        versions |= {each.manifest.name: each.manifest.version for each in was}
        text, done = requests.migrated(text, found, self._finder(update=anew), versions, self.shown)
        finder = self._finder(update=anew)
        after, diagnostics = inspect(self.path, shown=self.shown, text=text, templates=finder)
        if after is not None and not after.templates and (self.request.name or self.request.to):
            raise UsageError(
                f"{self.shown} stands on no template",
                hint="`extends: [{template: SOURCE, version: ^1}]` makes it stand on one",
            )
        now = (
            after.templates if after is not None else self._applied(text, self._finder(update=anew))
        )
        problems = [each for each in diagnostics if each.severity == "error"]
        made = moves(was, now or self._found(found, anew, was), self.lock, limits=bool(now))
        if after is None and not now:  # nobody knows what would be used
            made = [each for each in made if each.kind != "gone"]
        back = [each.name for each in made if each.kind == "downgrade"]
        if back:
            self.notes.append(f"a downgrade of {listed(back)}: migrations are not taken back")
        if not self.request.to and not self.offline:
            self.notes += _outside(now, finder)
        # That something is not pinned is told with what would be written.
        self.notes += [note for note in finder.notes if "`mlops-iac compile`" not in note]
        effect = Effect()
        if after is not None and (text != self.file.text or not _same(was, now)):
            before, wrong = inspect(self.path, shown=self.shown, text=as_pinned, templates=pinned)
            why = next((each.message for each in wrong if each.severity == "error"), "")
            effect = effect_of(before, why, after, self.request, self.lock)
            self.notes += [unread, *effect.notes] if before is not None and unread else effect.notes
        lock = render_lock(finder.pins()).encode() if finder.pins().pins else None
        files = [
            self.file.with_text(text),
            Rewrite(self.lock_path, self._lock_bytes(), lock, self.lock_shown),
        ]
        return TemplateUpdate(
            blueprint=self.shown,
            lock=self.lock_shown,
            moves=made,
            migrations=done,
            files=files,
            **vars(effect)
            | {
                "problems": in_order([*problems, *effect.problems]),
                "notes": list(dict.fromkeys(self.notes)),
            },
        )

    def _finder(self, **options: Any) -> Finder:
        return Finder(
            self.path,
            lock=self.lock,
            offline=self.offline,
            repositories=self.repositories,
            **options,
        )

    def _lock(self) -> Lock | None:
        """The lock; one that was edited or merged badly is written anew, and that is told."""
        try:
            return read_lock(self.lock_path, self.lock_shown)
        except BlueprintInvalid as error:
            first = error.diagnostics[0]
            if first.code == "lock-newer":
                raise
            committed = self._committed_lock()
            instead = "there is none in git"
            if committed is not None:
                instead = f"the one at {HEAD} counts"
            self.notes.append(f"{first.message}; {instead}, and it is written anew")
            return committed

    def _committed_lock(self) -> Lock | None:
        """The lock that is committed; None where there is none that can be read."""
        with around(self.path.parent) as repository:
            if repository is None:
                return None
            try:
                path = repository.relative(self.lock_path)
                raw = repository.read(repository.commit(HEAD), path)
                if raw is None:
                    return None
                return parse_lock(Source(self.lock_shown, raw.decode("utf-8", "replace")))
            except UsageError:
                return None

    def _lock_bytes(self) -> bytes | None:
        return self.lock_path.read_bytes() if self.lock_path.is_file() else None

    def _applied(self, text: str, finder: TemplateFinder) -> Sequence[AppliedTemplate]:
        """The templates of a text, also of one that is not valid; nothing where one is missing."""
        try:
            root, _ = compose(Source(self.shown, text))
            applier = Applier(finder)
            applier.walk(root)
        except BlueprintInvalid:
            return ()
        return () if applier.problems else applier.applied

    def _found(
        self, found: Sequence[requests.Use], anew: dict[str, str], was: Sequence[AppliedTemplate]
    ) -> list[AppliedTemplate]:
        """The templates that there would be, where they cannot be laid under the blueprint."""
        requested = {use.source: use.requested for use in found}
        below = {each.manifest.name: each for each in was if each.by}
        made: list[AppliedTemplate] = []
        for name, content in requests.contents(found, self._finder(update=anew)):
            reading = parse(content)
            asked, by = requested.get(content.source, ""), ""
            if not asked and name in below:
                asked, by = below[name].requested, below[name].by
            manifest, root = reading.manifest, reading.root
            made.append(
                AppliedTemplate(content.source, asked, content, manifest, {}, root, {}, (), by)
            )
        names = {each.manifest.name for each in made}
        # Nothing is known to go: what is not found now is told as a problem.
        return [*made, *(each for each in was if each.manifest.name not in names)]


def _outside(now: Sequence[AppliedTemplate], finder: Finder) -> Iterator[str]:
    """What there is that the ranges of the blueprint have no room for."""
    for each in now:
        try:
            known = [] if each.by else finder.versions(each.asked)
        except TemplateUnavailable:
            continue
        newest = next((v for v in known if not parse_version(v).prerelease), "")
        name, version = each.manifest.name, each.manifest.version
        if newest and parse_version(newest) > parse_version(version):
            take = f"`mlops-iac template update {name} --to {newest}`"
            yield f"there is {name} {newest}, for which {each.requested} has no room: {take}"


def _same(was: Sequence[AppliedTemplate], now: Sequence[AppliedTemplate]) -> bool:
    def content(found: Sequence[AppliedTemplate]) -> list[str]:
        return [each.content.digest for each in found]

    return content(was) == content(now)
