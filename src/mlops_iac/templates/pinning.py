"""Which pin of a lock is meant, and how a lock differs from what was found."""

from __future__ import annotations

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.templates.lockfile import Lock, Pin
from mlops_iac.templates.sources.base import TemplateSource
from mlops_iac.templates.sources.folder import FolderSource
from mlops_iac.templates.sources.git import GitCommitSource


def pin_for(lock: Lock | None, source: TemplateSource, requested: str, by: str) -> Pin | None:
    """The pin of a template: the exact one, else that of the same use before something changed.

    What came with another template moves with it: only the same commit is the same use.
    """
    same = [pin for pin in (lock.pins if lock else ()) if pin.template == source.text]
    if isinstance(source, GitCommitSource):
        same = [pin for pin in same if pin.commit == source.commit and pin.by == by]
    ranked = sorted(
        same, key=lambda pin: (pin.by != by, _name(pin.by) != _name(by), pin.requested != requested)
    )
    return next((pin for pin in ranked if _name(pin.by) == _name(by)), None)


def changed(source: TemplateSource, pin: Pin, found: str) -> TemplateUnavailable:
    """The error for other content under a locked version."""
    return TemplateUnavailable(
        "template-changed",
        f"{pin.name}@{pin.version} ({source.text}) is not what was pinned: "
        f"{pin.digest} is pinned, {found} is there",
        hint="raise `version` in its template.yaml, or take it with `mlops-iac template update`"
        if isinstance(source, FolderSource)
        else "a version never changes: ask its publisher, who has to release it under a new one",
    )


def differences(lock: Lock | None, found: Lock, name: str) -> list[str]:
    """Why `lock` (in the file `name`) is not `found`, each in words; empty if it is."""
    if lock is None:
        return [f"there is no {name}"] if found.pins else []
    if lock == found:
        return []
    old = {(pin.template, pin.by, pin.requested): pin for pin in lock.pins}
    reasons = []
    for pin in found.pins:
        was = old.pop((pin.template, pin.by, pin.requested), None)
        if was is None:
            before = next((item for item in lock.pins if item.template == pin.template), None)
            reasons.append(_new(pin, before))
        elif was.version != pin.version:
            reasons.append(f"{pin.name} is {was.version} in it and would be {pin.version}")
        elif was != pin:
            reasons.append(f"{pin.name}@{pin.version} has another content in it")
    known = {pin.template for pin in found.pins}
    reasons += [
        f"{pin.name}@{pin.version} is in it and no longer used"
        for pin in old.values()
        if pin.template not in known
    ]
    return reasons or ["its templates are in another order"]


def _new(pin: Pin, before: Pin | None) -> str:
    if before is None:
        return f"{pin.name}@{pin.version} is not in it"
    if before.version != pin.version:
        return f"{pin.name} is {before.version} in it and would be {pin.version}"
    if before.requested != pin.requested:
        asked, now = before.requested or "any version", pin.requested or "any version"
        return f"{pin.name} is asked for as '{now}', and as '{asked}' in it"
    return f"{pin.name}@{pin.version} is used by another template in it"


def _name(by: str) -> str:
    return by.partition("@")[0]
