"""Small stacks for rules: resources with the links that a program's outputs make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_iac.graph.model import Resource, ResourceGraph
from mlops_iac.policy.checking import violations
from mlops_iac.policy.config import Configuration, Setting
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Rule, Violation
from mlops_iac.values import UNKNOWN

STACK = "urn:pulumi:prod::shop::"
TAGS = {"owner": "analytics@acme.example", "cost-centre": "4711"}


def made(
    type_: str,
    name: str,
    inputs: Mapping[str, Any] | None = None,
    *,
    protect: bool = False,
    id_: str = "",
    parent: str = "",
    **links: Resource | Sequence[Resource],
) -> Resource:
    """A resource; `bucket=other` says that its property `bucket` comes from `other`."""
    dependencies = {
        key: [each.urn for each in ([value] if isinstance(value, Resource) else value)]
        for key, value in links.items()
    }
    return Resource(
        urn=f"{STACK}{type_}::{name}",
        type=type_,
        name=name,
        custom=not type_.startswith("mlops-iac:"),
        inputs={"tags": TAGS, **dict.fromkeys(links, UNKNOWN), **(inputs or {})},
        id=id_,
        parent=parent,
        protect=protect,
        property_dependencies=dependencies,
        dependencies=sorted({urn for urns in dependencies.values() for urn in urns}),
    )


def found(
    rule: Rule,
    resources: Sequence[Resource],
    *,
    production: bool = True,
    region: str = "eu-west-1",
    accounts: Sequence[str] = ("123456789012",),
    trusted: Sequence[str] = (),
    paths: Mapping[str, str] | None = None,
    **parameters: Any,
) -> list[Violation]:
    """What a rule finds in a stack of these resources."""
    if rule.production and not production:
        return []
    context = Context(
        graph=ResourceGraph("shop", "prod", tuple(resources)),
        production=production,
        region=region,
        accounts=frozenset(accounts),
        paths=paths or {},
    )
    if trusted:
        parameters["accounts"] = tuple(trusted)
    setting = Setting(parameters=parameters)
    return violations(rule, context, Configuration(rules={rule.id: setting}))
