"""Two versions of a template held against each other, and the version number against both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.combine import in_order
from mlops_iac.blueprint.source import problem
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateFinder
from mlops_iac.blueprint.templates.limits import quoted
from mlops_iac.clouds import registry
from mlops_iac.errors import Diagnostic, Severity
from mlops_iac.records import Record
from mlops_iac.templates.compatibility import contents, guards, limits, parameters
from mlops_iac.templates.compatibility.model import Change, Pair
from mlops_iac.templates.linting.resolving import Trial
from mlops_iac.templates.linting.samples import samples, tested
from mlops_iac.templates.linting.subject import Subject
from mlops_iac.templates.versions import parse_version

if TYPE_CHECKING:
    from semver import Version

_MOST = 12  # combinations of parameters that two versions are compared with


def compare(
    old: TemplateContent, new: TemplateContent, finder: Callable[[], TemplateFinder]
) -> list[Change]:
    """What differs, breaking changes first. Raises BlueprintInvalid for what cannot be read."""
    subjects = [Subject(content=each, parsed=parse(each), finder=finder) for each in (old, new)]
    pair = Pair(old=subjects[0], new=subjects[1])
    levels = ("unknown", "breaking", "feature", "fix")
    return sorted(_changes(pair), key=lambda change: levels.index(change.level))


def _changes(pair: Pair) -> Iterator[Change]:
    yield from contents.manifest(pair)
    platform = next(iter(pair.new.manifest.platforms), registry.DEFAULT)
    trials, lacking = _trials(pair, platform)
    for name in lacking:
        yield _unknown(pair, name)
    effects: dict[str, str] = {}
    if trials:
        effects = dict(contents.default_effects(pair, trials[0].own, platform))
    for change in parameters.changes(pair):
        effect = effects.get(change.place.text) if change.code == "default-changed" else None
        yield change.saying(f"{change.message}; {effect}") if effect else change
    yield from _resolved(pair, trials, platform)
    yield from guards.changes(pair)
    yield from contents.files(pair)


class _Tried(Record):
    """Both versions with the same parameters, and the newer one with what is its own default.

    `words` says which parameters, where it is not the defaults.
    """

    old: Trial
    same: Trial
    own: Trial
    words: str


def _unknown(pair: Pair, name: str) -> Change:
    """Without a value of a parameter that must be given, no limit and no value is compared."""
    return Change(
        "unknown",
        "not-compared",
        f"no limit and no value was compared: no value of '{name}' is known to try both versions with",
        pair.new.key("parameters", name),
        hint=f"give one in a case: tests/default.yaml, `parameters: {{{name}: …}}`",
    )


def _resolved(pair: Pair, trials: Sequence[_Tried], platform: str) -> Iterator[Change]:
    """What limits and values become, for each of the combinations; each change once."""
    told: set[tuple[str, str]] = set()
    lines: dict[str, str] = {}
    compared, refused = False, ""
    for tried in trials:
        found = list(limits.changes(pair, tried.old.limits, tried.same.limits))
        if tried.old.own is not None and tried.same.own is not None:
            found += contents.sections(pair, tried.old.own, tried.same.own)
        for change in found:
            key = (change.code, change.place.text or change.message)
            if key not in told:
                told.add(key)
                yield change.saying(f"{change.message}{tried.words}")
        differing, why = contents.leaves(tried.old, tried.same)
        compared, refused = compared or not why, refused or why
        for line in differing:
            lines.setdefault(line, tried.words)
    if trials and not compared:
        found_in_cases = contents.under_cases(pair, pair.new.finder(), platform)
        lines = dict.fromkeys(found_in_cases or (), "")
        if found_in_cases is None:
            yield Change(
                "unknown",
                "not-compared",
                f"no value was compared: under a small blueprint, {refused}",
                pair.new.key("version"),
                hint="a case in tests/ with a blueprint of its own, that both versions take, makes"
                " them comparable; a new major version promises nothing",
            )
    if trials:
        known = {place for _, place in told}
        yield from _by_default(known, pair, trials[0])
    if lines:
        message = contents.some([f"{line}{words}" for line, words in lines.items()])
        place = pair.new.parsed.root or pair.new.key("version")
        whom = "blueprints that leave them out"
        yield Change(
            "feature", "values-changed", f"a blueprint gets other values: {message}", place, whom
        )


def _by_default(known: set[str], pair: Pair, tried: _Tried) -> Iterator[Change]:
    """Limits that are tighter only where a parameter with another default is left out."""
    for change in limits.changes(pair, tried.old.limits, tried.own.limits):
        if change.level == "breaking" and change.place.text not in known:
            whom = f"{change.whom} that leave parameters out"
            yield Change(
                change.level, change.code, change.message, change.place, whom, change.covered
            )


def _trials(pair: Pair, platform: str) -> tuple[list[_Tried], list[str]]:
    """Both with the older one's values, so that only what is made of them differs.

    The defaults first; then each other value of each parameter. And the parameters that no value is
    known for, so that there is nothing to try: the values of both versions' tests are.
    """
    tests = [tested(each.content) for each in (pair.old, pair.new)]
    old = samples(pair.old.manifest, [*tests[0], *tests[1]])
    new = samples(pair.new.manifest, [*tests[1], *tests[0]])
    combinations, own = old.combinations, new.combinations[:1]
    if not combinations or not own:
        return [], list(dict.fromkeys([*new.lacking, *old.lacking]))
    first = combinations[0]
    newer = Trial(pair.new, own[0], platform)
    made: list[_Tried] = []
    for given in combinations:
        differ = [name for name, value in given.items() if value != first[name]]
        if len(differ) > 1 or len(made) >= _MOST:
            continue
        before = Trial(pair.old, given, platform)
        named = {pair.renamed(name)[0] or name: value for name, value in given.items()}
        known = pair.new.manifest.parameters
        kept = {name: value for name, value in named.items() if name in known}
        same = Trial(pair.new, {**own[0], **kept}, platform)
        if not differ:
            made.append(_Tried(before, newer if same.problems else same, newer, ""))
        elif not same.problems:
            made.append(_Tried(before, same, newer, f", with {_words(differ[0], given)}"))
    return made, []


def _words(name: str, given: Mapping[str, Any]) -> str:
    value = given[name]
    return f"{name} left out" if value is None else f"{name} {quoted(value)}"


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
    known = [change for change in changes if change.level != "unknown"]
    # What a value became is nobody's promise where the number has to say that it breaks, or does.
    breaks = any(change.level == "breaking" for change in known)
    breaks |= not _dishonest(parse_version(after), parse_version(before).bump_major())
    found = [_diagnostic(change, breaks=breaks) for change in changes]
    subject = Subject(content=new, parsed=parse(new), finder=lambda: None)  # type: ignore[arg-type,return-value]
    at = subject.key("version")
    least = needed(known, before)
    if old.digest != new.digest and before == after:
        message = f"{after} is not what {after} was: a version never changes"
        found.append(problem(at, "same-version", message, path="version", hint=f"write {least}"))
    elif parse_version(after) < parse_version(before):
        message = f"{after} comes after {before}"
        found.append(problem(at, "older-version", message, path="version", hint=f"write {least}"))
    elif known and _dishonest(parse_version(after), parse_version(least)):
        worst = next(iter(known))
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


def _diagnostic(change: Change, *, breaks: bool) -> Diagnostic:
    severity: Severity = "warning" if change.level == "breaking" and not change.covered else "note"
    parts = [change.message]
    if change.whom:
        parts.append(
            f"breaks {change.whom}" if change.level == "breaking" else f"for {change.whom}"
        )
    hint = change.hint
    if change.level == "unknown":
        severity = "warning" if breaks and change.place.text == "version" else "error"
    elif change.covered:
        hint = f"{change.covered} takes care of it"
    elif change.level == "breaking":
        hint = "no migration takes care of it"
    return problem(change.place, change.code, "; ".join(parts), hint=hint, severity=severity)
