"""Who stands on which version of which template, over many blueprints.

Nothing of a checkout is run or resolved: a blueprint's `extends` is read, and what the lock beside it
pins. What the newest version is, the templates' own places are asked.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.source import Node, read
from mlops_iac.blueprint.templates.applying import uses
from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.records import Record, replace
from mlops_iac.templates.lockfile import Pin, lock_path, read_lock
from mlops_iac.templates.pinning import pin_for
from mlops_iac.templates.resolver import Resolver
from mlops_iac.templates.sources import parse_source
from mlops_iac.templates.sources.base import TemplateSource
from mlops_iac.templates.sources.folder import FolderSource
from mlops_iac.templates.sources.git import GitSource
from mlops_iac.templates.sources.repositories import Repositories
from mlops_iac.templates.versions import VersionInvalid, parse_requirement, parse_version

State = Literal["pinned", "not pinned", "stale"]
Behind = Literal["", "patch", "minor", "major"]
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


_Found = tuple[TemplateUse, TemplateSource | None]


def usage(blueprints: Iterable[Path], *, template: str = "", offline: bool = False) -> Usage:
    """Read all blueprints and their locks. `template` keeps one, by name or source.

    `offline` asks no repository for its versions.
    """
    problems: list[Diagnostic] = []
    found: list[_Found] = []
    number = without = 0
    for path in blueprints:
        try:
            own = list(_templates_of(path, problems))
        except BlueprintInvalid as error:
            problems += error.diagnostics
            continue
        except UsageError as error:
            problems.append(Diagnostic("unreadable", error.message, file=path.as_posix()))
            continue
        number += 1
        without += not own
        found += own
    # What no lock names, by the name that another blueprint's lock has for the same place.
    names = {_place(source): use.template for use, source in found if use.version and source}
    named = [
        (use if use.version else replace(use, template=names.get(_place(at), use.template)), at)
        for use, at in found
    ]
    kept = [each for each in named if not template or template in _called(each[0])]
    newest, notes = _newest([source for _, source in kept if source is not None], offline)
    made = []
    for use, source in kept:
        known = newest.get(_place(source), "")
        made.append(replace(use, newest=known, behind=behind(use.version, known)))
    made.sort(key=lambda use: (use.template, _order(use.version), use.blueprint, use.by))
    by_template: dict[str, list[TemplateUse]] = {}
    for use in made:
        by_template.setdefault(use.template, []).append(use)
    return Usage(
        uses=tuple(made),
        summaries=tuple(_summary(name, members) for name, members in by_template.items()),
        problems=tuple(problems),
        notes=tuple(notes),
        blueprints=number,
        without=without,
    )


def _called(use: TemplateUse) -> tuple[str, ...]:
    return use.template, use.source, use.template.rpartition("/")[2]


def _summary(template: str, members: Sequence[TemplateUse]) -> Summary:
    states = Counter(use.state for use in members)
    return Summary(
        template=template,
        sources=tuple(sorted({use.source for use in members})),
        newest=max((use.newest for use in members), key=_order),
        blueprints=len({use.blueprint for use in members}),
        versions=dict(Counter(use.version for use in members if use.version)),
        unpinned=states["not pinned"],
        stale=states["stale"],
        behind=dict(Counter(use.behind for use in members if use.behind)),
    )


def _order(version: str) -> tuple[bool, object]:
    """Sorts versions; what is not pinned comes first."""
    return (True, parse_version(version)) if version else (False, "")


def _templates_of(path: Path, problems: list[Diagnostic]) -> Iterator[_Found]:
    """Every template of one blueprint, its own first, then what the lock pins beyond these.

    What is wrong with its lock goes to `problems`. Raises BlueprintInvalid where the blueprint
    cannot be read, UsageError where there is none.
    """
    shown, lock = path.as_posix(), lock_path(path)
    tree, wrong = compose(read(path, shown))
    entry = tree.entries.get("extends")
    written, more = uses(entry.value) if entry is not None else ([], [])
    if entry is not None and entry.value.kind != "list":
        more = [Diagnostic("wrong-type", "'extends' takes a list", shown, entry.key.line)]
    if wrong or more:
        raise BlueprintInvalid(wrong or more)
    pins, unread = None, ""
    try:
        pins = read_lock(lock, lock.as_posix())
    except BlueprintInvalid as error:
        problems += error.diagnostics
        unread = error.diagnostics[0].message
    blueprint = (shown, _text(tree, "name"), _text(tree, "owner"))
    rest = list(pins.pins) if pins is not None else []
    for use, node in written:
        requested = use.version or ""
        try:
            source = parse_source(use.template, path.parent)
        except TemplateUnavailable as error:
            line = node.entries["template"].value.line
            problems.append(Diagnostic(error.code, error.message, shown, line, hint=error.hint))
            continue
        pin = pin_for(pins, source, requested, "")
        if pin is None:
            why = f"it is not in {lock.name}" if pins else f"there is no {lock.name}"
            head = (*blueprint, source.text, source.text, requested)
            yield TemplateUse(*head, state="not pinned", why=unread or why), source
            continue
        rest = [each for each in rest if each != pin]
        why = _stale(pin, requested)
        head = (*blueprint, pin.name, source.text, requested)
        state: State = "stale" if why else "pinned"
        yield TemplateUse(*head, version=pin.version, state=state, why=why), source
    for pin in rest:
        at: TemplateSource | None = None
        with suppress(TemplateUnavailable):
            at = parse_source(pin.template, path.parent)
        why = "" if pin.by else "it is pinned and no longer extended"
        head = (*blueprint, pin.name, pin.template, pin.requested)
        state = "stale" if why else "pinned"
        yield TemplateUse(*head, version=pin.version, by=pin.by, state=state, why=why), at


def _stale(pin: Pin, requested: str) -> str:
    """Why a pin is not what is asked for; empty where it is."""
    try:
        fits = parse_requirement(requested).fits(pin.version)
    except VersionInvalid as error:
        return error.message
    if not fits:
        return f"{pin.version} is pinned and {requested} is asked for"
    if pin.requested != requested:
        asked, before = requested or "any release", pin.requested or "any release"
        return f"{asked} is asked for, and was {before} when it was pinned"
    return ""


def _text(tree: Node, key: str) -> str:
    entry = tree.entries.get(key)
    return entry.value.text if entry is not None and entry.value.kind == "scalar" else ""


def _newest(sources: Sequence[TemplateSource], offline: bool) -> tuple[dict[str, str], list[str]]:
    """The newest release at each place, and what is to be told of those that do not answer."""
    wanted = {_place(source): source for source in sources}
    repositories = Repositories(offline=offline)
    in_git = {each.url: each for each in wanted.values() if isinstance(each, GitSource)}

    def ask(source: GitSource) -> None:
        with suppress(TemplateUnavailable):  # asked again where it is told
            repositories.tags(source)

    if not offline:
        with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:  # the slowest decides, not the sum
            list(pool.map(ask, in_git.values()))
    resolver = Resolver(repositories, [], offline=offline)
    newest: dict[str, str] = {}
    notes: list[str] = []
    for place, source in wanted.items():
        if isinstance(source, GitSource) and offline:
            continue
        try:
            versions = resolver.versions(source)
        except TemplateUnavailable as error:
            notes.append(f"the newest version is not known: {error.message}")
            continue
        released = [each for each in versions if not parse_version(each).prerelease]
        newest[place] = next(iter(released or versions), "")
    if offline and in_git:
        notes.append("git repositories are not asked for their newest version: --offline")
    return newest, sorted(dict.fromkeys(notes))


def _place(source: TemplateSource | None) -> str:
    """What tells one place from another, wherever the blueprint lies."""
    if source is None:
        return ""
    return os.path.normpath(source.path) if isinstance(source, FolderSource) else source.text


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
