"""What an update of templates does, worked out: two readings of one blueprint, compared.

As it is locked and written, and as it would be; both are captured in this process and in a folder
of their own, and the working tree is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from mlops_iac.api.compare.committed_templates import committed_files
from mlops_iac.api.compare.comparisons import HEAD
from mlops_iac.api.core.repository import around
from mlops_iac.api.templates.effect import Effect, effect_of
from mlops_iac.api.templates.moves import Standing, moves, standing
from mlops_iac.api.templates.request import Request, chosen, direct_uses, known, updates, widened
from mlops_iac.api.templates.update import TemplateUpdate
from mlops_iac.blueprint.combine import in_order
from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.editing import Editor
from mlops_iac.blueprint.editing.files import Rewrite, TextFile
from mlops_iac.blueprint.loaded import inspect, shown_as
from mlops_iac.blueprint.source import Source
from mlops_iac.blueprint.templates.applying import Applier, parse
from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import BlueprintInvalid, UsageError
from mlops_iac.templates.finder import Finder, is_offline
from mlops_iac.templates.lockfile import Lock, lock_path, parse_lock, read_lock, render_lock
from mlops_iac.templates.migrating import Done, migrate
from mlops_iac.templates.sources.repositories import Repositories
from mlops_iac.templates.versions import parse_version


def prepare(path: str | Path, request: Request) -> TemplateUpdate:
    """Work out what an update does.

    Raises UsageError for a template or version that is none, BlueprintInvalid for a blueprint that
    cannot be edited and a lock of a newer format.
    """
    shown, path = shown_as(Path(path)), Path(path).absolute()
    file, locked = TextFile(path, shown), lock_path(path)
    lock_shown = lock_path(Path(shown)).as_posix()
    notes: list[str] = []
    lock = _lock(locked, lock_shown, notes)
    offline = request.offline or is_offline()
    repositories = Repositories(offline=offline)

    def finder(**options: Any) -> Finder:
        return Finder(path, lock=lock, offline=offline, repositories=repositories, **options)

    pinned = finder(past=partial(committed_files, path))
    as_pinned, unread = _without_new_parameters(file.text, pinned, shown)
    was = standing(as_pinned, pinned, shown)
    uses = direct_uses(file.text, path.parent, shown)
    there = known(uses, lock, was.pins)
    meant = chosen(there, request.name, request.to, uses) if there else []
    anew = updates(meant, request.name, request.to)
    text = widened(file.text, uses, meant, request.to, shown)
    versions = {pin.name: pin.version for pin in (*(lock.pins if lock else ()), *was.pins)}
    text, done = _migrated(text, finder(update=anew), versions, path, shown)
    found = finder(update=anew)
    after, diagnostics = inspect(path, shown=shown, text=text, templates=found)
    if after is not None and not after.templates and (request.name or request.to):
        raise UsageError(
            f"{shown} stands on no template",
            hint="`extends: [{template: SOURCE, version: ^1}]` makes it stand on one",
        )
    problems = [each for each in diagnostics if each.severity == "error"]
    now = standing(text, found, shown)
    made = moves(was, now, lock)
    back = [each.name for each in made if each.kind == "downgrade"]
    if back:
        notes.append(f"a downgrade of {listed(back)}: migrations are not taken back")
    if not request.to and not offline:
        notes += _outside(now, found)
    # That something is not pinned is told with what would be written.
    notes += [note for note in found.notes if "`mlops-iac compile`" not in note]
    effect = Effect()
    if after is not None and (text != file.text or was.digests != now.digests):
        before, wrong = inspect(path, shown=shown, text=as_pinned, templates=pinned)
        why = next((each.message for each in wrong if each.severity == "error"), "")
        effect = effect_of(before, why, after, request, lock)
        notes += [unread, *effect.notes] if before is not None and unread else effect.notes
    pins = found.pins()
    lock_bytes = locked.read_bytes() if locked.is_file() else None
    rewritten = render_lock(pins).encode() if pins.pins else None
    return TemplateUpdate(
        blueprint=shown,
        lock=lock_shown,
        moves=made,
        migrations=done,
        files=[file.with_text(text), Rewrite(locked, lock_bytes, rewritten, lock_shown)],
        **vars(effect)
        | {
            "problems": in_order([*problems, *effect.problems]),
            "notes": list(dict.fromkeys(notes)),
        },
    )


def _lock(path: Path, shown: str, notes: list[str]) -> Lock | None:
    """The lock; for one that was edited or merged badly the committed one, and that is told."""
    try:
        return read_lock(path, shown)
    except BlueprintInvalid as error:
        first = error.diagnostics[0]
        if first.code == "lock-newer":
            raise
    committed, instead = None, "there is none in git"
    with around(path.parent) as repository, suppress(UsageError):
        if repository is not None:
            raw = repository.read(repository.commit(HEAD), repository.relative(path))
            if raw is not None:
                committed = parse_lock(Source(shown, raw.decode("utf-8", "replace")))
                instead = f"the one at {HEAD} counts"
    notes.append(f"{first.message}; {instead}, and it is written anew")
    return committed


def _migrated(
    text: str, finder: Finder, versions: Mapping[str, str], path: Path, shown: str
) -> tuple[str, list[tuple[str, Done]]]:
    """The text after every migration between `versions` (by template) and what `finder` finds.

    What was done comes with the template's name. What others stand on is perhaps found only once
    these can be read. Raises BlueprintInvalid where the text cannot be edited.
    """
    done: list[tuple[str, Done]] = []
    seen: set[str] = set()
    while True:
        found = standing(text, finder, shown).contents
        due = [name for name in reversed([*found]) if name not in seen]
        if not due:
            return text, done
        for name in due:
            seen.add(name)
            content, old = found[name], versions.get(name, "")
            manifest = parse(content).manifest
            if old and parse_version(manifest.version) > parse_version(old):
                uses = direct_uses(text, path.parent, shown)
                sources = {use.asked for use in uses if use.source == content.source}
                result = migrate(
                    text, manifest.migrations, old=old, new=manifest.version, sources=sources,
                    file=shown,
                )  # fmt: skip
                text = result.text
                done += [(name, each) for each in result.done]


def _without_new_parameters(text: str, finder: Finder, shown: str) -> tuple[str, str]:
    """The text without the parameters that the templates `finder` finds do not have, and a note.

    A version that needs one more parameter is only taken by a blueprint that gives it, and what
    is locked refuses that blueprint: without this nothing could be compared.
    """
    applier = Applier(finder)
    try:
        applier.walk(compose(Source(shown, text))[0])
        unknown = [each.path for each in applier.problems if each.code == "unknown-parameter"]
        editor = Editor(text, file=shown) if unknown else None
        for path in unknown:
            assert editor is not None
            editor.remove(path)
    except BlueprintInvalid:
        return text, ""
    if editor is None:
        return text, ""
    names = listed(dict.fromkeys(path.partition(".parameters.")[2] for path in unknown))
    return editor.text, (
        f"as it is pinned now, {shown} is read without {names}: the pinned version has no such"
        " parameter"
    )


def _outside(now: Standing, finder: Finder) -> Iterator[str]:
    """What there is that the ranges of the blueprint have no room for."""
    for each in now.applied:
        try:
            known = [] if each.by else finder.versions(each.asked)
        except TemplateUnavailable:
            continue
        newest = next((v for v in known if not parse_version(v).prerelease), "")
        name, version = each.manifest.name, each.manifest.version
        if newest and parse_version(newest) > parse_version(version):
            take = f"`mlops-iac template update {name} --to {newest}`"
            yield f"there is {name} {newest}, for which {each.requested} has no room: {take}"
