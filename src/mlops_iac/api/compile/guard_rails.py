"""Guard rails of a project: which rules there are, and what a stack breaks of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.project import LOCAL
from mlops_iac.blueprint.templates.content import POLICIES
from mlops_iac.blueprint.torn import known_or
from mlops_iac.blueprint.words import join, suggestion
from mlops_iac.errors import BlueprintInvalid, Diagnostic, PolicyViolation, UsageError

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.blueprint.resolved import ResolvedBlueprint
    from mlops_iac.blueprint.sections.platform import PolicyException
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.policy.config import Configuration
    from mlops_iac.policy.context import Context
    from mlops_iac.policy.model import Finding, Rule
    from mlops_iac.policy.templates import Guards


def rules(project: Project, *, own: bool = True) -> list[Rule]:
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


def guards(project: Project) -> list[Guards]:
    """What each template of a project says about rules, lowest layer first."""
    applied = project.loaded.templates
    if not applied:
        return []
    from mlops_iac.policy.templates import Guards

    found = [
        Guards(each.label, each.content.shown or each.label, each.content.files) for each in applied
    ]
    return [each for each in found if each.written]


def own_ids(project: Project) -> list[str]:
    """The ids of the rules that a project's templates and its team bring; none of them is run."""
    from mlops_iac.policy import team

    brought = [file.id for each in guards(project) for file in each.rules]
    return [*brought, *team.ids(project.root, project.loaded.reach)]


def _check_pinned(project: Project) -> None:
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


def not_run(project: Project, *, own: bool) -> list[str]:
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


def configuration(project: Project, known: Sequence[Rule]) -> Configuration:
    """What `policies.yaml` says, over those of the templates. Raises BlueprintInvalid."""
    found, problems = _configuration(project, known)
    if problems:
        raise BlueprintInvalid(problems)
    return found


def _configuration(
    project: Project, known: Sequence[Rule]
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


def problems(project: Project) -> list[Diagnostic]:
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


def policies(
    project: Project,
    stack: str,
    *,
    graph: ResourceGraph | None = None,
    own: bool = True,
    today: date | None = None,
) -> list[Finding]:
    """Every guard rail that a stack breaks; see `Project.policies`."""
    from mlops_iac.policy.checking import check
    from mlops_iac.policy.suppression import suppress

    resolved = project.resolve(stack)
    standard = project.standard
    if unknown := problems(project):
        raise BlueprintInvalid(unknown)
    known = rules(standard, own=own)
    settings = configuration(standard, known)
    context = context_of(project, stack, graph or project.capture(stack), settings)
    # What an ephemeral stack breaks is mended in the overlay that it begins with.
    record = getattr(project, "record", None)
    written = project.loaded.resolve(record.base) if record is not None else resolved
    found = check(context, known, settings, lambda path: written.diagnostic(path, "policy", ""))
    exceptions = resolved.blueprint.exceptions
    if standard is not project:
        exceptions = _agreed(exceptions, standard, stack)
    return suppress(found, resolved, exceptions, today or datetime.now(UTC).date())


def _agreed(
    exceptions: Mapping[str, PolicyException], standard: Project, stack: str
) -> dict[str, PolicyException]:
    """Those exceptions that the standard makes, too, in the same stack."""
    if stack not in standard.environments:
        return {}
    agreed = standard.resolve(stack).blueprint.exceptions
    return {rule: each for rule, each in exceptions.items() if agreed.get(rule) == each}


def context_of(
    project: Project, stack: str, graph: ResourceGraph, settings: Configuration
) -> Context:
    """What rules may ask about a stack."""
    from mlops_iac.graph.provenance import blueprint_paths
    from mlops_iac.policy.context import Context

    components = {call.name: call.path for call in project.calls(stack)}
    known = project.standard if stack in project.standard.environments else project
    return Context(
        graph=graph,
        production=is_production(project, stack, settings),
        region=project.region(stack),
        accounts=_accounts(project.standard, known.resolve(stack).blueprint.account, stack),
        paths=blueprint_paths(graph, components),
        blueprint=project.resolve(stack),
        protected=_protected(project, stack) or _protected(known, stack),
    )


def is_production(project: Project, stack: str, settings: Configuration) -> bool:
    """Whether a stack serves in earnest: said so in `policies.yaml`, or protected.

    In a fork one that does in the base goes on doing so, and so does one that the base lacks.
    """
    standard = project.standard
    if stack not in standard.environments:
        return True  # nobody of the base has said yet what it is for
    if settings.production is not None:
        return stack in settings.production
    return _protected(project, stack) or _protected(standard, stack)


def _protected(project: Project, stack: str) -> bool:
    return stack != LOCAL and project.protected(stack)


def require(findings: Sequence[Finding], stack: str) -> None:
    """Raise PolicyViolation for mandatory findings that nothing suppresses."""
    broken = [each for each in findings if each.counts]
    if broken:
        first = broken[0]
        place = f"{first.file}:{first.line}: " if first.file else ""
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        raise PolicyViolation(
            f"{stack} breaks {first.rule}: {place}{first.message}{more}",
            hint=f"{first.remediation}; `mlops-iac policy check -s {stack}` lists all",
        )


def write_pack(project: Project, out: Path, *, own: bool = True) -> list[Path]:
    """Write a policy pack of the project's rules for the plain Pulumi CLI; return its files."""
    from mlops_iac import __version__
    from mlops_iac.policy.pack import PackSettings, RuleSettings, StackSettings, write

    if unknown := problems(project):
        raise BlueprintInvalid(unknown)
    known = rules(project, own=own)
    settings = configuration(project, known)
    stacks = {
        stack: StackSettings(
            # A pack has one answer for all rules, and templates may hold to some of them.
            production=is_production(project, stack, settings)
            or bool(settings.held and not settings.production_held and _protected(project, stack)),
            region=project.region(stack),
            accounts=sorted(_accounts(project, project.resolve(stack).blueprint.account, stack)),
            components={call.name: call.path for call in project.calls(stack)},
            exceptions={
                rule: {"at": each.at, "reason": each.reason, "until": each.until}
                for rule, each in project.resolve(stack).blueprint.exceptions.items()
            },
        )
        for stack in project.environments
    }
    pack = PackSettings(
        project=project.name,
        stacks=stacks,
        rules={
            rule.id: RuleSettings(settings.severity(rule), settings.parameters(rule))
            for rule in known
            if settings.enabled(rule)
        },
    )
    return write(out, pack, _rule_files(project) if own else {}, __version__)


def _rule_files(project: Project) -> dict[str, str]:
    """The files of rules that a pack gets a copy of, by name."""
    from mlops_iac.policy import team

    found = {
        file.name: file.code.decode("utf-8") for each in guards(project) for file in each.rules
    }
    for path in team.files(project.root, project.loaded.reach):
        found[path.name] = path.read_text(encoding="utf-8")
    return found


def _accounts(project: Project, own: object, stack: str) -> frozenset[str]:
    """Accounts of the project's environments, and the one that stands in for a stack without."""
    from mlops_iac.api.deploy.cloud import EMULATED_ACCOUNT

    declared = {
        str(each.blueprint.account)
        for name in project.environments
        if name != LOCAL and (each := project.resolve(name)).blueprint.account is not None
    }
    nameless = bool(declared) and own is None
    return frozenset({*declared, EMULATED_ACCOUNT} if stack == LOCAL or nameless else declared)


def _shown(path: Path) -> str:
    return Path(os.path.relpath(path)).as_posix()
