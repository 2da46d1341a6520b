"""Who stands on which version of which template, over many blueprints.

Nothing of a checkout is run or resolved: `blueprint_uses` reads a blueprint's `extends` and what the lock
beside it pins. What the newest version is, the templates' own places are asked (`newest`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.records import Record, replace
from mlops_iac.templates.blueprint_uses import TemplateUse, templates_of
from mlops_iac.templates.newest import behind, newest_of, place_of
from mlops_iac.templates.sources.base import TemplateSource
from mlops_iac.templates.versions import parse_version


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
            own = list(templates_of(path, problems))
        except BlueprintInvalid as error:
            problems += error.diagnostics
            continue
        except UsageError as error:
            problems.append(Diagnostic("unreadable", error.message, file=path.as_posix()))
            continue
        number += 1
        without += not own
        found += own
    found = [each for each in _named(found) if _meant(each[0], template)]
    newest, notes = newest_of([source for _, source in found if source is not None], offline)
    made = [_told(use, newest.get(place_of(source), "")) for use, source in found]
    made.sort(key=lambda use: (use.template, _order(use.version), use.blueprint, use.by))
    return Usage(
        uses=tuple(made),
        summaries=tuple(_summaries(made)),
        problems=tuple(problems),
        notes=tuple(notes),
        blueprints=number,
        without=without,
    )


def _named(
    found: Sequence[tuple[TemplateUse, TemplateSource | None]],
) -> Iterator[tuple[TemplateUse, TemplateSource | None]]:
    """What no lock names, by the name that another blueprint's lock has for the same place."""
    names = {place_of(source): use.template for use, source in found if use.version and source}
    for use, source in found:
        name = names.get(place_of(source), use.template) if not use.version else use.template
        yield replace(use, template=name), source


def _told(use: TemplateUse, newest: str) -> TemplateUse:
    return replace(use, newest=newest, behind=behind(use.version, newest))


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
