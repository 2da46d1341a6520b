"""What migrations of a template may touch: the team's blueprint, and not what makes it the team's."""

from __future__ import annotations

import pytest

from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.errors import BlueprintInvalid
from tests.template_support import template


def read(operation: str) -> list[str]:
    """What is wrong with a migration."""
    try:
        parse(template(f"migrations: {{2.1.0: [{{{operation}}}]}}\n"))
    except BlueprintInvalid as error:
        return [f"{each.line}: {each.code}: {each.message}" for each in error.diagnostics]
    return []


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("remove: extends", "extends"),
        ('remove: "extends[1]"', "extends[1]"),
        ('move: "extends[0].template", to: description', "extends[0].template"),
        ("rename: extends, to: tags", "extends"),
        ("rename: description, to: extends", "extends"),
        ("set: extends, value: [{template: x}]", "extends"),
        ('remove: "*"', "*"),
        ("remove: environments", "environments"),
        ("remove: environments.prod", "environments.prod"),
        ("move: environments.prod, to: environments.production", "environments.prod"),
        ("rename: environments.prod, to: production", "environments.prod"),
        ("remove: environments.prod.extends", "environments.prod.extends"),
    ],
)
def test_what_is_the_teams_own_no_template_changes(operation: str, path: str) -> None:
    found = read(operation)
    assert found[0].startswith(f"4: bad-migration: migrations.2.1.0[0] cannot change '{path}': "), (
        found
    )


@pytest.mark.parametrize(
    "operation",
    [
        "remove: environments.prod.protect",
        "set: security.keys, value: customer",
        "rename: serving.*.scaling.maximum, to: max",
        "rename: datasets.name, to: source",
        "move: environments.prod.a, to: environments.prod.tags.a",
        "rename_parameter: level, to: tier",
    ],
)
def test_what_a_migration_is_for(operation: str) -> None:
    assert read(operation) == []
