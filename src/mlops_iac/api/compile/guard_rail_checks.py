"""What a stack breaks of the guard rails of its project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.compile.captures import capture
from mlops_iac.api.core.guard_rails import configuration, guards, problems, rules
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds import registry
from mlops_iac.errors import BlueprintInvalid, PolicyViolation

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.blueprint.sections.platform import PolicyException
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.policy.config import Configuration
    from mlops_iac.policy.context import Context
    from mlops_iac.policy.model import Finding


def policies(
    project: BaseProject,
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
    context = context_of(project, stack, graph or capture(project, stack), settings)
    # What an ephemeral stack breaks is mended in the overlay that it begins with.
    record = getattr(project, "record", None)
    written = project.loaded.resolve(record.base) if record is not None else resolved
    found = check(context, known, settings, lambda path: written.diagnostic(path, "policy", ""))
    exceptions = resolved.blueprint.exceptions
    if standard is not project:
        exceptions = _agreed(exceptions, standard, stack)
    return suppress(found, resolved, exceptions, today or datetime.now(UTC).date())


def _agreed(
    exceptions: Mapping[str, PolicyException], standard: BaseProject, stack: str
) -> dict[str, PolicyException]:
    """Those exceptions that the standard makes, too, in the same stack."""
    if stack not in standard.environments:
        return {}
    agreed = standard.resolve(stack).blueprint.exceptions
    return {rule: each for rule, each in exceptions.items() if agreed.get(rule) == each}


def context_of(
    project: BaseProject, stack: str, graph: ResourceGraph, settings: Configuration
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


def is_production(project: BaseProject, stack: str, settings: Configuration) -> bool:
    """Whether a stack serves in earnest: said so in `policies.yaml`, or protected.

    In a fork one that does in the base goes on doing so, and so does one that the base lacks.
    """
    standard = project.standard
    if stack not in standard.environments:
        return True  # nobody of the base has said yet what it is for
    if settings.production is not None:
        return stack in settings.production
    return _protected(project, stack) or _protected(standard, stack)


def _protected(project: BaseProject, stack: str) -> bool:
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


def write_pack(project: BaseProject, out: Path, *, own: bool = True) -> list[Path]:
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
            accounts=tuple(
                sorted(_accounts(project, project.resolve(stack).blueprint.account, stack))
            ),
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


def _rule_files(project: BaseProject) -> dict[str, str]:
    """The files of rules that a pack gets a copy of, by name."""
    from mlops_iac.policy import team

    found = {
        file.name: file.code.decode("utf-8") for each in guards(project) for file in each.rules
    }
    for path in team.files(project.root, project.loaded.reach):
        found[path.name] = path.read_text(encoding="utf-8")
    return found


def _accounts(project: BaseProject, own: object, stack: str) -> frozenset[str]:
    """Accounts of the project's environments, and the one that stands in for a stack without."""
    declared = {
        str(each.blueprint.account)
        for name in project.environments
        if name != LOCAL and (each := project.resolve(name)).blueprint.account is not None
    }
    nameless = bool(declared) and own is None
    stand_in = registry.forms(project.platform).account
    return frozenset({*declared, stand_in} if stack == LOCAL or nameless else declared)
