"""What the program's README tells people: who needs which rights, what is by hand."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_iac.clouds.azure.components._naming import stem
from mlops_iac.clouds.azure.ml.parts import Part
from mlops_iac.clouds.azure.ml.scope import Scope
from mlops_iac.clouds.azure.ml.stack import PARTS


def guide(scopes: Mapping[str, Scope]) -> str:
    """Markdown, from `##` on. `scopes` are all environments by name."""
    real = {name: scope for name, scope in scopes.items() if not scope.is_local} or dict(scopes)
    sections = [_rights(real), _by_hand(real)]
    having = [(part, [scope for scope in real.values() if part.there(scope)]) for part in PARTS]
    sections += [list(part.guide(with_it)) for part, with_it in having if with_it]
    return "\n\n".join("\n".join(section) for section in sections if section)


_DEPLOYER = (
    ("Contributor", "it makes the resource group and what is in it"),
    ("Role Based Access Control Administrator", "identities of the stack get their roles by it"),
)


def _rights(scopes: Mapping[str, Scope]) -> list[str]:
    given = sorted({role for part in _parts(scopes) for role in part.roles})
    return [
        "## Who needs which rights",
        "",
        "**The deployer**, who runs `up` and `destroy`, needs these roles in the subscription:",
        "",
        "| role | why |",
        "|---|---|",
        *(f"| {role} | {why} |" for role, why in _DEPLOYER),
        "",
        "The second one can assign any role, before it is constrained by a condition: the template",
        f"*Constrain roles* with those that stacks assign ({', '.join(given)}).",
        "",
        "Each stack lies in a resource group of its own:",
        "",
        *(f"- `{name}`: `{stem(scope.blueprint.name, name)}`" for name, scope in scopes.items()),
    ]


def _parts(scopes: Mapping[str, Scope]) -> list[Part]:
    """What one of the environments has."""
    return [part for part in PARTS if any(part.there(scope) for scope in scopes.values())]


def _by_hand(scopes: Mapping[str, Scope]) -> list[str]:
    parts = _parts(scopes)
    namespaces = sorted({each for part in parts for each in part.namespaces})
    return [
        "## By hand, once",
        "",
        "- Resource providers must be registered in the subscription, which Pulumi does not do:",
        *(f"  `az provider register --namespace {each}`" for each in namespaces),
        *(f"- {part.by_hand}" for part in parts if part.by_hand),
    ]
