"""What becomes of each template of a blueprint: versions, changelog, parameters, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.source import Source
from mlops_iac.blueprint.templates.applied import AppliedTemplate
from mlops_iac.blueprint.templates.applying import Applier, parse
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.errors import BlueprintInvalid
from mlops_iac.records import Record
from mlops_iac.templates import changes
from mlops_iac.templates.changes import Change, Entry
from mlops_iac.templates.finder import Finder
from mlops_iac.templates.lockfile import Lock, Pin
from mlops_iac.templates.versions import parse_version

Kind = Literal["upgrade", "downgrade", "content", "new", "gone", "pinned", "asked"]
_WORDS: Mapping[Kind, str] = {
    "upgrade": "{0.name} {0.old} → {0.new}",
    "downgrade": "{0.name} {0.old} → {0.new}, a downgrade",
    "content": "{0.name} {0.new}: other content under the same version",
    "new": "{0.name} {0.new}: new",
    "gone": "{0.name} {0.old}: no longer used",
    "asked": "{0.name} {0.new}: the same, asked for otherwise",
    "pinned": "{0.name} {0.new}: not pinned yet",
}


class Standing(Record):
    """What a text stands on; `contents` are by name.

    What cannot be laid under it is found, too, as far as that goes: then nothing is `applied`, and
    it is not the `whole`.
    """

    pins: Sequence[Pin]
    contents: Mapping[str, TemplateContent]
    applied: Sequence[AppliedTemplate] = ()
    whole: bool = False

    @property
    def digests(self) -> list[str]:
        """What tells whether it is the same, in layer order."""
        return [each.content.digest for each in self.applied]


def standing(text: str, finder: Finder, shown: str) -> Standing:
    """What `finder` finds for a blueprint's text."""
    applier = Applier(finder)
    try:
        applier.walk(compose(Source(shown, text))[0])
    except BlueprintInvalid:
        return Standing((), {})
    applied = () if applier.problems else tuple(applier.applied)
    return Standing(finder.pins().pins, finder.contents, applied, not applier.problems)


class TemplateMove(Record):
    """One template that is not afterwards what it was.

    `old` and `new` are versions, empty where it was or is not there. `content`: the same version
    with other content, in `files`. `pinned`: the same template, which no lock had; `asked`: the same,
    which the lock has for another range, or through another template. `by` is the
    template that brings it, `requested` the range that is asked for afterwards, `asked` before.
    """

    name: str
    kind: Kind
    source: str
    by: str
    old: str
    new: str
    asked: str
    requested: str
    changelog: Sequence[Entry] = ()
    parameters: Sequence[Change] = ()
    limits: Sequence[Change] = ()
    files: Sequence[str] = ()

    @property
    def words(self) -> str:
        """`acme/standard 2.1.0 → 2.2.0`."""
        return _WORDS[self.kind].format(self)


def moves(before: Standing, after: Standing, lock: Lock | None) -> list[TemplateMove]:
    """What becomes of every template, the ones that go last.

    What is not there before is known from the lock. Nothing is known to go where not all of what
    comes after is known.
    """
    locked: dict[str, list[Pin]] = {}
    for pin in lock.pins if lock else ():
        locked.setdefault(pin.name, []).append(pin)
    found: list[TemplateMove] = []
    now = {pin.name: pin for pin in reversed(after.pins)}
    for name in dict.fromkeys(pin.name for pin in after.pins):
        pins, was = locked.get(name, []), before.contents.get(name)
        same = [each for each in pins if _use(each) == _use(now[name])]
        digest = was.digest if was is not None else pins[0].digest if pins else ""
        if digest != now[name].digest or not same:
            likely = next(iter([*same, *pins]), None)
            found.append(_move(before, after, now[name], likely))
    former = {pin.name: pin for pin in (*(lock.pins if lock else ()), *before.pins)}
    found += [
        TemplateMove(name, "gone", pin.template, pin.by, pin.version, "", pin.requested, "")
        for name, pin in former.items()
        if after.whole and name not in now
    ]
    return found


def _use(pin: Pin) -> tuple[str, str]:
    """The range that is asked for, and who asks, whatever its version."""
    return pin.requested, pin.by.partition("@")[0]


def _move(before: Standing, after: Standing, now: Pin, pin: Pin | None) -> TemplateMove:
    name, content = now.name, after.contents[now.name]
    was = before.contents.get(name)
    old = parse(was).manifest.version if was is not None else pin.version if pin else ""
    same = was is not None and was.digest == content.digest
    if same:
        kind: Kind = "pinned" if pin is None else "asked"
    elif not old:
        kind = "new"
    elif old == now.version:
        kind = "content"
    else:
        kind = "downgrade" if parse_version(now.version) < parse_version(old) else "upgrade"
    changelog: Sequence[Entry] = ()
    if kind == "upgrade":
        changelog = changes.changelog(parse(content), old)
    elif kind == "downgrade" and was is not None:  # what is taken back
        changelog = changes.changelog(parse(was), now.version)
    asked = pin.requested if pin is not None else now.requested
    head = (name, kind, now.template, now.by, old, now.version, asked, now.requested, changelog)
    if was is None or same:
        return TemplateMove(*head)
    limits = [
        next((each.limits for each in one.applied if each.manifest.name == name), None)
        for one in (before, after)
    ]
    return TemplateMove(
        *head,
        parameters=list(changes.parameters(parse(was), parse(content))),
        limits=[] if None in limits else list(changes.limits(limits[0] or (), limits[1] or ())),
        files=changes.files(was.files, content.files),
    )
