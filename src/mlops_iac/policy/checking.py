"""The rules over one stack, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from mlops_iac.blueprint.words import join
from mlops_iac.clouds import registry
from mlops_iac.errors import Diagnostic, MlopsError
from mlops_iac.graph.model import Resource
from mlops_iac.policy import team
from mlops_iac.policy.config import Configuration
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Finding, Rule, Violation, placed

# Blueprint path → the place it is written at (of a path that is not: where it would stand).
Locate = Callable[[str], Diagnostic]


def check(
    context: Context,
    rules: Sequence[Rule],
    configuration: Configuration,
    locate: Locate | None = None,
) -> list[Finding]:
    """Every broken rule, mandatory ones first, then by place.

    Raises UsageError for a rule whose own code fails.
    """
    found = [
        _finding(rule, configuration, violation, context, locate)
        for rule in rules
        if configuration.enabled(rule) and _concerns(rule, context, configuration)
        for violation in violations(rule, context, configuration)
    ]
    return sorted(
        dict.fromkeys(found),
        key=lambda each: (each.severity != "mandatory", each.line, each.rule, each.address),
    )


def _concerns(rule: Rule, context: Context, configuration: Configuration) -> bool:
    """Whether a rule looks at a stack; one that a template holds to is not told another list."""
    if context.production or not rule.production:
        return True
    held = rule.id in configuration.held and not configuration.production_held
    return held and context.protected


def violations(rule: Rule, context: Context, configuration: Configuration) -> list[Violation]:
    """What one rule finds; one of a cloud's has nothing to say of a stack in another."""
    cloud = registry.owner(rule.check.__module__)
    if cloud and cloud not in context.clouds:
        return []
    try:
        found: Iterable[Violation] = rule.check(
            replace(context, parameters=configuration.parameters(rule))
        )
        return list(found or ())
    except MlopsError:
        raise
    except Exception as error:
        raise team.crashed(rule, error) from error


def _path(context: Context, resource: Resource | None) -> str:
    """Of what the blueprint overrides, the override; else the component's path."""
    if resource is None:
        return ""
    if context.blueprint is not None:
        called = resource.address
        if called in context.blueprint.blueprint.overrides:
            return join("overrides", called)
    return context.path_of(resource)


def _finding(
    rule: Rule,
    configuration: Configuration,
    violation: Violation,
    context: Context,
    locate: Locate | None,
) -> Finding:
    resource = violation.resource
    path = violation.path or _path(context, resource)
    place = locate(path) if locate else Diagnostic(rule.id, "")
    return Finding(
        rule=rule.id,
        severity=configuration.severity(rule),
        message=violation.message,
        address=resource.address if resource else "",
        urn=resource.urn if resource else "",
        remediation=configuration.remediation(rule),
        source=configuration.source(rule),
        path=path,
        **placed(place),
    )
