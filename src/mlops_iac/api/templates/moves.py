"""What becomes of each template of a blueprint: versions, changelog, parameters, limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.templates import changes
from mlops_iac.templates.versions import parse_version

if TYPE_CHECKING:
    from mlops_iac.blueprint.templates.applied import AppliedTemplate
    from mlops_iac.templates.changes import Change, Entry
    from mlops_iac.templates.lockfile import Lock, Pin

Kind = Literal["upgrade", "downgrade", "content", "new", "gone", "pinned", "asked"]


@dataclass(frozen=True)
class TemplateMove:
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
    files: Sequence[str] = field(default_factory=tuple)

    @property
    def words(self) -> str:
        """`acme/standard 2.1.0 → 2.2.0`."""
        match self.kind:
            case "upgrade":
                return f"{self.name} {self.old} → {self.new}"
            case "downgrade":
                return f"{self.name} {self.old} → {self.new}, a downgrade"
            case "content":
                return f"{self.name} {self.new}: other content under the same version"
            case "new":
                return f"{self.name} {self.new}: new"
            case "gone":
                return f"{self.name} {self.old}: no longer used"
            case "asked":
                return f"{self.name} {self.new}: the same, asked for otherwise"
            case "pinned":
                return f"{self.name} {self.new}: not pinned yet"


def moves(
    before: Sequence[AppliedTemplate],
    after: Sequence[AppliedTemplate],
    lock: Lock | None,
    *,
    limits: bool,
) -> list[TemplateMove]:
    """What becomes of every template, in layer order, the ones that go last.

    `before` may be empty where it is not known; the lock then tells the versions. `limits`: those
    of `after` are known, because its parameters are.
    """
    old = {template.manifest.name: template for template in before}
    pins: dict[str, list[Pin]] = {}
    for pin in lock.pins if lock else ():
        pins.setdefault(pin.name, []).append(pin)
    found: list[TemplateMove] = []
    for now in after:
        was, locked = old.get(now.manifest.name), pins.get(now.manifest.name, [])
        same = [each for each in locked if _use(each) == _use(now)]
        digest = was.content.digest if was is not None else locked[0].digest if locked else ""
        if digest != now.content.digest or not same:
            likely = [*same, *locked]
            found.append(_move(was, now, likely[0] if likely else None, limits=limits))
    names = {template.manifest.name for template in after}
    for name, was in old.items():
        if name not in names:
            source, version = was.content.source, was.manifest.version
            found.append(_gone(name, source, was.by, version, was.requested))
    for name, locked in pins.items():
        if name not in names and name not in old:
            pin = locked[0]
            found.append(_gone(name, pin.template, pin.by, pin.version, pin.requested))
    return found


def _use(each: AppliedTemplate | Pin) -> tuple[str, str]:
    """The range that is asked for, and who asks, whatever its version."""
    return each.requested, each.by.partition("@")[0]


def _gone(name: str, source: str, by: str, version: str, asked: str) -> TemplateMove:
    return TemplateMove(name, "gone", source, by, version, "", asked, "")


def _move(
    was: AppliedTemplate | None, now: AppliedTemplate, pin: Pin | None, *, limits: bool
) -> TemplateMove:
    version = pin.version if pin is not None else ""
    if was is not None:
        version = was.manifest.version
    new = now.manifest.version
    same = was is not None and was.content.digest == now.content.digest
    if same:
        kind: Kind = "pinned" if pin is None else "asked"
    elif not version:
        kind = "new"
    elif version == new:
        kind = "content"
    else:
        back = parse_version(new) < parse_version(version)
        kind = "downgrade" if back else "upgrade"
    move = TemplateMove(
        name=now.manifest.name,
        kind=kind,
        source=now.content.source,
        by=now.by,
        old=version,
        new=new,
        asked=pin.requested if pin is not None else now.requested,
        requested=now.requested,
        changelog=_changelog(was, now, version, kind),
    )
    if was is None or same:
        return move
    return replace(
        move,
        parameters=list(changes.parameters(parse(was.content), parse(now.content))),
        limits=list(changes.limits(was.limits, now.limits)) if limits else (),
        files=changes.files(was.content.files, now.content.files),
    )


def _changelog(
    was: AppliedTemplate | None, now: AppliedTemplate, version: str, kind: Kind
) -> Sequence[Entry]:
    """Between the two; of a downgrade, what is taken back."""
    if kind == "upgrade":
        return changes.changelog(parse(now.content), version)
    if kind == "downgrade" and was is not None:
        return changes.changelog(parse(was.content), now.manifest.version)
    return ()
