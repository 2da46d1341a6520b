"""Two versions of a template held against each other, and the version number against both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_iac.blueprint.combine import in_order
from mlops_iac.blueprint.source import problem
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateFinder
from mlops_iac.errors import Diagnostic, Severity
from mlops_iac.templates.compatibility import contents, guards, limits, parameters
from mlops_iac.templates.compatibility.model import Change, Pair
from mlops_iac.templates.linting.resolving import Trial
from mlops_iac.templates.linting.samples import samples
from mlops_iac.templates.linting.subject import Subject
from mlops_iac.templates.versions import parse_version

if TYPE_CHECKING:
    from semver import Version


def compare(
    old: TemplateContent, new: TemplateContent, finder: Callable[[], TemplateFinder]
) -> list[Change]:
    """What differs, breaking changes first. Raises BlueprintInvalid for what cannot be read."""
    subjects = [Subject(content=each, parsed=parse(each), finder=finder) for each in (old, new)]
    pair = Pair(old=subjects[0], new=subjects[1])
    levels = ("breaking", "feature", "fix")
    return sorted(_changes(pair), key=lambda change: levels.index(change.level))


def _changes(pair: Pair) -> Iterator[Change]:
    yield from contents.manifest(pair)
    platform = next(iter(pair.new.manifest.platforms), "sagemaker")
    old, new, defaults = _trials(pair, platform)
    effects = dict(contents.default_effects(pair, new, platform)) if new is not None else {}
    for change in parameters.changes(pair):
        effect = effects.get(change.place.text) if change.code == "default-changed" else None
        yield replace_message(change, f"{change.message}; {effect}") if effect else change
    if old is not None and new is not None and defaults is not None:
        told = list(limits.changes(pair, old.limits, new.limits))
        yield from told
        yield from _by_default(told, limits.changes(pair, old.limits, defaults.limits))
        if old.own is not None and new.own is not None:
            yield from contents.sections(pair, old.own, new.own)
        yield from contents.leaves(pair, old, new)
    yield from guards.changes(pair)
    yield from contents.files(pair)


def replace_message(change: Change, message: str) -> Change:
    """The change in other words."""
    return Change(change.level, change.code, message, change.place, change.whom, change.covered)


def _by_default(told: Sequence[Change], changes: Iterator[Change]) -> Iterator[Change]:
    """Limits that are tighter only where a parameter with another default is left out."""
    known = {change.place.text for change in told}
    for change in changes:
        if change.level == "breaking" and change.place.text not in known:
            yield Change(
                change.level,
                change.code,
                change.message,
                change.place,
                f"{change.whom} that leave parameters out",
                change.covered,
            )


def _trials(pair: Pair, platform: str) -> tuple[Trial | None, Trial | None, Trial | None]:
    """Both with the older one's defaults, so that only what is made of them differs.

    And the newer one with its own.
    """
    first = [samples(each.manifest).combinations[:1] for each in (pair.old, pair.new)]
    if not all(first):
        return None, None, None
    given, own = first[0][0], first[1][0]
    old, new = Trial(pair.old, given, platform), Trial(pair.new, own, platform)
    named = {pair.renamed(name)[0] or name: value for name, value in given.items()}
    kept = {name: value for name, value in named.items() if name in pair.new.manifest.parameters}
    same = Trial(pair.new, {**own, **kept}, platform)
    return old, new if same.problems else same, new


def needed(changes: Sequence[Change], old: str) -> str:
    """The least version number that is honest after `old`, where anything differs."""
    version = parse_version(old)
    release = version.finalize_version()
    levels = {change.level for change in changes}
    if version.prerelease:  # 2.0.0-rc.2 may change anything until it is 2.0.0
        return str(release)
    if "breaking" in levels:
        return str(release.bump_major() if version.major else release.bump_minor())
    if "feature" in levels and version.major:
        return str(release.bump_minor())
    return str(release.bump_patch())


def diagnostics(
    old: TemplateContent, new: TemplateContent, changes: Sequence[Change]
) -> list[Diagnostic]:
    """The changes where the newer version says them, and an error where its number is not honest."""
    before, after = (parse(each).reading.manifest.version for each in (old, new))
    found = [_diagnostic(change) for change in changes]
    subject = Subject(content=new, parsed=parse(new), finder=lambda: None)  # type: ignore[arg-type,return-value]
    at = subject.key("version")
    least = needed(changes, before)
    if old.digest != new.digest and before == after:
        message = f"{after} is not what {after} was: a version never changes"
        found.append(problem(at, "same-version", message, path="version", hint=f"write {least}"))
    elif parse_version(after) < parse_version(before):
        message = f"{after} comes after {before}"
        found.append(problem(at, "older-version", message, path="version", hint=f"write {least}"))
    elif changes and _dishonest(parse_version(after), parse_version(least)):
        worst = next(iter(changes))
        what = "breaks blueprints" if worst.level == "breaking" else "adds or changes something"
        message = f"{after} {what} that stand on {before}: {worst.message}"
        if worst.level != "breaking":
            message = f"{after} {what} since {before}: {worst.message}"
        found.append(
            problem(at, "dishonest-version", message, path="version", hint=f"write {least}")
        )
    named = [replace(item, file=item.file.removeprefix("./")) for item in found]
    return in_order(named)


def _dishonest(version: Version, least: Version) -> bool:
    return bool(version.finalize_version() < least)


def _diagnostic(change: Change) -> Diagnostic:
    severity: Severity = "warning" if change.level == "breaking" and not change.covered else "note"
    parts = [change.message]
    if change.whom:
        parts.append(
            f"breaks {change.whom}" if change.level == "breaking" else f"for {change.whom}"
        )
    hint = ""
    if change.covered:
        hint = f"{change.covered} takes care of it"
    elif change.level == "breaking":
        hint = "no migration takes care of it"
    return problem(change.place, change.code, "; ".join(parts), hint=hint, severity=severity)
