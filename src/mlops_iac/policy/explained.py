"""A guard rail as people read it, made from its attributes."""

from __future__ import annotations

from mlops_iac.policy.model import Parameter, Rule


def explained(rule: Rule) -> str:
    """One rule for a terminal."""
    lines = [
        f"{rule.id}: {rule.title} ({severity_words(rule).replace('*', '')})",
        f"  {rule.why}",
        f"  fix: {rule.remediation}",
        f"  source: {rule.source}",
    ]
    for name, each in rule.parameters.items():
        lines.append(
            f"  {name}: {each.description} Default: {default_words(each).replace('`', '')}"
        )
    return "\n".join(lines)


def severity_words(rule: Rule) -> str:
    """Its severity, and whether it looks at production alone."""
    return f"{rule.severity}, *production*" if rule.production else rule.severity


def default_words(parameter: Parameter) -> str:
    """What a setting is where nothing is set, as YAML in backticks."""
    match parameter.default:
        case bool() as value:
            return f"`{str(value).lower()}`"
        case tuple() as values:
            return f"`[{', '.join(str(each) for each in values)}]`"
        case value:
            return f"`{value}`"
