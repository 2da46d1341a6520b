"""Guard rails of a project: which rules there are, and how they are set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.templates.content import POLICIES
from mlops_iac.blueprint.torn import known_or
from mlops_iac.blueprint.words import join, suggestion
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.blueprint.resolved import ResolvedBlueprint
    from mlops_iac.policy.config import Configuration
    from mlops_iac.policy.model import Rule
    from mlops_iac.policy.templates import Guards


def rules(project: BaseProject, *, own: bool = True) -> list[Rule]:
    """The rules that hold for a project; `own` are those of its team and its templates.

    These are code, which runs then. Raises UsageError for one that cannot be loaded, and for rules
    of a template whose content no lock pins: what would run is not what was looked at.
    """
    from mlops_iac.policy import team
    from mlops_iac.policy.rules import rules as built_in

    found = list(built_in())
    if own:
        brought = [file for each in guards(project) for file in each.rules]
        if brought:
            _check_pinned(project)
        of_team = [
            team.RuleFile(path.name, path.read_bytes(), str(path))
            for path in team.files(project.root, project.loaded.reach)
        ]
        taken = {rule.id: "ours" for rule in found}
        found += team.load_files([*brought, *of_team], taken)
    return found


def guards(project: BaseProject) -> list[Guards]:
    """What each template of a project says about rules, lowest layer first."""
    applied = project.loaded.templates
    if not applied:
        return []
    from mlops_iac.policy.templates import Guards

    found = [
        Guards(each.label, each.content.shown or each.label, each.content.files) for each in applied
    ]
    return [each for each in found if each.written]


def own_ids(project: BaseProject) -> list[str]:
    """The ids of the rules that a project's templates and its team bring; none of them is run."""
    from mlops_iac.policy import team

    brought = [file.id for each in guards(project) for file in each.rules]
    return [*brought, *team.ids(project.root, project.loaded.reach)]


def _check_pinned(project: BaseProject) -> None:
    """Whether the lock pins the content of each template that brings rules."""
    from mlops_iac.templates.lockfile import lock_path, read_lock

    unsure = [t for t in project.loaded.templates if t.content.digest not in project.trusted]
    if not unsure:
        return
    path = lock_path(project.path)
    lock = read_lock(path, reach=project.loaded.reach)
    pinned = {pin.digest for pin in lock.pins} if lock is not None else set()
    for each in unsure:
        if each.content.digest in pinned:
            continue
        label = each.label
        if any(guard.label == label and guard.rules for guard in guards(project)):
            raise UsageError(
                f"the rules of {label} are code, and {path.name} does not pin what would run",
                hint="`mlops-iac compile` pins it; `policy check` and `preview` can go without: --no-team-rules",
            )


def not_run(project: BaseProject, *, own: bool) -> list[str]:
    """Say which rules were not run, because their code is under review itself."""
    from mlops_iac.policy import team

    if own:
        return []
    project = project.standard
    said = []
    if found := sorted(team.ids(project.root, project.loaded.reach)):
        said.append(
            f"the team's own rules were not run, their code is not trusted here: {', '.join(found)}"
        )
    return said + [
        f"the rules of {each.label} were not run, their code is not trusted here: {', '.join(names)}"
        for each in guards(project)
        if (names := [file.id for file in each.rules])
    ]


def configuration(project: BaseProject, known: Sequence[Rule]) -> Configuration:
    """What `policies.yaml` says, over those of the templates. Raises BlueprintInvalid."""
    found, problems = _configuration(project, known)
    if problems:
        raise BlueprintInvalid(problems)
    return found


def _configuration(
    project: BaseProject, known: Sequence[Rule]
) -> tuple[Configuration, list[Diagnostic]]:
    from mlops_iac.policy import config

    path = project.root / POLICIES
    project.loaded.reach.inside(path)
    names = [name for name in project.environments if name != LOCAL]
    unread = own_ids(project)
    found = guards(project)
    if not found:
        return config.load(path, _shown(path), known, names, unread=unread)
    from mlops_iac.policy.templates import laid_over, standing

    below, problems = standing(found, known, unread)
    team, own = config.load(path, _shown(path), known, names, unread=unread, held=below.held)
    return laid_over(team, below), [*problems, *own]


def _exceptions(resolved: ResolvedBlueprint) -> Sequence[str]:
    """The rules that are excepted from; none where that is wrong, which is told already."""
    return known_or([], lambda: list(resolved.blueprint.exceptions))


def problems(project: BaseProject) -> list[Diagnostic]:
    """What `validate` says of exceptions and `policies.yaml`. Runs no code of anybody."""
    project.standard.loaded.reach.inside(project.standard.root / "policies")
    exceptions = {name: _exceptions(project.resolve(name)) for name in project.environments}
    written = any(exceptions.values())
    there = (project.standard.root / "policies.yaml").exists() or bool(guards(project))
    if not written and not there:
        return []  # most projects: the rules are not even imported
    from mlops_iac.policy.rules import ids

    settings: Configuration | None = None
    found: list[Diagnostic] = []
    if there:
        settings, found = _configuration(project.standard, rules(project.standard, own=False))
    known = [*ids(), *own_ids(project.standard)]
    for name in project.environments:
        resolved = project.resolve(name)
        for rule in exceptions[name]:
            path = join("exceptions", rule)
            held = settings.held.get(rule) if settings is not None else None
            if rule not in known:
                message = f"there is no rule '{rule}'"
                hint = suggestion(rule, known)
                found.append(resolved.diagnostic(path, "unknown-rule", message, hint, at_key=True))
            elif held is not None and not held.exceptions:
                message = f"{held.by} allows no exceptions from {rule}"
                hint = "keep to the rule, or ask the template's owner for `exceptions: allowed`"
                found.append(resolved.diagnostic(path, "locked", message, hint, at_key=True))
    return list(dict.fromkeys(found))


def _shown(path: Path) -> str:
    return Path(os.path.relpath(path)).as_posix()
