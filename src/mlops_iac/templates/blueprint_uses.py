"""What one blueprint stands on, read from it and its lock as data alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.source import Node, read
from mlops_iac.blueprint.templates.applying import uses
from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.errors import BlueprintInvalid, Diagnostic
from mlops_iac.records import Record
from mlops_iac.templates.lockfile import Lock, Pin, lock_path, read_lock
from mlops_iac.templates.newest import Behind
from mlops_iac.templates.pinning import pin_for
from mlops_iac.templates.sources import parse_source
from mlops_iac.templates.sources.base import TemplateSource
from mlops_iac.templates.versions import VersionInvalid, parse_requirement

State = Literal["pinned", "not pinned", "stale"]


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


def templates_of(
    path: Path, problems: list[Diagnostic]
) -> Iterator[tuple[TemplateUse, TemplateSource | None]]:
    """Every template of one blueprint, its own first.

    What is wrong with its lock goes to `problems`. Raises BlueprintInvalid where the blueprint
    cannot be read, UsageError where there is none.
    """
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
                why="" if pin.by else "it is pinned and no longer extended",
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
        return "stale", f"{pin.version} is pinned and {requested} is asked for"
    if pin.requested != requested:
        asked, before = requested or "any release", pin.requested or "any release"
        return "stale", f"{asked} is asked for, and was {before} when it was pinned"
    return "pinned", ""


def _text(tree: Node, key: str) -> str:
    entry = tree.entries.get(key)
    return entry.value.text if entry is not None and entry.value.kind == "scalar" else ""
