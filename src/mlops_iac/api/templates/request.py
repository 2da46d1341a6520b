"""Which templates are to have another version, and what the blueprint's text says then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.editing import Editor
from mlops_iac.blueprint.source import Node, Source
from mlops_iac.blueprint.templates.applying import DEEPEST, MOST, Applier, parse, uses
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable, Wanted
from mlops_iac.blueprint.words import listed, nearest
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.templates.finder import EVERY
from mlops_iac.templates.lockfile import Lock, Pin
from mlops_iac.templates.migrating import Done, migrate
from mlops_iac.templates.sources import parse_source
from mlops_iac.templates.versions import VersionInvalid, parse_requirement, parse_version

if TYPE_CHECKING:
    from mlops_iac.blueprint.sections.platform import TemplateUse
    from mlops_iac.blueprint.templates.content import TemplateFinder


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: `name` or source of a template (empty: all), a version, no network.

    `own` runs the guard rails of the team's `policies/` folder and of the locked templates, which
    are code; `new_rules` also those that the other versions bring.
    """

    name: str = ""
    to: str = ""
    offline: bool = False
    own: bool = True
    new_rules: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """One entry of a blueprint's `extends`."""

    index: int
    asked: str
    requested: str
    source: str
    node: Node = field(repr=False, compare=False)


def direct_uses(text: str, root: Path, shown: str) -> list[Use]:
    """What a blueprint itself extends; what is wrong there is told by whoever reads all of it."""
    try:
        tree, _ = compose(Source(shown, text))
    except BlueprintInvalid:
        return []
    entry = tree.entries.get("extends")
    found: list[tuple[TemplateUse, Node]] = uses(entry.value)[0] if entry is not None else []
    made = []
    for use, node in found:
        assert entry is not None
        try:
            source = parse_source(use.template, root).text
        except TemplateUnavailable:
            continue
        index = entry.value.items.index(node)
        made.append(Use(index, use.template, use.version or "", source, node))
    return made


def written(found: Sequence[Use], lock: Lock | None) -> list[Pin]:
    """What a blueprint itself extends, as it is pinned; without name and version where it is not."""
    pins = {pin.template: pin for pin in (lock.pins if lock else ()) if not pin.by}
    return [pins.get(use.source) or Pin(use.source, use.requested, "", "", "") for use in found]


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
            number = range_with(use.requested, to)
            entry = use.node.entries.get("version")
            value = number if entry is None else entry.value.scalar_like(number)
            editor.set(f"extends[{use.index}].version", value)
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


def migrated(
    text: str,
    found: Sequence[Use],
    finder: TemplateFinder,
    versions: Mapping[str, str],
    shown: str,
) -> tuple[str, list[tuple[str, Done]]]:
    """The text after every migration between `versions` (by template) and what `finder` finds.

    What was done comes with the template's name. Raises BlueprintInvalid where the text cannot be
    edited.
    """
    done: list[tuple[str, Done]] = []
    for name, content in contents(found, finder):
        reading = parse(content)
        new, old = reading.manifest.version, versions.get(name, "")
        if not old or not reading.manifest.migrations or parse_version(new) <= parse_version(old):
            continue
        sources = {use.asked for use in found if use.source == content.source}
        result = migrate(
            text, reading.manifest.migrations, old=old, new=new, sources=sources, file=shown
        )
        text = result.text
        done += [(name, each) for each in result.done]
    return text, done


def contents(found: Sequence[Use], finder: TemplateFinder) -> Iterator[tuple[str, TemplateContent]]:
    """All templates by name, those that others stand on first.

    What cannot be had is left out: whoever reads the blueprint tells why.
    """
    seen: set[str] = set()

    def walk(wanted: Wanted, depth: int) -> Iterator[tuple[str, TemplateContent]]:
        try:
            content = finder.find(wanted)
            manifest = parse(content).manifest
        except (TemplateUnavailable, BlueprintInvalid):
            return
        if manifest.name in seen or depth > DEEPEST or len(seen) >= MOST:
            return
        seen.add(manifest.name)
        for use in manifest.extends:
            yield from walk(Wanted(use.template, use.version or "", content), depth + 1)
        yield manifest.name, content

    for use in found:
        yield from walk(Wanted(use.asked, use.requested, None), 0)


def without_new_parameters(text: str, finder: TemplateFinder, shown: str) -> tuple[str, str]:
    """The text without the parameters that the templates `finder` finds do not have, and a note.

    A version that needs one more parameter is only taken by a blueprint that gives it, and what
    is locked refuses that blueprint: without this nothing could be compared. The text as it is,
    and no note, where there is none.
    """
    try:
        applier = Applier(finder)
        applier.walk(compose(Source(shown, text))[0])
        unknown = [each for each in applier.problems if each.code == "unknown-parameter"]
        for each in sorted(unknown, key=lambda item: item.line, reverse=True):
            text = _without(text, each, shown)
    except BlueprintInvalid:
        return text, ""
    names = listed(dict.fromkeys(each.path.partition(".parameters.")[2] for each in unknown))
    note = f"as it is pinned now, {shown} is read without {names}: the pinned version has no such parameter"
    return text, note if unknown else ""


def _without(text: str, unknown: Diagnostic, shown: str) -> str:
    """The text without one parameter; every other line keeps its number."""
    editor = Editor(text, file=shown)
    editor.remove(unknown.path)
    lines = editor.text.splitlines(keepends=True)
    ending = "\r\n" if "\r\n" in text else "\n"
    gone = len(text.splitlines()) - len(lines)
    return "".join([*lines[: unknown.line - 1], ending * gone, *lines[unknown.line - 1 :]])
