"""Guard rails that speak of Azure's types, with seeded defects and clean passes."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from mlops_iac.clouds.azure import types
from mlops_iac.clouds.azure.rules import MODULES
from mlops_iac.values import UNKNOWN
from tests.unit.policy.stacks import found, made

RULES = {rule.id: rule for rule in (import_module(each).RULE for each in MODULES)}
START = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/"
CONTRIBUTOR = f"{START}b24988ac-6180-42a0-ab88-20f7382dd24c"
OWNER = f"{START}8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
GROUP = "/subscriptions/s/resourceGroups/g"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a"


def account(**inputs):
    return made(types.STORAGE_ACCOUNT, "a", inputs)


def given(role, scope):
    return made(types.ROLE_ASSIGNMENT, "r", {"roleDefinitionId": role, "scope": scope})


ROWS = {
    "account-keys": {
        "an account that says nothing takes keys": (["whoever has a key"], [account()]),
        "an account that says so takes keys": (["whoever"], [account(allowSharedKeyAccess=True)]),
        "an account for identities keeps it": ([], [account(allowSharedKeyAccess=False)]),
        "what is not known yet is not judged": ([], [account(allowSharedKeyAccess=UNKNOWN)]),
        "a registry has no user until it is said": ([], [made(types.CONTAINER_REGISTRY, "r")]),
        "a registry with a user breaks it": (
            ["whoever"],
            [made(types.CONTAINER_REGISTRY, "r", {"adminUserEnabled": True})],
        ),
        "logs that are written with a key break it": (
            ["whoever", "whoever"],
            [made(types.INSIGHTS, "i"), made(types.LOG_WORKSPACE, "l", {"features": {}})],
        ),
        "logs that are written by identities keep it": (
            [],
            [made(types.LOG_WORKSPACE, "l", {"features": {"disableLocalAuth": True}})],
        ),
    },
    "broad-role": {
        "an owner breaks it, of whatever": (["the role Owner"], [given(OWNER, ACCOUNT)]),
        "a contributor to a group breaks it": (
            ["Contributor on a whole resource group"],
            [given(CONTRIBUTOR, GROUP)],
        ),
        "a contributor to an account keeps it": ([], [given(CONTRIBUTOR, ACCOUNT)]),
        "what is not known yet is not judged": ([], [given(UNKNOWN, UNKNOWN)]),
    },
}
CASES = [
    pytest.param(rule, *row, id=f"{rule}: {sentence}")
    for rule, rows in ROWS.items()
    for sentence, row in rows.items()
]


@pytest.mark.parametrize(("rule", "expected", "resources"), CASES)
def test_rule(rule, expected, resources) -> None:
    told = [each.message for each in found(RULES[rule], resources)]
    assert len(told) == len(expected), told
    for message, part in zip(told, expected, strict=True):
        assert part in message


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_says_what_people_need(rule) -> None:
    assert rule.id in ROWS
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    assert rule.title and rule.why.endswith(".") and not rule.remediation.endswith(".")
    assert "https://" in rule.source
