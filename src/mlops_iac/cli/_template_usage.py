"""`mlops-iac template usage`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from mlops_iac.cli._session import Session, argument, flag, option, verb
from mlops_iac.errors import UsageError
from mlops_iac.records import as_data
from mlops_iac.review.escape import visible
from mlops_iac.templates.usage import Summary, TemplateUse, Usage, usage

_COLORS = {"major": "red", "minor": "yellow", "patch": "bright_black"}


@verb("usage")
def command(
    session: Session,
    folders: tuple[str, ...] = argument(metavar="[DIR]…", nargs=-1),
    template: str | None = option("Only this one, by its name or source.", metavar="NAME"),
    offline: bool = flag("Ask no repository for its newest version."),
) -> None:
    """Show which blueprint stands on which version of which template, over many checkouts.

    Looks for blueprints and their locks below each DIR (default: here) and reads them as data:
    nothing is run. What cannot be read is told, and left out.
    """
    from mlops_iac.api.fleet.finding import blueprints

    found: dict[Path, Path] = {}
    unread: list[str] = []
    for folder in map(Path, folders or (".",)):
        if not folder.is_dir():
            what = "no folder" if folder.exists() else "not there"
            raise UsageError(f"{folder} is {what}", hint="name folders with checkouts below them")
        for path in blueprints(folder, unread):
            found.setdefault(path.resolve(), path)
    used = usage(found.values(), template=template or "", offline=offline)
    if template and not used.uses:
        session.say(f"no blueprint stands on '{template}'")
    if session.json:
        session.emit_json(as_data(used))
    else:
        session.out(*_lines(session, used))
    for problem in used.problems:
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        session.say(f"left out: {visible(f'{place}: {problem.message}', 400)}")
    session.say(*(f"note: {visible(note, 400)}" for note in (*unread, *used.notes)))
    session.say(
        f"{used.blueprints} blueprint(s), {used.without} without a template"
        + (f", {len(used.problems)} problem(s)" if used.problems else "")
    )


def _lines(session: Session, used: Usage) -> Iterator[str]:
    summaries = {each.template: each for each in used.summaries}
    for template, members in groupby(used.uses, key=lambda use: use.template):
        yield from _summary(session, summaries[template])
        rows = [_row(use) for use in members]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            *cells, last = row
            padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
            color = _COLORS.get(last.partition(" ")[0])
            yield "  " + "  ".join([*padded, session.style(last, fg=color)]).rstrip()
        yield ""


def _summary(session: Session, summary: Summary) -> Iterator[str]:
    newest = f" · newest {summary.newest}" if summary.newest else ""
    yield session.style(visible(summary.template, 200), bold=True) + newest
    parts = [f"{number} on {version}" for version, number in summary.versions.items()]
    parts += [f"{summary.unpinned} not pinned"] if summary.unpinned else []
    parts += [f"{summary.stale} stale"] if summary.stale else []
    parts += [f"{number} behind by a {distance}" for distance, number in summary.behind.items()]
    yield f"  {summary.blueprints} blueprint(s): {', '.join(parts)}"


def _row(use: TemplateUse) -> tuple[str, str, str, str]:
    who = f"{use.name} ({use.owner})" if use.owner else use.name
    version = use.version or "–"
    if use.requested and use.requested != use.version:
        version += f" of {use.requested}"
    told = [f"{use.behind} behind" if use.behind else ""]
    told += [use.state if use.state != "pinned" else "", use.why]
    told += [f"through {use.by}" if use.by else ""]
    cells = (use.blueprint, who, version, ": ".join(each for each in told if each))
    path, name, number, words = (visible(cell, 200) for cell in cells)
    return path, name, number, words
