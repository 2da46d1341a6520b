"""The table of every policy statement of the example, with the reason that stands in the code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "schedule-adherence"
# `dev` trains, `prod` serves what `dev` trained.
STACKS = ("dev", "prod")
_WHY = "Why"
_POLICIES = ("policy", "assumeRolePolicy", "resourcePolicy")

HEAD = """\
# Permissions

Every statement of every policy of the [example](../examples/schedule-adherence), with the reason
that stands in the code. No statement is made without one, and none with a wildcard without a second
one for it. Then what whoever deploys each stack needs; what whoever approves needs is in
[the program's README](../stacks/schedule-adherence/README.md#who-needs-which-rights).

Written by `python tools/generated.py`.
"""


def permissions() -> str:
    """Return the document."""
    return "\n".join([HEAD, *(line for stack in STACKS for line in _stack(stack))])


def _stack(stack: str) -> Iterator[str]:
    from mlops_iac.api import load

    # Reasons stay in the code, because a policy has no place for them: put in for this once.
    with patch("mlops_iac.clouds.aws.components._iam._render", _explained()):
        graph = load(EXAMPLE / "blueprint.yaml").capture(stack)
    yield f"## {stack}"
    for resource in sorted(graph, key=lambda each: (each.type, each.name)):
        for key in _POLICIES:
            if not isinstance(resource.inputs.get(key), str):
                continue
            yield from ("", f"### {resource.address} `{key}`", "")
            yield from ("| statement | who | may | on | if | why |", "|---|---|---|---|---|---|")
            for statement in json.loads(str(resource.inputs[key]))["Statement"]:
                yield _row(statement)
    yield from ("", f"### The deployer of {stack}", "")
    yield from ("| statement | who | may | on | if | why |", "|---|---|---|---|---|---|")
    yield from map(_row, _deployer(stack))
    yield ""


def _deployer(stack: str) -> Iterator[Mapping[str, Any]]:
    """What whoever deploys a stack needs, as statements with their reasons."""
    from mlops_iac.api import load
    from mlops_iac.clouds.aws.sagemaker.scope import Scope
    from tools.deployer_rights import deployer, statement

    project = load(EXAMPLE / "blueprint.yaml")
    for grant in deployer(Scope(project.resolve(stack)), project.calls(stack)):
        why = grant.reason or "made, changed and deleted with the stack, by its name"
        yield {**statement(grant), "Principal": "the deployer", _WHY: why}


def _explained() -> Any:
    from mlops_iac.clouds.aws.components import _iam

    render = _iam._render

    def explained(each: _iam.Statement, *known: Any) -> Any:
        why = f"{each.reason}; `*`: {each.wildcard}" if each.wildcard else each.reason
        return {**render(each, *known), _WHY: why}

    return explained


def _row(statement: Mapping[str, Any]) -> str:
    actions = _many(statement["Action"])
    principal = statement.get("Principal", "the role")
    if isinstance(principal, Mapping):
        principal = ", ".join(text for each in principal.values() for text in _many(each))
    conditions = [
        f"{operator} {key} {', '.join(_many(value))}"
        for operator, tests in statement.get("Condition", {}).items()
        for key, value in tests.items()
    ]
    may = ", ".join(actions) if statement["Effect"] == "Allow" else f"not {', '.join(actions)}"
    cells = [
        statement["Sid"],
        principal,
        may,
        ", ".join(_many(statement.get("Resource", []))),
        "; ".join(conditions),
        statement[_WHY],
    ]
    return "| " + " | ".join(cells).replace("\n", " ") + " |"


def _many(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
