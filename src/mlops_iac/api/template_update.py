"""Another version of a blueprint's templates: what it does first, and then, when told to, the files.

Two readings of the blueprint are compared, both captured in this process and in a folder of their
own: as it is locked and written, and as it would be. The working tree is touched by `write` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api import template_request as requests
from mlops_iac.api.leaf_changes import LeafChange
from mlops_iac.api.reviewing import Reviewed
from mlops_iac.api.template_effect import Effect, effect_of
from mlops_iac.api.template_moves import TemplateMove, moves
from mlops_iac.api.together import Rewrite, rewrite
from mlops_iac.blueprint.combine import in_order
from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.editing import TextFile
from mlops_iac.blueprint.loaded import inspect
from mlops_iac.blueprint.source import Source
from mlops_iac.blueprint.templates.applying import Applier
from mlops_iac.errors import BlueprintInvalid, Diagnostic
from mlops_iac.records import Record
from mlops_iac.templates.finder import Finder, is_offline
from mlops_iac.templates.former import Former
from mlops_iac.templates.lockfile import Lock, lock_path, read_lock, render_lock
from mlops_iac.templates.sources.repositories import Repositories

if TYPE_CHECKING:
    from mlops_iac.blueprint.templates.content import AppliedTemplate, TemplateFinder
    from mlops_iac.policy.model import Finding
    from mlops_iac.templates.migrating import Done


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: `name` or source of a template (empty: all), a version, no network.

    `own` runs the guard rails of the team's `policies/` folder, which are code.
    """

    name: str = ""
    to: str = ""
    offline: bool = False
    own: bool = True


@dataclass(frozen=True)
class TemplateUpdate:
    """What an update does. Nothing is written before `write`.

    `problems` are what the blueprint would break, at its lines, and `broken` the mandatory guard
    rails that it would break and does not break today: with either the update is refused.
    `reviews` are those of every environment, or of `local` where there is no other one.
    """

    blueprint: str
    lock: str
    moves: Sequence[TemplateMove]
    migrations: Sequence[tuple[str, Done]]
    leaves: Sequence[LeafChange]
    reviews: Sequence[Reviewed]
    problems: Sequence[Diagnostic]
    broken: Sequence[tuple[str, Finding]]
    notes: Sequence[str]
    environments: Sequence[str]
    files: Sequence[Rewrite] = field(repr=False)

    @property
    def needed(self) -> bool:
        """Whether there is anything to write, or that cannot be."""
        return self.refused or any(each.old != each.new for each in self.files)

    @property
    def refused(self) -> bool:
        """Whether the team's blueprint does not stand on the new versions."""
        return bool(self.problems or self.broken)

    @property
    def diff(self) -> str:
        """What becomes of the blueprint's text; empty where it stays."""
        old, new = (
            (each or b"").decode("utf-8-sig") for each in (self.files[0].old, self.files[0].new)
        )
        lines = unified_diff(
            old.splitlines(keepends=True),
            new.splitlines(keepends=True),
            f"a/{self.blueprint}",
            f"b/{self.blueprint}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self) -> list[Path]:
        """Write lock and blueprint, both or none; the paths that changed.

        Raises BlueprintInvalid where the update is refused, UsageError where a file was changed in
        the meantime, MlopsError where one cannot be written.
        """
        if self.problems:
            raise BlueprintInvalid(self.problems)
        assert not self.broken
        return rewrite(self.files)


def prepare(path: str | Path, request: Request) -> TemplateUpdate:
    """Work out what an update does.

    Raises UsageError for a template or version that is none, BlueprintInvalid for a blueprint that
    cannot be edited and a lock of a newer format.
    """
    return _Preparation(Path(path), request).update()


def as_json(update: TemplateUpdate, *, written: bool) -> dict[str, Any]:
    """The update as JSON-able data, without secrets."""
    from mlops_iac.graph.hidden import hidden

    def plain(value: Any) -> Any:
        if isinstance(value, Record):
            return {key: plain(getattr(value, key)) for key in value.__match_args__}
        return [plain(item) for item in value] if isinstance(value, list | tuple) else value

    def leaf(change: LeafChange) -> dict[str, Any]:
        values = {key: hidden(change.path, getattr(change, key)) for key in ("old", "new")}
        return {**asdict(change), **values}

    return {
        "blueprint": update.blueprint,
        "lock": update.lock,
        "needed": update.needed,
        "refused": update.refused,
        "written": written,
        "templates": [
            {each.name: plain(getattr(move, each.name)) for each in fields(move)}
            for move in update.moves
        ],
        "migrations": [{"template": name, **plain(done)} for name, done in update.migrations],
        "diff": update.diff,
        "values": [leaf(change) for change in update.leaves],
        "stacks": [each.review.to_json() for each in update.reviews],
        "problems": [asdict(each) for each in update.problems],
        "broken": [{"stack": stack, **asdict(finding)} for stack, finding in update.broken],
        "notes": list(update.notes),
    }


class _Preparation:
    def __init__(self, path: Path, request: Request) -> None:
        self.path = path.absolute()
        self.shown = _shown(path)
        self.request = request
        self.notes: list[str] = []
        self.file = TextFile(self.path, self.shown)
        self.raw = self.path.read_bytes()
        self.lock_path = lock_path(self.path)
        self.lock_shown = lock_path(Path(self.shown)).as_posix()
        self.lock = self._lock()
        offline = request.offline or is_offline()
        self.offline = offline
        self.repositories = Repositories(offline=offline)

    def update(self) -> TemplateUpdate:
        """All of it."""
        text = self.file.text
        former = Former(self.path, self.lock, offline=self.offline, repositories=self.repositories)
        was = self._applied(text, former)
        found = requests.direct_uses(text, self.path.parent, self.shown)
        known = requests.known_templates(was, found, self.lock)
        meant = requests.chosen(known, self.request.name, self.request.to, found) if known else []
        anew = requests.updates(meant, self.request.name, self.request.to)
        text = requests.widened(text, found, meant, self.request.to, self.shown)
        if text != self.file.text:
            found = requests.direct_uses(text, self.path.parent, self.shown)
        versions = {pin.name: pin.version for pin in (self.lock.pins if self.lock else ())}
        versions |= {each.manifest.name: each.manifest.version for each in was}
        text, done = requests.migrated(text, found, self._finder(anew), versions, self.shown)
        finder = self._finder(anew)
        after, diagnostics = inspect(
            self.path, shown=self.shown, text=text, templates=lambda: finder
        )
        now = after.templates if after is not None else self._applied(text, self._finder(anew))
        problems = [each for each in diagnostics if each.severity == "error"]
        made = moves(was, now, self.lock)
        self.notes += finder.notes
        effect = Effect()
        if after is not None and (text != self.file.text or not _same(was, now)):
            before, wrong = inspect(self.path, shown=self.shown, templates=lambda: former)
            why = next((each.message for each in wrong if each.severity == "error"), "")
            effect = effect_of(before, why, after, own=self.request.own)
            self.notes += effect.notes
        lock = render_lock(finder.pins()).encode() if finder.pins().pins else None
        files = [
            Rewrite(self.path, self.raw, self._encoded(text), self.shown),
            Rewrite(self.lock_path, self._lock_bytes(), lock, self.lock_shown),
        ]
        return TemplateUpdate(
            blueprint=self.shown,
            lock=self.lock_shown,
            moves=made,
            migrations=done,
            leaves=effect.leaves,
            reviews=effect.reviews,
            problems=in_order([*problems, *effect.problems]),
            broken=effect.broken,
            notes=list(dict.fromkeys(self.notes)),
            environments=effect.environments,
            files=files,
        )

    def _finder(self, anew: dict[str, str]) -> Finder:
        return Finder(
            self.path,
            lock=self.lock,
            update=anew,
            offline=self.offline,
            repositories=self.repositories,
        )

    def _lock(self) -> Lock | None:
        """The lock; one that was edited or merged badly is written anew, and that is told."""
        try:
            return read_lock(self.lock_path, self.lock_shown)
        except BlueprintInvalid as error:
            first = error.diagnostics[0]
            if first.code == "lock-newer":
                raise
            self.notes.append(f"{first.message}: it is not used, and written anew")
            return None

    def _lock_bytes(self) -> bytes | None:
        return self.lock_path.read_bytes() if self.lock_path.is_file() else None

    def _encoded(self, text: str) -> bytes:
        mark = b"\xef\xbb\xbf"
        return (mark if self.raw.startswith(mark) else b"") + text.encode()

    def _applied(self, text: str, finder: TemplateFinder) -> Sequence[AppliedTemplate]:
        """The templates of a text, also of one that is not valid; nothing where one is missing."""
        try:
            root, _ = compose(Source(self.shown, text))
            applier = Applier(lambda: finder)
            applier.walk(root)
        except BlueprintInvalid:
            return ()
        return () if applier.problems else applier.applied


def _same(was: Sequence[AppliedTemplate], now: Sequence[AppliedTemplate]) -> bool:
    def content(found: Sequence[AppliedTemplate]) -> list[str]:
        return [each.content.digest for each in found]

    return content(was) == content(now)


def _shown(path: Path) -> str:
    """The path as people in this folder would write it."""
    if not path.is_absolute():
        return path.as_posix()
    inside = Path.cwd() in path.parents
    return path.relative_to(Path.cwd()).as_posix() if inside else path.as_posix()
