"""Who stands on which version of which template, read from blueprints and locks as data alone.

Nothing of a checkout is run or resolved: a blueprint's `extends`, and what the lock beside it pins.
What the newest version is, the templates' own places are asked, each once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.source import Node, read
from mlops_iac.blueprint.templates.applying import uses
from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.records import Record
from mlops_iac.templates.lockfile import Lock, Pin, lock_path, read_lock
from mlops_iac.templates.pinning import pin_for
from mlops_iac.templates.resolver import Resolver
from mlops_iac.templates.sources import parse_source
from mlops_iac.templates.sources.base import TemplateSource
from mlops_iac.templates.sources.folder import FolderSource
from mlops_iac.templates.sources.git import GitSource
from mlops_iac.templates.sources.repositories import Repositories
from mlops_iac.templates.versions import VersionInvalid, parse_requirement, parse_version

Behind = Literal["", "patch", "minor", "major"]
State = Literal["pinned", "not pinned", "stale"]
_ASKED_AT_ONCE = 8


class TemplateUse(Record):
    """One template of one blueprint.

    `template` is its name where a lock tells it, else its source; `requested` the range as written,
    `version` what is pinned (empty: nothing), `newest` the newest release there is (empty: not
    known), `behind` how far the pinned version is behind it. `by` is the template that brings it.
    `why` says what is stale.
    """

    blueprint: str
    name: str
    owner: str
    template: str
    source: str
    requested: str
    version: str = ""
    newest: str = ""
    behind: Behind = ""
    state: State = "pinned"
    by: str = ""
    why: str = ""


class Summary(Record):
    """One template over all blueprints: how many stand on which version, oldest first."""

    template: str
    sources: tuple[str, ...]
    newest: str
    blueprints: int
    versions: dict[str, int]
    unpinned: int
    stale: int
    behind: dict[str, int]


class Usage(Record):
    """All uses, sorted by template, version and blueprint.

    `problems` are blueprints and locks that cannot be read, `notes` places that do not answer;
    `blueprints` counts those that were read, `without` those of them that extend nothing.
    """

    uses: tuple[TemplateUse, ...]
    summaries: tuple[Summary, ...]
    problems: tuple[Diagnostic, ...]
    notes: tuple[str, ...]
    blueprints: int
    without: int


def usage(blueprints: Iterable[Path], *, template: str = "", offline: bool = False) -> Usage:
    """Read all blueprints and their locks. `template` keeps one, by name or source.

    `offline` asks no repository for its versions.
    """
    problems: list[Diagnostic] = []
    found: list[tuple[TemplateUse, TemplateSource | None]] = []
    number = without = 0
    for path in blueprints:
        try:
            own = list(_uses(path, problems))
        except BlueprintInvalid as error:
            problems += error.diagnostics
            continue
        except UsageError as error:
            problems.append(Diagnostic("unreadable", error.message, file=path.as_posix()))
            continue
        number += 1
        without += not own
        found += [each for each in own if _meant(each[0], template)]
    newest, notes = _newest([source for _, source in found if source is not None], offline)
    made = [_told(use, newest.get(_key(source), "")) for use, source in found]
    made.sort(key=lambda use: (use.template, _order(use.version), use.blueprint, use.by))
    return Usage(
        uses=tuple(made),
        summaries=tuple(_summaries(made)),
        problems=tuple(problems),
        notes=tuple(notes),
        blueprints=number,
        without=without,
    )


def _uses(
    path: Path, problems: list[Diagnostic]
) -> Iterator[tuple[TemplateUse, TemplateSource | None]]:
    """Every template of one blueprint. Raises BlueprintInvalid, UsageError."""
    shown = path.as_posix()
    tree, wrong = compose(read(path, shown))
    if wrong:
        raise BlueprintInvalid(wrong)
    entry = tree.entries.get("extends")
    written, wrong = uses(entry.value) if entry is not None else ([], [])
    if entry is not None and entry.value.kind != "list":
        wrong = [Diagnostic("wrong-type", "'extends' takes a list", shown, entry.key.line)]
    if wrong:
        raise BlueprintInvalid(wrong)
    lock = lock_path(path)
    name, owner = _text(tree, "name"), _text(tree, "owner")
    try:
        pins = read_lock(lock, lock.as_posix())
    except BlueprintInvalid as error:
        problems += error.diagnostics
        pins = None
        unread = error.diagnostics[0].message
    else:
        unread = ""
    used: list[Pin] = []
    for use, node in written:
        try:
            source = parse_source(use.template, path.parent)
        except TemplateUnavailable as error:
            place = node.entries["template"].value
            problems.append(
                Diagnostic(error.code, error.message, shown, place.line, hint=error.hint)
            )
            continue
        requested = use.version or ""
        pin = pin_for(pins, source, requested, "")
        if pin is not None:
            used.append(pin)
        state, why = _state(pins, pin, requested, lock.name, unread)
        yield (
            TemplateUse(
                blueprint=shown,
                name=name,
                owner=owner,
                template=pin.name if pin is not None else source.text,
                source=source.text,
                requested=requested,
                version=pin.version if pin is not None else "",
                state=state,
                why=why,
            ),
            source,
        )
    yield from _brought(path, name, owner, pins, used)


def _brought(
    path: Path, name: str, owner: str, lock: Lock | None, used: Sequence[Pin]
) -> Iterator[tuple[TemplateUse, TemplateSource | None]]:
    """What the lock pins beyond the blueprint's own list: through other templates, or no more."""
    for pin in lock.pins if lock else ():
        if pin in used:
            continue
        try:
            source = parse_source(pin.template, path.parent)
        except TemplateUnavailable:
            source = None
        yield (
            TemplateUse(
                blueprint=path.as_posix(),
                name=name,
                owner=owner,
                template=pin.name,
                source=pin.template,
                requested=pin.requested,
                version=pin.version,
                by=pin.by,
                state="pinned" if pin.by else "stale",
                why="" if pin.by else "it is locked and no longer extended",
            ),
            source,
        )


def _state(
    lock: Lock | None, pin: Pin | None, requested: str, name: str, unread: str
) -> tuple[State, str]:
    if pin is None:
        if unread:
            return "not pinned", unread
        return "not pinned", f"it is not in {name}" if lock is not None else f"there is no {name}"
    try:
        fits = parse_requirement(requested).fits(pin.version)
    except VersionInvalid as error:
        return "stale", error.message
    if not fits:
        return "stale", f"{pin.version} is locked and {requested} is asked for"
    if pin.requested != requested:
        asked, before = requested or "any release", pin.requested or "any release"
        return "stale", f"{asked} is asked for, and was {before} when it was locked"
    return "pinned", ""


def _newest(
    sources: Sequence[TemplateSource], offline: bool
) -> tuple[dict[str, str], Sequence[str]]:
    """The newest release of each source, and what is to be told of those that do not answer."""
    wanted = {_key(source): source for source in sources}
    repositories = Repositories(offline=offline)
    asked = [each for each in wanted.values() if isinstance(each, GitSource) and not offline]
    by_url = {each.url: each for each in asked}
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:  # the slowest decides, not the sum
        list(pool.map(lambda source: _tags(repositories, source), by_url.values()))
    resolver = Resolver(repositories, [], offline=offline)
    newest: dict[str, str] = {}
    notes: list[str] = []
    for key, source in wanted.items():
        if isinstance(source, GitSource) and offline:
            continue
        try:
            versions = resolver.versions(source)
        except TemplateUnavailable as error:
            notes.append(f"the newest version is not known: {error.message}")
            continue
        released = [each for each in versions if not parse_version(each).prerelease]
        newest[key] = next(iter(released or versions), "")
    if offline and any(isinstance(each, GitSource) for each in wanted.values()):
        notes.append("git repositories are not asked for their newest version: --offline")
    return newest, sorted(dict.fromkeys(notes))


def _tags(repositories: Repositories, source: GitSource) -> None:
    try:
        repositories.tags(source)
    except TemplateUnavailable:
        return  # asked again where it is told


def _key(source: TemplateSource | None) -> str:
    """What tells one place from another, wherever the blueprint lies."""
    if source is None:
        return ""
    return os.path.normpath(source.path) if isinstance(source, FolderSource) else source.text


def _told(use: TemplateUse, newest: str) -> TemplateUse:
    values = {key: getattr(use, key) for key in use.__match_args__}
    return TemplateUse(**{**values, "newest": newest, "behind": behind(use.version, newest)})


def behind(version: str, newest: str) -> Behind:
    """How far `version` is behind `newest`; empty where it is not, or that is not known."""
    if not version or not newest:
        return ""
    old, new = parse_version(version), parse_version(newest)
    if old >= new:
        return ""
    if old.major != new.major:
        return "major"
    return "minor" if old.minor != new.minor else "patch"


def _summaries(found: Sequence[TemplateUse]) -> Iterator[Summary]:
    by_template: dict[str, list[TemplateUse]] = {}
    for use in found:
        by_template.setdefault(use.template, []).append(use)
    for template, members in by_template.items():
        known = [use for use in members if use.version]
        versions: dict[str, int] = {}
        for use in known:
            versions[use.version] = versions.get(use.version, 0) + 1
        distances: dict[str, int] = {}
        for use in members:
            if use.behind:
                distances[use.behind] = distances.get(use.behind, 0) + 1
        yield Summary(
            template=template,
            sources=tuple(sorted({use.source for use in members})),
            newest=max((use.newest for use in members), key=_order),
            blueprints=len({use.blueprint for use in members}),
            versions=versions,
            unpinned=sum(use.state == "not pinned" for use in members),
            stale=sum(use.state == "stale" for use in members),
            behind=distances,
        )


def _order(version: str) -> tuple[bool, object]:
    """Sorts versions; what is not pinned comes first."""
    return (True, parse_version(version)) if version else (False, "")


def _meant(use: TemplateUse, template: str) -> bool:
    names = (use.template, use.source, use.template.rpartition("/")[2])
    return not template or template in names


def _text(tree: Node, key: str) -> str:
    entry = tree.entries.get(key)
    return entry.value.text if entry is not None and entry.value.kind == "scalar" else ""
