"""Guard rails of a project: which rules there are, and what a stack breaks of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.project import LOCAL
from mlops_iac.blueprint.words import suggestion
from mlops_iac.errors import BlueprintInvalid, Diagnostic, PolicyViolation

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.policy.config import Configuration
    from mlops_iac.policy.context import Context
    from mlops_iac.policy.model import Finding, Rule


def rules(project: Project, *, own: bool = True) -> list[Rule]:
    """The rules that hold for a project; `own` are those of its team, whose code runs then."""
    from mlops_iac.policy import team
    from mlops_iac.policy.rules import rules as built_in

    found = list(built_in())
    if own:
        found += team.load(project.root, frozenset(rule.id for rule in found))
    return found


def not_run(project: Project, *, own: bool) -> list[str]:
    """Say which of the team's own rules were not run, because their code is under review itself."""
    from mlops_iac.policy import team

    found = [] if own else sorted(team.ids(project.root))
    if not found:
        return []
    return [
        f"the team's own rules were not run, their code is not trusted here: {', '.join(found)}"
    ]


def configuration(project: Project, known: Sequence[Rule]) -> Configuration:
    """What `policies.yaml` says. Raises BlueprintInvalid with its problems."""
    found, problems = _configuration(project, known)
    if problems:
        raise BlueprintInvalid(problems)
    return found


def _configuration(
    project: Project, known: Sequence[Rule]
) -> tuple[Configuration, list[Diagnostic]]:
    from mlops_iac.policy import config, team

    path = project.root / config.FILE
    names = [name for name in project.environments if name != LOCAL]
    return config.load(path, _shown(path), known, names, unread=team.ids(project.root))


def problems(project: Project) -> list[Diagnostic]:
    """What `validate` says of exceptions and `policies.yaml`. Runs no code of the team."""
    written = any(project.resolve(name).blueprint.exceptions for name in project.environments)
    if not written and not (project.root / "policies.yaml").exists():
        return []  # most projects: the rules are not even imported
    from mlops_iac.policy import config, team
    from mlops_iac.policy.rules import ids

    found: list[Diagnostic] = []
    known = [*ids(), *team.ids(project.root)]
    for name in project.environments:
        resolved = project.resolve(name)
        for rule in resolved.blueprint.exceptions:
            if rule not in known:
                message = f"there is no rule '{rule}'"
                hint = suggestion(rule, known)
                path = f"exceptions.{rule}"
                found.append(resolved.diagnostic(path, "unknown-rule", message, hint, at_key=True))
    if (project.root / config.FILE).exists():
        found += _configuration(project, rules(project, own=False))[1]
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
    if unknown := problems(project):
        raise BlueprintInvalid(unknown)
    known = rules(project, own=own)
    settings = configuration(project, known)
    context = context_of(project, stack, graph or project.capture(stack), settings)
    found = check(context, known, settings, lambda path: resolved.diagnostic(path, "policy", ""))
    return suppress(found, resolved, today or datetime.now(UTC).date())


def context_of(
    project: Project, stack: str, graph: ResourceGraph, settings: Configuration
) -> Context:
    """What rules may ask about a stack."""
    from mlops_iac.graph.provenance import blueprint_paths
    from mlops_iac.policy.context import Context

    components = {call.name: call.path for call in project.calls(stack)}
    return Context(
        graph=graph,
        production=is_production(project, stack, settings),
        region=project.region(stack),
        accounts=_accounts(project, stack),
        paths=blueprint_paths(graph, components),
        blueprint=project.resolve(stack),
    )


def is_production(project: Project, stack: str, settings: Configuration) -> bool:
    """Whether a stack serves in earnest: said so in `policies.yaml`, or protected."""
    if settings.production is not None:
        return stack in settings.production
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
    from mlops_iac.policy import team
    from mlops_iac.policy.pack import PackSettings, RuleSettings, StackSettings, write

    if unknown := problems(project):
        raise BlueprintInvalid(unknown)
    known = rules(project, own=own)
    settings = configuration(project, known)
    stacks = {
        stack: StackSettings(
            production=is_production(project, stack, settings),
            region=project.region(stack),
            accounts=sorted(_accounts(project, stack)),
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
    return write(out, pack, team.files(project.root) if own else (), __version__)


def _accounts(project: Project, stack: str) -> frozenset[str]:
    """Accounts of the project's environments; for `local`, the emulated one too."""
    from mlops_iac.api.cloud import EMULATED_ACCOUNT

    declared = {
        str(each.blueprint.account)
        for name in project.environments
        if name != LOCAL and (each := project.resolve(name)).blueprint.account is not None
    }
    return frozenset({*declared, EMULATED_ACCOUNT} if stack == LOCAL else declared)


def _shown(path: Path) -> str:
    return Path(os.path.relpath(path)).as_posix()
