"""What a blueprint gets from a template, and what else stands in its folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_iac.blueprint import LoadedBlueprint
from mlops_iac.blueprint.checks.platform import RENAMEABLE
from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.templates.applied import AppliedTemplate
from mlops_iac.blueprint.templates.content import TemplateFinder
from mlops_iac.blueprint.templates.limits import quoted
from mlops_iac.blueprint.templates.manifest import UNSET
from mlops_iac.blueprint.words import join, listed
from mlops_iac.errors import BlueprintInvalid, Diagnostic
from mlops_iac.templates.cases import case_names, read_case
from mlops_iac.templates.compatibility.model import Change, Pair
from mlops_iac.templates.linting import team
from mlops_iac.templates.linting.resolving import Trial, read_case_over

_MOST = 12  # leaves that one change lists


def manifest(pair: Pair) -> Iterator[Change]:
    """What the head of template.yaml says otherwise."""
    old, new = pair.old.manifest, pair.new.manifest
    if old.name != new.name:
        message = f"the template is called {new.name}, and was {old.name}"
        yield Change("breaking", "name-changed", message, pair.new.key("name"), "every blueprint")
    place = pair.new.key("platforms")
    lost = [each for each in old.platforms if new.platforms and each not in new.platforms]
    if lost or (new.platforms and not old.platforms):
        what = listed(lost) if lost else f"every platform but {listed(new.platforms)}"
        whom = f"blueprints on {listed(lost, 'or') if lost else 'another platform'}"
        yield Change(
            "breaking", "platform-dropped", f"{what} is not supported any more", place, whom
        )
    gained = [each for each in new.platforms if old.platforms and each not in old.platforms]
    if gained or (old.platforms and not new.platforms):
        message = f"{listed(gained) or 'every platform'} is supported"
        yield Change("feature", "platform-added", message, place)


def sections(pair: Pair, old: AppliedTemplate, new: AppliedTemplate) -> Iterator[Change]:
    """Sections, entries and environments that a template no longer has."""
    place = pair.new.parsed.root or pair.new.key("version")
    lost = _entries(old.tree) - _entries(new.tree)
    for path in sorted(lost, key=len):
        if any(path.startswith(f"{other}.") for other in lost):
            continue
        whom = f"blueprints that count on {path}"
        covered = pair.covered(path)
        message = f"{path} is not in the template any more"
        yield Change("breaking", "section-removed", message, place, whom, covered)
    for name in sorted(old.environments.keys() - new.environments.keys()):
        path = f"environments.{name}"
        whom = "every blueprint that does not declare it itself" if name != "*" else "every stack"
        message = f"{path} is not in the template any more"
        yield Change("breaking", "environment-removed", message, place, whom, pair.covered(path))


def _entries(tree: Node) -> set[str]:
    found = set(tree.entries)
    for section in RENAMEABLE:
        entry = tree.entries.get(section)
        if entry is not None:
            found |= {join(section, name) for name in entry.value.entries}
    return found


def leaves(old: Trial, new: Trial) -> tuple[list[str], str]:
    """What a small blueprint resolves to otherwise, in any environment: a line for each leaf.

    And why nothing could be compared, empty where it was.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        team.write_files(folder)
        (before, why), (after, and_why) = _resolved(old, folder), _resolved(new, folder)
    return (_differences(before, after), "") if before and after else ([], why or and_why)


def under_cases(pair: Pair, below: TemplateFinder, platform: str) -> list[str] | None:
    """The same under the blueprints of the test cases that both versions take; None without one."""
    lines: dict[str, None] = {}
    compared = False
    for version in (pair.new.content, pair.old.content):
        for name in case_names(version):
            try:
                case = read_case(version, name)
            except BlueprintInvalid:
                continue
            if case.section.expect.errors:
                continue
            found = []
            for subject in (pair.old, pair.new):
                with tempfile.TemporaryDirectory() as made:
                    folder = Path(made).resolve()
                    team.write_files(folder, case.section.files)
                    chosen = case.section.platform or platform
                    loaded, _ = read_case_over(subject.content, case, below, folder, chosen)
                    found.append(_leaves(loaded) if loaded is not None else {})
            if all(found):
                compared = True
                lines |= dict.fromkeys(_differences(*found))
    return list(lines) if compared else None


def default_effects(pair: Pair, trial: Trial, platform: str) -> Iterator[tuple[str, str]]:
    """What another default does to the leaves of a small blueprint, by parameter."""
    old, new = pair.old.manifest.parameters, pair.new.manifest.parameters
    for name, parameter in new.items():
        before = old.get(name)
        if before is None or UNSET in (before.default, parameter.default):
            continue
        if before.default == parameter.default or before.default is None:
            continue
        given = {**trial.parameters, name: before.default}
        former = Trial(pair.new, given, platform)
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            team.write_files(folder)
            left, _ = _resolved(former, folder)
            now, _ = _resolved(Trial(pair.new, _without(given, name), platform), folder)
        if left and now and (lines := _differences(left, now)):
            yield name, some(lines)


def _without(parameters: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if key != name}


def _resolved(trial: Trial, folder: Path) -> tuple[dict[str, Mapping[str, Any]], str]:
    """The leaves of each environment; nothing, and why, where it is refused."""
    found: Sequence[Diagnostic] = trial.problems
    if not found:
        loaded, found = trial.resolve(folder, idle=True)
        if loaded is not None:
            return _leaves(loaded), ""
    return {}, next((item.message for item in found), "")


def _leaves(loaded: LoadedBlueprint) -> dict[str, Mapping[str, Any]]:
    return {name: loaded.resolve(name).leaves() for name in loaded.environments if name != "local"}


def _differences(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """`security.keys: provider → customer`; with the environment where only some have it."""
    found: dict[str, list[str]] = {}
    names = [name for name in after if name in before]
    for name in names:
        left, right = before[name], after[name]
        for path in dict.fromkeys([*left, *right]):
            if path.startswith("extends") or left.get(path) == right.get(path):
                continue
            words = [_shown(each.get(path)) for each in (left, right)]
            found.setdefault(f"{path}: {words[0]} → {words[1]}", []).append(name)
    return [
        line if len(where) == len(names) else f"{line} (in {listed(where)})"
        for line, where in found.items()
    ]


def _shown(value: Any) -> str:
    return "nothing" if value is None else quoted(value)


def some(lines: Sequence[str]) -> str:
    """The first of them, and how many there are beyond."""
    more = f"; and {len(lines) - _MOST} more" if len(lines) > _MOST else ""
    return "; ".join(lines[:_MOST]) + more


def files(pair: Pair) -> Iterator[Change]:
    """The scaffold, and files that are no concern of a blueprint."""
    place = pair.new.key("version")
    names = [name for name in differing(pair) if not name.startswith("policies")]
    if scaffold := [name for name in names if name.startswith("scaffold/")]:
        message = f"new projects start otherwise: {listed(scaffold, most=5)}"
        yield Change("feature", "scaffold-changed", message, place, "new projects")
    told = ("template.yaml", "blueprint.yaml")
    rest = [name for name in names if name not in scaffold and name not in told]
    if rest:
        message = f"other files differ: {listed(rest, most=5)}"
        yield Change("fix", "files-changed", message, place)


def differing(pair: Pair) -> list[str]:
    """The files that are not the same in both, sorted."""
    old, new = pair.old.content.files, pair.new.content.files
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
