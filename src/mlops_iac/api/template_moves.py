"""What becomes of each template of a blueprint: versions, changelog, parameters, limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mlops_iac.templates import changes
from mlops_iac.templates.versions import parse_version

if TYPE_CHECKING:
    from mlops_iac.blueprint.templates.content import AppliedTemplate
    from mlops_iac.templates.changes import Entry, LimitChange, ParameterChange
    from mlops_iac.templates.lockfile import Lock

Kind = Literal["upgrade", "downgrade", "content", "new", "gone", "pinned"]


@dataclass(frozen=True)
class TemplateMove:
    """One template that is not afterwards what it was.

    `old` and `new` are versions, empty where it was or is not there. `content`: the same version
    with other content, in `files`. `pinned`: the same template, which no lock had. `by` is the
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
    parameters: Sequence[ParameterChange] = ()
    limits: Sequence[LimitChange] = ()
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
            case "pinned":
                return f"{self.name} {self.new}: not locked yet"


def moves(
    before: Sequence[AppliedTemplate], after: Sequence[AppliedTemplate], lock: Lock | None
) -> list[TemplateMove]:
    """What becomes of every template, in layer order, the ones that go last.

    `before` may be empty where it is not known; the lock then tells the versions.
    """
    old = {template.manifest.name: template for template in before}
    pins = {pin.name: pin for pin in (lock.pins if lock else ())}
    found: list[TemplateMove] = []
    for template in after:
        name = template.manifest.name
        was, pin = old.get(name), pins.get(name)
        version = was.manifest.version if was is not None else pin.version if pin else ""
        digest = was.content.digest if was is not None else pin.digest if pin else ""
        asked = was.requested if was is not None else pin.requested if pin else ""
        if digest != template.content.digest or pin is None:
            found.append(_move(was, template, version, asked, pinned=pin is not None))
    names = {template.manifest.name for template in after}
    for name, template in old.items():
        if name not in names:
            source, asked = template.content.source, template.requested
            found.append(
                TemplateMove(
                    name, "gone", source, template.by, template.manifest.version, "", asked, ""
                )
            )
    return found


def _move(
    was: AppliedTemplate | None, now: AppliedTemplate, version: str, asked: str, *, pinned: bool
) -> TemplateMove:
    new = now.manifest.version
    same = was is not None and was.content.digest == now.content.digest
    if same:
        kind: Kind = "pinned"
    elif not version:
        kind = "new"
    elif version == new:
        kind = "content"
    else:
        kind = "downgrade" if parse_version(new) < parse_version(version) else "upgrade"
    known = was is not None and not same
    return TemplateMove(
        name=now.manifest.name,
        kind=kind,
        source=now.content.source,
        by=now.by,
        old=version,
        new=new,
        asked=asked if pinned else now.requested,
        requested=now.requested,
        changelog=_changelog(was, now, version, kind),
        parameters=list(changes.parameters(was.content, now.content)) if was and known else (),
        limits=list(changes.limits(was.limits, now.limits)) if was and known else (),
        files=changes.files(was.content, now.content) if was and known else (),
    )


def _changelog(
    was: AppliedTemplate | None, now: AppliedTemplate, version: str, kind: Kind
) -> Sequence[Entry]:
    """Between the two; of a downgrade, what is taken back."""
    if kind == "upgrade":
        return changes.changelog(now.content, version)
    if kind == "downgrade" and was is not None:
        return changes.changelog(was.content, now.manifest.version)
    return ()
