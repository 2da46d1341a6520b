"""Which templates are to have another version, and what the blueprint's text says then."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mlops_iac.blueprint.editing import Editor
from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.blueprint.words import listed, nearest
from mlops_iac.errors import BlueprintInvalid, UsageError
from mlops_iac.records import Record
from mlops_iac.templates.finder import EVERY
from mlops_iac.templates.lockfile import Lock, Pin
from mlops_iac.templates.sources import parse_source
from mlops_iac.templates.versions import VersionInvalid, parse_requirement, parse_version


class Request(Record):
    """What is asked for: `name` or source of a template (empty: all), a version, no network.

    `own` runs the guard rails of the team's `policies/` folder and of the locked templates, which
    are code; `new_rules` also those that the other versions bring.
    """

    name: str = ""
    to: str = ""
    offline: bool = False
    own: bool = True
    new_rules: bool = False


class Use(Record):
    """One entry of a blueprint's `extends`: as written, and the source that a lock would say."""

    index: int
    asked: str
    requested: str
    source: str


def direct_uses(text: str, root: Path, shown: str) -> list[Use]:
    """What a blueprint itself extends; what is wrong there is told by whoever reads all of it."""
    try:
        found = Editor(text, file=shown).get("extends")
    except BlueprintInvalid:
        return []
    made = []
    for index, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict) and isinstance(item.get("template"), str):
            asked, requested = item["template"], str(item.get("version") or "")
            with suppress(TemplateUnavailable):
                made.append(Use(index, asked, requested, parse_source(asked, root).text))
    return made


def known(found: Sequence[Use], lock: Lock | None, pins: Sequence[Pin]) -> list[Pin]:
    """What there is to be updated: `pins`, and what is extended and could not be had."""
    bare = [Pin(use.source, use.requested, "", "", "") for use in found]
    sources = {use.source for use in found}
    locked = [p for p in (lock.pins if lock else ()) if not p.by and p.template in sources]
    return list({(pin.template, pin.by): pin for pin in (*bare, *locked, *pins)}.values())


def called(pin: Pin) -> str:
    """The name of a template, or where it comes from."""
    return pin.name or pin.template


def chosen(known: Sequence[Pin], wanted: str, to: str, found: Sequence[Use]) -> list[Pin]:
    """The templates meant of those that are known. Raises UsageError where it is not clear which."""
    if not wanted:
        direct = [each for each in known if not each.by]
        if to and len({each.template for each in direct}) > 1:
            raise UsageError(
                "--to names a version of one template",
                hint=f"name it: {listed(map(called, direct), 'or')}",
            )
        return direct if to else list(known)
    asked = {use.source for use in found if wanted == use.asked}
    meant = [
        each for each in known if wanted in (each.name, each.template) or each.template in asked
    ]
    if not meant:
        meant = [each for each in known if each.name.rpartition("/")[2] == wanted]
    if len({each.template for each in meant}) != 1:
        names = list(dict.fromkeys(map(called, meant or known)))
        near = nearest(wanted, names) if not meant else ""
        what = "several templates are" if meant else "the blueprint stands on no template"
        raise UsageError(
            f"{what} called '{wanted}'",
            hint=f"did you mean '{near}'?" if near else f"it stands on {listed(names)}",
        )
    return meant


def updates(meant: Sequence[Pin], wanted: str, to: str) -> dict[str, str]:
    """What a `Finder` is to resolve anew. Raises UsageError for a version that is none.

    A template that another one brings cannot have a version that the other one does not ask for.
    """
    if not to:
        return {each.template: "" for each in meant} if wanted else {EVERY: ""}
    try:
        parse_version(to)
    except VersionInvalid as error:
        raise UsageError(f"--to {to}: {error.message}", hint=error.hint) from None
    for each in meant:
        if each.by and not _fits(each.requested, to):
            raise UsageError(
                f"{called(each)} comes with {each.by}, which asks for {each.requested or 'any release'}",
                hint=f"a version of {each.by.partition('@')[0]} that asks for another one",
            )
    return {each.template: to for each in meant}


def widened(text: str, found: Sequence[Use], meant: Sequence[Pin], to: str, shown: str) -> str:
    """The blueprint's text, its ranges such that `to` is in them. Raises BlueprintInvalid."""
    sources = {each.template for each in meant if not each.by}
    editor = Editor(text, file=shown)
    for use in found:
        if to and use.source in sources and not _fits(use.requested, to):
            editor.set(f"extends[{use.index}].version", range_with(use.requested, to))
    return editor.text


def _fits(requested: str, version: str) -> bool:
    """Whether a range has a version in it; one that is none has nothing in it."""
    try:
        return parse_requirement(requested).fits(version)
    except VersionInvalid:
        return False


def range_with(requested: str, version: str) -> str:
    """The range in the same form that has `version` in it: `^2.1` and 3.0.0 give `^3.0`."""
    if not requested.startswith(("^", "~")):
        return version
    whole = "-" in version
    number = version if whole else ".".join(version.split(".")[: requested.count(".") + 1])
    return f"{requested[0]}{number}"
