"""The next version of a template: held against the one before, and its number against both."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from mlops_iac import records
from mlops_iac.blueprint.checks.platform import RENAMEABLE
from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.reach import checkout_around
from mlops_iac.blueprint.source import Entry, Node, problem
from mlops_iac.blueprint.templates.applied import AppliedTemplate
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import (
    POLICIES,
    TemplateContent,
    TemplateFinder,
    Wanted,
)
from mlops_iac.blueprint.templates.limits import plain, quoted
from mlops_iac.blueprint.templates.manifest import Reading, text_of
from mlops_iac.blueprint.words import join, listed
from mlops_iac.errors import BlueprintInvalid, Diagnostic, Severity, UsageError
from mlops_iac.records import Record
from mlops_iac.templates import changes
from mlops_iac.templates.cases import Case, samples, variants
from mlops_iac.templates.changes import Change
from mlops_iac.templates.finder import Finder
from mlops_iac.templates.leaf_changes import leaf_changes
from mlops_iac.templates.linting.resolving import MOST, applied, read_case_over
from mlops_iac.templates.sources.git import tag_start
from mlops_iac.templates.versions import parse_version

_MOST_SHOWN = 12  # values that one change lists


class Place(Record):
    """Where a template is published from: its repository, and its folder in it (empty: all of it)."""

    root: Path
    folder: str

    @property
    def source(self) -> str:
        """As a blueprint would name it on this machine."""
        inside = f"#subdirectory={self.folder}" if self.folder else ""
        return f"git+file://{quote(self.root.as_posix())}{inside}"

    def tag(self, version: str) -> str:
        """The tag of a version of it."""
        return f"{tag_start(self.folder)}{version}"


def place_of(folder: Path) -> Place:
    """Where the template in `folder` is published from. Raises UsageError outside of a repository."""
    here = folder.resolve()
    root = checkout_around(here)
    if root is None:
        raise UsageError(
            f"{folder} is in no git repository: a version is a tag of one", hint="`git init` first"
        )
    inside = here.relative_to(root).as_posix()
    return Place(root, "" if inside == "." else inside)


def version_before(
    place: Place, content: TemplateContent, finder: Finder
) -> TemplateContent | None:
    """The newest version below this one, or what is tagged with its own number and other content.

    None for the first version there is. Raises UsageError where the tags are not here.
    """
    manifest = parse(content).manifest
    own = parse_version(manifest.version)
    known = finder.versions(place.source)
    if manifest.version in known:
        published = finder.find(Wanted(place.source, manifest.version))
        # Nobody gets what was changed since; and the first one that is tagged is the one to keep to.
        if published.digest != content.digest or len(known) == 1:
            return published
    below = [each for each in known if parse_version(each) < own]
    released = [each for each in below if not parse_version(each).prerelease]
    before = (below if own.prerelease else released or below)[:1]
    if before:
        return finder.find(Wanted(place.source, before[0]))
    if told := [each for each in manifest.changelog if parse_version(each) < own]:
        raise UsageError(
            f"the changelog has {listed(told, most=3)}, and the repository {place.root.name} has no"
            f" tag {place.tag(told[0])} to compare with",
            hint="a clone without tags gets them with `git fetch --tags`",
        )
    return None


class Compared(Record):
    """What two versions differ in, and why what could not be compared was not."""

    changes: Sequence[Change]
    unknown: str = ""


def compare(old: Reading, new: Reading, finder: TemplateFinder, platform: str) -> Compared:
    """What a version changes for those who stand on the one before: what breaks them first.

    Limits and values are compared under the cases of both, with each other choice of the parameters.
    """
    found: dict[tuple[str, str, str, str], Change] = {}
    values: dict[str, None] = {}
    why, seen = "no case gives the parameters that both versions take", False
    for change in [*_head(old, new), *changes.parameters(old, new)]:
        found[change.what, change.name, change.old, change.new] = change
    for case, same in _cases(old, new, platform):
        was, now = (_own(*each, finder, platform) for each in ((old, case), (new, same)))
        if was is None or now is None:
            continue  # what one of them cannot be given is told as a parameter
        for change in [*changes.limits(was.limits, now.limits), *_gone(was, now, new)]:
            key = change.what, change.name, change.old, change.new
            found.setdefault(key, records.replace(change, covered=_covered(new, old, change.name)))
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made).resolve()
            before, wrong = read_case_over(old.content, case, finder, folder, platform)
            after, too = read_case_over(new.content, same, finder, folder, platform)
        if before is None or after is None:
            why = next((item.message for item in [*wrong, *too]), why)
            continue
        seen = True
        for leaf in leaf_changes(before, after):
            words = [_shown(each) for each in (leaf.old, leaf.new)]
            values[f"{leaf.path}: {words[0]} → {words[1]}"] = None
    if values:
        lines = "; ".join(list(values)[:_MOST_SHOWN])
        more = f"; and {len(values) - _MOST_SHOWN} more" if len(values) > _MOST_SHOWN else ""
        at = new.blueprint or new.key("version")
        found["values", "", "", ""] = Change("changed", "values", "", "", lines + more, "", at)
    every = [*found.values(), *_guard_rails(old, new), *_scaffold(old, new)]
    return Compared(sorted(every, key=lambda each: not each.breaks), "" if seen else why)


def _cases(old: Reading, new: Reading, platform: str) -> Iterator[tuple[Case, Case]]:
    """The cases of both, with each other choice: for the older one, and as the newer one takes it."""
    names = {former: name for name, (former, _) in changes.renamed(old, new).items()}
    for reading in (old, new):
        for case in samples(reading.content):
            more = variants(case, reading.manifest, [platform])
            yield from ((each, _renamed(each, names)) for each in (case, *islice(more, MOST)))


def _renamed(case: Case, names: Mapping[str, str]) -> Case:
    """The case with its parameters called as they are now."""
    if case.parameters is None:
        return case
    given = {
        names.get(name, name): Entry(entry.key.scalar_like(names.get(name, name)), entry.value)
        for name, entry in case.parameters.entries.items()
    }
    return records.replace(case, parameters=Node("map", case.source, 1, 1, entries=given))


def _own(
    reading: Reading, case: Case, finder: TemplateFinder, platform: str
) -> AppliedTemplate | None:
    """The template with a case's parameters; None where these do not fit."""
    found = applied(reading, case, finder, platform)
    return next((each for each in found if each.content is reading.content), None)


def _shown(value: object) -> str:
    return "nothing" if value is None else quoted(value)


def _head(old: Reading, new: Reading) -> Iterator[Change]:
    """What the head of template.yaml says otherwise."""
    was, now = old.manifest, new.manifest
    if was.name != now.name:
        at = new.key("name")
        yield Change("changed", "name", "", was.name, now.name, "", at, "every blueprint")
    if set(was.platforms) != set(now.platforms):
        is_less = bool(now.platforms) and not set(was.platforms or ("",)) <= set(now.platforms)
        breaks = "blueprints on another platform" if is_less else ""
        said, says = (listed(each) or "all" for each in (was.platforms, now.platforms))
        at = new.key("platforms")
        yield Change("changed", "platforms", "", said, says, "", at, breaks)


def _gone(old: AppliedTemplate, new: AppliedTemplate, reading: Reading) -> Iterator[Change]:
    """Sections, entries and environments that a template no longer has."""
    lost = _entries(old) - _entries(new)
    for path in sorted(lost):
        if not any(path.startswith(f"{other}.") for other in lost):
            at = reading.blueprint or reading.key("version")
            breaks = f"blueprints that count on {path}"
            yield Change("gone", "", path, "in the template", "", "", at, breaks)


def _entries(template: AppliedTemplate) -> set[str]:
    tree = template.tree.entries
    named = [(key, tree[key].value.entries) for key in RENAMEABLE if key in tree]
    inner = {join(section, name) for section, names in named for name in names}
    return {*tree, *inner, *(join("environments", name) for name in template.environments)}


def _covered(new: Reading, old: Reading, path: str) -> str:
    """The migration that takes care of a path; empty if none does."""
    low = parse_version(old.manifest.version)
    for version, operations in new.manifest.migrations.items():
        for each in operations if parse_version(version) > low else ():
            is_path = each.kind != "rename_parameter"
            if is_path and (path == each.path or path.startswith(f"{each.path}.")):
                return f"the migration of {version}"
    return ""


def _guard_rails(old: Reading, new: Reading) -> Iterator[Change]:
    """Guard rails that are new, hold more, or less than they did. None of their code is run."""
    at, whom = new.key("version"), "blueprints that break it"
    before, after = old.content.files, new.content.files
    for name in changes.files(before, after):
        if name.startswith("policies/"):
            kind: changes.Kind = "gone"
            if name in after:
                kind = "changed" if name in before else "new"
            yield Change(kind, "guard rail", name, "", kind, "", at, whom if kind == "new" else "")
    was, now = _settings(old), _settings(new)
    for rule in sorted({*was, *now}):
        if was.get(rule) != now.get(rule):
            said, says = (
                ", ".join(f"{key} {quoted(value)}" for key, value in each.get(rule, {}).items())
                for each in (was, now)
            )
            breaks = whom if _holds_more(was.get(rule), now.get(rule)) else ""
            yield Change("changed", "guard rail", rule, said, says, "", at, breaks)


def _holds_more(was: Mapping[str, object] | None, now: Mapping[str, object] | None) -> bool:
    """Whether a rule is set more strictly; another value of a setting of its own may be that."""
    if now is None or now.get("enabled") is False:
        return False
    if was is None or was.get("enabled") is False:
        return True
    if now.get("severity") == "mandatory" != was.get("severity"):
        return True
    if was.get("exceptions") == "allowed" != now.get("exceptions"):
        return True
    own = ("severity", "enabled", "exceptions", "reason")
    return any(now[key] != was.get(key) for key in now if key not in own)


def _settings(reading: Reading) -> Mapping[str, Mapping[str, object]]:
    """What `policies.yaml` says of each rule; nothing where it cannot be read, which lint tells."""
    if POLICIES not in reading.content.files:
        return {}
    try:
        entry = compose(text_of(reading.content, POLICIES))[0].entries.get("rules")
    except BlueprintInvalid:
        return {}
    rules = entry.value.entries if entry is not None else {}
    return {name: plain(each.value) or {} for name, each in rules.items()}


def _scaffold(old: Reading, new: Reading) -> Iterator[Change]:
    names = changes.files(old.content.files, new.content.files)
    if changed := [name for name in names if name.startswith("scaffold/")]:
        at = new.key("version")
        yield Change("changed", "scaffold", "", "", listed(changed, most=5), "", at)


def least_version(compared: Sequence[Change], old: str) -> str:
    """The least version number that is honest after `old`, where anything differs."""
    version = parse_version(old)
    release = version.finalize_version()
    if version.prerelease:  # 2.0.0-rc.2 may change anything until it is 2.0.0
        return str(release)
    if any(change.breaks for change in compared):
        return str(release.bump_major() if version.major else release.bump_minor())
    return str(release.bump_minor() if compared and version.major else release.bump_patch())


def diagnostics(old: Reading, new: Reading, compared: Compared) -> list[Diagnostic]:
    """The changes where the newer version says them, and an error where its number is not honest."""
    before, after = old.manifest.version, new.manifest.version
    found = []
    for each in compared.changes:
        severity: Severity = "warning" if each.breaks and not each.covered else "note"
        message = f"{each.words}; breaks {each.breaks}" if each.breaks else each.words
        hint = f"{each.covered} takes care of it" if each.covered else ""
        found.append(problem(each.at, "changed", message, hint=hint, severity=severity))
    at = new.key("version")
    breaks = any(change.breaks for change in compared.changes)
    if compared.unknown and not breaks:
        message = f"limits and values were not compared: {compared.unknown}"
        hint = "a case in tests/ that both versions take makes them comparable"
        found.append(problem(at, "not-compared", message, path="version", hint=hint))
    least = least_version(compared.changes, before)
    message = ""
    if old.content.digest != new.content.digest and before == after:
        message = f"{after} is not what {after} was: a version never changes"
    elif parse_version(after) < parse_version(before):
        message = f"{after} comes after {before}"
    elif compared.changes and parse_version(after).finalize_version() < parse_version(least):
        what = "breaks blueprints that stand on" if breaks else "adds or changes something since"
        message = f"{after} {what} {before}: {compared.changes[0].words}"
    if message:
        found.append(problem(at, "wrong-version", message, path="version", hint=f"write {least}"))
    return found
